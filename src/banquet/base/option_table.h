#pragma once
// Options as tables: one table parses, refuses, prints the help and makes the reference page.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"

namespace banquet {

enum class OptionType {
  kText,
  kSecret,  // Text that is never printed.
  kBool,    // true/false as YAML 1.1 writes them (yes/no/on/off too).
  kInt,     // 64-bit.
  kFloat,
  kBytes,     // "512MiB", "2GiB", "1000000": bytes.
  kSeconds,   // "10", "10s", "2m", "1h": kept in milliseconds.
  kChoice,    // One of `choices`.
  kTextList,  // A list of text, or one text.
  kNode,      // Any subtree, handed on as it is.
};

struct OptionSpec {
  std::string_view name;
  OptionType type = OptionType::kText;
  std::string_view default_value;  // As written in YAML; empty means "none".
  std::string_view unit;           // Empty where there is none.
  std::string_view meaning;
  std::string_view choices;  // kChoice: "newest|feast|always".
  bool required = false;
};

// The values of one block, checked against its table. Lookups name options of the table; another
// name is a bug (CHECK).
class OptionValues {
 public:
  // Refuses unknown keys (naming file, line, key and the nearest valid one), wrong types and
  // missing required keys. `path` names the block in messages, e.g. "online_store". A null or
  // absent block gives the defaults. `ignored` are keys that are legal but mean nothing to us
  // (`type`, for instance).
  static Result<OptionValues> Parse(std::span<const OptionSpec> table, const ConfigNode& block,
                                    const std::string& path,
                                    std::span<const std::string_view> ignored = {});

  bool Has(std::string_view name) const;  // Written by the user (not a default).
  std::optional<std::string> Text(std::string_view name) const;  // kText, kSecret, kChoice
  bool Bool(std::string_view name) const;
  std::optional<int64_t> Int(
      std::string_view name) const;  // kInt, kBytes (bytes), kSeconds (milliseconds)
  std::optional<double> Float(std::string_view name) const;
  std::vector<std::string> TextList(std::string_view name) const;
  const ConfigNode* Node(std::string_view name) const;
  ConfigLocation Location(std::string_view name) const;

  // Sets one option from text, as a command line does; the same checks, `origin` in messages
  // ("--memory-limit").
  Status Set(std::string_view name, const std::string& text, const std::string& origin);

 private:
  struct Value {
    ConfigNode node;
    bool written = false;
    int64_t number = 0;  // kInt, kBytes, kSeconds, kBool
    double real = 0;
  };
  Status Assign(const OptionSpec& spec, const ConfigNode& node, const std::string& where,
                Value* value) const;
  const Value* FindValue(std::string_view name) const;

  std::span<const OptionSpec> table_;
  std::map<std::string, Value, std::less<>> values_;
};

// The word of `words` nearest to `word` by edit distance, if it is near enough to be meant (at most
// a third of its letters differ, at least one allowed).
std::optional<std::string> NearestWord(std::string_view word, std::span<const std::string> words);

// " Did you mean 'x'?" or "".
std::string DidYouMean(std::string_view word, std::span<const std::string> words);

}  // namespace banquet
