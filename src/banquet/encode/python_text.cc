#include "banquet/encode/python_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace banquet {
namespace {

// Shortest scientific text of a double: sign, 17 digits, point, "e-324".
constexpr size_t kFloatCharsMax = 32;
constexpr size_t kIntCharsMax = 20;
// Python writes an exponent when the decimal point would fall outside these positions.
constexpr int kPointMin = -3;
constexpr int kPointMax = 16;

template <typename T>
void AppendInt(T value, std::string* out) {
  char text[kIntCharsMax];
  const auto end = std::to_chars(text, text + sizeof(text), value);
  out->append(text, end.ptr);
}

// Writes the digits d1d2…dn with the point behind the first `point` of them.
void AppendFixed(std::string_view digits, int point, std::string* out) {
  const auto count = static_cast<int>(digits.size());
  if (point <= 0) {
    out->append("0.");
    out->append(static_cast<size_t>(-point), '0');
    out->append(digits);
    return;
  }
  out->append(digits.substr(0, static_cast<size_t>(std::min(point, count))));
  if (point >= count) {
    out->append(static_cast<size_t>(point - count), '0');
    out->append(".0");
    return;
  }
  out->push_back('.');
  out->append(digits.substr(static_cast<size_t>(point)));
}

void AppendScientific(std::string_view digits, int exponent, std::string* out) {
  out->push_back(digits[0]);
  if (digits.size() > 1) {
    out->push_back('.');
    out->append(digits.substr(1));
  }
  out->append(exponent < 0 ? "e-" : "e+");
  const int size = std::abs(exponent);
  if (size < 10) out->push_back('0');
  AppendInt(size, out);
}

}  // namespace

void AppendPythonFloat(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("nan");
    return;
  }
  if (std::signbit(value)) out->push_back('-');
  if (std::isinf(value)) {
    out->append("inf");
    return;
  }
  char text[kFloatCharsMax];
  const auto end =
      std::to_chars(text, text + sizeof(text), std::fabs(value), std::chars_format::scientific);
  // "d.ddde[+-]xx": takes the digits together and reads the exponent.
  const std::string_view whole(text, end.ptr);
  const size_t e = whole.find('e');
  char digits[kFloatCharsMax];
  size_t count = 0;
  for (const char c : whole.substr(0, e)) {
    if (c != '.') digits[count++] = c;
  }
  const std::string_view exponent_text = whole.substr(e + (whole[e + 1] == '+' ? 2 : 1));
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  const int point = exponent + 1;
  if (point < kPointMin || point > kPointMax) {
    AppendScientific({digits, count}, exponent, out);
  } else {
    AppendFixed({digits, count}, point, out);
  }
}

void AppendPythonInt(int64_t value, std::string* out) { AppendInt(value, out); }
void AppendPythonInt(uint64_t value, std::string* out) { AppendInt(value, out); }

void AppendPythonBool(bool value, std::string* out) { out->append(value ? "True" : "False"); }

void AppendPythonBytes(std::string_view bytes, std::string* out) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  const bool has_single = bytes.find('\'') != std::string_view::npos;
  const char quote = has_single && bytes.find('"') == std::string_view::npos ? '"' : '\'';
  out->push_back('b');
  out->push_back(quote);
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == quote || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\t') {
      out->append("\\t");
    } else if (c == '\n') {
      out->append("\\n");
    } else if (c == '\r') {
      out->append("\\r");
    } else if (byte < 0x20 || byte >= 0x7f) {
      out->append("\\x");
      out->push_back(kHexDigits[byte >> 4]);
      out->push_back(kHexDigits[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back(quote);
}

}  // namespace banquet
