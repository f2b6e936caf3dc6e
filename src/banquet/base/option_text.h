#pragma once
// What the text of one option means: YAML 1.1's booleans and numbers as Python's yaml.safe_load
// reads them, and quantities with a unit.

#include <cstdint>
#include <optional>
#include <string_view>

namespace banquet {

// yes/no, true/false, on/off; lower case, Capitalized or UPPER CASE.
std::optional<bool> ReadBool(std::string_view text);

// Decimal, 0x, 0b and octal with a leading 0, "_" between digits; nullopt also beyond 64 bits.
std::optional<int64_t> ReadInt(std::string_view text);

// Decimal with or without fraction and exponent, ".inf"; never NaN.
std::optional<double> ReadFloat(std::string_view text);

// "512MiB", "1.5 GiB", "2GB", "1000000": bytes. Units: B, kB, MB, GB, TB (powers of 1000) and KiB,
// MiB, GiB, TiB.
std::optional<int64_t> ReadBytes(std::string_view text);

// "10", "10s", "500ms", "2m", "1h", "1d": milliseconds.
std::optional<int64_t> ReadMilliseconds(std::string_view text);

}  // namespace banquet
