// The spelling hints of error messages.
#include <algorithm>
#include <string>
#include <vector>

#include "banquet/base/option_table.h"

namespace banquet {
namespace {

// Longer words are nobody's typing mistake, and the distance costs their product.
constexpr size_t kWordBytesMax = 100;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Letters inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, previous[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, row);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string> NearestWord(std::string_view word, std::span<const std::string> words) {
  if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
  const std::string wanted = LowerCase(word);
  size_t nearest_distance = std::max<size_t>(1, word.size() / 3) + 1;
  const std::string* nearest = nullptr;
  for (const std::string& candidate : words) {
    if (candidate.size() > kWordBytesMax) continue;
    const size_t distance = EditDistance(wanted, LowerCase(candidate));
    // A word of which no letter is left is another word.
    if (distance >= std::max(word.size(), candidate.size())) continue;
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? std::nullopt : std::optional<std::string>(*nearest);
}

std::string DidYouMean(std::string_view word, std::span<const std::string> words) {
  const std::optional<std::string> nearest = NearestWord(word, words);
  return nearest.has_value() ? " Did you mean '" + *nearest + "'?" : std::string();
}

}  // namespace banquet
