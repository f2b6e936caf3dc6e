#include "banquet/encode/json_value.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace banquet {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | code >> 18));
    out->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
  }
  out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

// Reads one document. With a null `into` everywhere it only validates and allocates nothing.
class JsonParser {
 public:
  JsonParser(std::string_view text, int depth_max) : text_(text), depth_max_(depth_max) {}

  Status Document(JsonValue* into) {
    BANQUET_RETURN_NOT_OK(Value(into, 0));
    SkipSpace();
    return at_ == text_.size() ? Status::OK() : Expected("the end of the text");
  }

 private:
  Status Expected(std::string_view what) const {
    return DataError("Not JSON: expected {} at byte {}", what, at_);
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++at_;
  }
  bool Take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Status Value(JsonValue* into, int depth) {
    SkipSpace();
    switch (Peek()) {
      case '{':
        return Object(into, depth + 1);
      case '[':
        return Array(into, depth + 1);
      case '"':
        if (into != nullptr) into->kind = JsonValue::Kind::kText;
        return Text(into == nullptr ? nullptr : &into->text);
      default:
        return Word(into);
    }
  }

  Status Word(JsonValue* into) {
    using Kind = JsonValue::Kind;
    const size_t start = at_;
    Kind kind = Kind::kNull;
    if (Take("true") || Take("false")) {
      kind = Kind::kBool;
    } else if (Take("NaN") || Take("Infinity") || Take("-Infinity")) {
      kind = Kind::kReal;
    } else if (!Take("null")) {
      BANQUET_RETURN_NOT_OK(Number(&kind));
    }
    if (into == nullptr) return Status::OK();
    into->kind = kind;
    into->flag = kind == Kind::kBool && text_[start] == 't';
    into->text = text_.substr(start, at_ - start);
    return Status::OK();
  }

  Status Number(JsonValue::Kind* kind) {
    *kind = JsonValue::Kind::kInteger;
    const size_t start = at_;
    if (Peek() == '-') ++at_;
    if (!IsDigit(Peek())) {
      at_ = start;
      return Expected("a value");
    }
    if (Peek() == '0') {
      ++at_;
    } else {
      while (IsDigit(Peek())) ++at_;
    }
    if (Peek() == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1])) {
      *kind = JsonValue::Kind::kReal;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (Peek() == 'e' || Peek() == 'E') {
      size_t end = at_ + 1;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
      if (end < text_.size() && IsDigit(text_[end])) {
        *kind = JsonValue::Kind::kReal;
        at_ = end;
        while (IsDigit(Peek())) ++at_;
      }
    }
    return Status::OK();
  }

  Status Hex4(uint32_t* code) {
    *code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Peek();
      uint32_t digit = 0;
      if (IsDigit(c)) {
        digit = static_cast<uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        return Expected("four hexadecimal digits");
      }
      *code = *code << 4 | digit;
    }
    return Status::OK();
  }

  Status Escape(std::string* into) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;  // The backslash.
    const char letter = Peek();
    if (const size_t found = kLetters.find(letter); letter != '\0' && found != kLetters.npos) {
      ++at_;
      if (into != nullptr) into->push_back(kMeanings[found]);
      return Status::OK();
    }
    if (letter != 'u') return Expected("an escape");
    ++at_;
    uint32_t code = 0;
    BANQUET_RETURN_NOT_OK(Hex4(&code));
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const size_t start = at_;
      uint32_t low = 0;
      at_ += 2;
      BANQUET_RETURN_NOT_OK(Hex4(&low));
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = start;
      }
    }
    if (into == nullptr) return Status::OK();
    if (code >= 0xD800 && code < 0xE000) return Expected("no lone surrogate, which is no text,");
    AppendUtf8(code, into);
    return Status::OK();
  }

  Status Text(std::string* into) {
    ++at_;  // The quote.
    while (true) {
      const size_t start = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      if (into != nullptr) into->append(text_.substr(start, at_ - start));
      if (at_ == text_.size()) return Expected("a closing quote");
      if (text_[at_] == '"') {
        ++at_;
        return Status::OK();
      }
      if (text_[at_] != '\\') return Expected("an escape for the control character");
      BANQUET_RETURN_NOT_OK(Escape(into));
    }
  }

  Status CheckDepth(int depth) const {
    if (depth <= depth_max_) return Status::OK();
    return DataError("JSON is nested too deeply: more than {} levels at byte {}", depth_max_, at_);
  }

  Status Array(JsonValue* into, int depth) {
    BANQUET_RETURN_NOT_OK(CheckDepth(depth));
    if (into != nullptr) into->kind = JsonValue::Kind::kArray;
    ++at_;
    SkipSpace();
    if (Take("]")) return Status::OK();
    while (true) {
      JsonValue* item = into == nullptr ? nullptr : &into->items.emplace_back();
      BANQUET_RETURN_NOT_OK(Value(item, depth));
      SkipSpace();
      if (Take("]")) return Status::OK();
      if (!Take(",")) return Expected("',' or ']'");
    }
  }

  Status Object(JsonValue* into, int depth) {
    BANQUET_RETURN_NOT_OK(CheckDepth(depth));
    if (into != nullptr) into->kind = JsonValue::Kind::kObject;
    ++at_;
    SkipSpace();
    if (Take("}")) return Status::OK();
    while (true) {
      SkipSpace();
      if (Peek() != '"') return Expected("a name in double quotes");
      JsonValue* item = nullptr;
      if (into == nullptr) {
        BANQUET_RETURN_NOT_OK(Text(nullptr));
      } else {
        into->keys.emplace_back();
        item = &into->items.emplace_back();
        BANQUET_RETURN_NOT_OK(Text(&into->keys.back()));
      }
      SkipSpace();
      if (!Take(":")) return Expected("':'");
      BANQUET_RETURN_NOT_OK(Value(item, depth));
      SkipSpace();
      if (Take("}")) break;
      if (!Take(",")) return Expected("',' or '}'");
    }
    if (into != nullptr) SortKeys(into);
    return Status::OK();
  }

  // By key, and of equal keys the last: the order in which maps are encoded.
  static void SortKeys(JsonValue* object) {
    std::vector<size_t> order(object->keys.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order,
                             [&](size_t a, size_t b) { return object->keys[a] < object->keys[b]; });
    std::vector<std::string> keys;
    std::vector<JsonValue> items;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i + 1 < order.size() && object->keys[order[i]] == object->keys[order[i + 1]]) continue;
      keys.push_back(object->keys[order[i]]);
      items.push_back(std::move(object->items[order[i]]));
    }
    object->keys = std::move(keys);
    object->items = std::move(items);
  }

  const std::string_view text_;
  const int depth_max_;
  size_t at_ = 0;
};

void AppendUnicodeEscape(uint32_t unit, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out->append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out->push_back(kDigits[unit >> shift & 0xF]);
}

// The code point at text[*at], which is valid UTF-8 or, for damaged text, U+FFFD; moves *at behind
// it.
uint32_t TakeCodePoint(std::string_view text, size_t* at) {
  const auto lead = static_cast<unsigned char>(text[(*at)++]);
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (lead < 0x80) return lead;
  if (more == 0 || *at + static_cast<size_t>(more) > text.size()) return 0xFFFD;
  uint32_t code = lead & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[(*at)++]) & 0x3F);
  }
  return code;
}

}  // namespace

Status ValidateJson(std::string_view text, int depth_max) {
  return JsonParser(text, depth_max).Document(nullptr);
}

Result<JsonValue> ParseJson(std::string_view text, int depth_max) {
  JsonValue value;
  BANQUET_RETURN_NOT_OK(JsonParser(text, depth_max).Document(&value));
  return value;
}

void AppendJsonText(std::string_view text, std::string* out) {
  static constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  out->push_back('"');
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (const size_t found = kEscaped.find(c); found != kEscaped.npos) {
      out->push_back('\\');
      out->push_back(kLetters[found]);
      ++at;
    } else if (c >= 0x20 && c != 0x7F) {
      out->push_back(c);
      ++at;
    } else {
      const uint32_t code = TakeCodePoint(text, &at);
      if (code >= 0x10000) {
        AppendUnicodeEscape(0xD800 + ((code - 0x10000) >> 10), out);
        AppendUnicodeEscape(0xDC00 + ((code - 0x10000) & 0x3FF), out);
      } else {
        AppendUnicodeEscape(code, out);
      }
    }
  }
  out->push_back('"');
}

}  // namespace banquet
