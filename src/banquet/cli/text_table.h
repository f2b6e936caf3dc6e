#pragma once
// Tables for a terminal: columns padded to their widest cell.

#include <string>
#include <vector>

namespace banquet {

// First row is the head. `right` names columns to align to the right. Cells are UTF-8; width counts
// code points.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        const std::vector<bool>& right = {});

// Code points, which is what a terminal's columns are for most scripts.
size_t WidthOf(const std::string& text);

// At most `width` code points, the last of them "…" where something was left out.
std::string Shortened(const std::string& text, size_t width);

// 1234567 -> "1,234,567".
std::string WithThousands(int64_t number);

// Seconds for people: "0.42 s", "12.3 s", "3m 20s".
std::string FormatSeconds(double seconds);

}  // namespace banquet
