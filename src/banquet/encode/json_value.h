#pragma once
// JSON as Python's json module reads and writes it: NaN and Infinity are numbers, integers have no
// limit, text is escaped to ASCII.

#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

// Python gives up near 1000 levels; so much text is never data.
inline constexpr int kJsonDepthMax = 512;

// A parsed document. Plain data.
struct JsonValue {
  enum class Kind { kNull, kBool, kInteger, kReal, kText, kArray, kObject };
  Kind kind = Kind::kNull;
  bool flag = false;
  std::string text;               // kText: unescaped. Numbers: as written.
  std::vector<std::string> keys;  // kObject: beside `items`; unique, the last of equal keys won.
  std::vector<JsonValue> items;   // kArray, kObject.
};

// Both fail with a data error that tells what was expected and at which byte; deeper than
// `depth_max` is an error too.
Status ValidateJson(std::string_view text, int depth_max = kJsonDepthMax);
Result<JsonValue> ParseJson(std::string_view text, int depth_max = kJsonDepthMax);

// Appends UTF-8 `text` as a JSON string the way json.dumps does: quotes, \uXXXX (surrogate pairs)
// for all but ASCII.
void AppendJsonText(std::string_view text, std::string* out);

}  // namespace banquet
