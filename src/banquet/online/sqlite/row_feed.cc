#include "banquet/online/sqlite/row_feed.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace banquet::sqlite {

std::vector<std::vector<RowPlace>> RoundsByKey(std::span<PendingRows> pending) {
  std::vector<RowPlace> sorted;
  for (PendingRows& rows : pending) {
    for (size_t place = 0; place < rows.written.size(); ++place) {
      sorted.push_back(
          {.rows = &rows, .place = place, .key = rows.batch->keys[rows.rows.At(place)]});
    }
  }
  // Mostly they come so.
  if (!std::ranges::is_sorted(sorted, {}, &RowPlace::key)) {
    std::ranges::stable_sort(sorted, {}, &RowPlace::key);
  }
  std::vector<std::vector<RowPlace>> rounds;
  if (std::ranges::adjacent_find(sorted, {}, &RowPlace::key) == sorted.end()) {
    rounds.push_back(std::move(sorted));
    return rounds;
  }
  size_t round = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    round = i > 0 && sorted[i].key == sorted[i - 1].key ? round + 1 : 0;
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(sorted[i]);
  }
  return rounds;
}

void EntityFeed::Give(size_t group, size_t /*row*/, int column, FeedCell cell) const {
  if (column == 0) {
    cell.SetInt(static_cast<int64_t>(group));
  } else {
    cell.SetBlob(rows_[group].key);
  }
}

FeatureFeed::FeatureFeed(const ViewTarget& target)
    : view_number_(target.number), order_(target.view.features.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  const auto name = [&](uint32_t f) { return std::string_view(target.view.features[f].name); };
  std::ranges::stable_sort(order_, {}, name);
  for (const uint32_t f : order_) names_.push_back(name(f));
}

void FeatureFeed::Give(size_t group, size_t row, int column, FeedCell cell) const {
  const RowPlace& entity = rows_[group];
  if (column == 0) return cell.SetBlob(entity.key);
  if (column == 1) return cell.SetText(names_[row]);
  const PendingRows& pending = *entity.rows;
  const uint32_t batch_row = pending.rows.At(entity.place);
  const EncodedFeature& feature = pending.batch->views[view_number_][order_[row]];
  switch (column) {
    case 2:
      return cell.SetBlob(feature.values[batch_row]);
    case 3:
      if (!feature.text_valid.empty() && feature.text_valid[batch_row] != 0) {
        cell.SetText(feature.text[batch_row]);
      }
      return;
    case 4:
      return cell.SetInt(pending.event_seconds[entity.place]);
    case 5:
      if (pending.created_seconds[entity.place].has_value()) {
        cell.SetInt(*pending.created_seconds[entity.place]);
      }
      return;
    case 6:
      if (!feature.num_valid.empty() && feature.num_valid[batch_row] != 0) {
        cell.SetReal(feature.num[batch_row]);
      }
      return;
    default:
      if (stored_ids_.empty()) return;
      const std::optional<int64_t>& id = stored_ids_[group * order_.size() + row];
      if (id.has_value()) cell.SetInt(*id);
  }
}

}  // namespace banquet::sqlite
