#include "banquet/online/postgres/read_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "banquet/base/hex_text.h"
#include "banquet/client/postgres/wire.h"
#include "banquet/online/postgres/view_table.h"

namespace banquet::postgres {
namespace {

constexpr size_t kReadKeysMax = 1000;  // Of one SELECT.

std::string ArrayOf(std::span<const std::string> keys) {
  std::string text = "{";
  for (const std::string& key : keys) {
    if (text.size() > 1) text += ',';
    text += R"("\\x)" + HexOf(key) + '"';
  }
  return text + '}';
}

// The greatest of the entity's rows.
void TakeTime(const Rows& found, int i, StoredRow* row) {
  const auto time = found.At(i, 3);
  if (!time.has_value()) return;
  const int64_t event_us = NumberOf<int64_t>(*time) + kEpochUs;
  row->event_us = std::max(event_us, row->event_us.value_or(event_us));
}

Status ReadChunk(Connection* connection, const std::string& sql, const ViewColumns& view,
                 std::span<const std::string> keys, std::span<std::optional<StoredRow>> rows) {
  const std::string parameters[] = {ArrayOf(keys)};
  BANQUET_ASSIGN_OR_RETURN(const Rows found, connection->Run(sql, parameters));
  std::unordered_map<std::string_view, std::vector<size_t>> places;
  for (size_t i = 0; i < keys.size(); ++i) places[keys[i]].push_back(i);
  std::unordered_map<std::string_view, size_t> features;
  for (size_t i = 0; i < view.features.size(); ++i) features.emplace(view.features[i].name, i);
  for (int i = 0; i < found.size(); ++i) {
    const auto feature = features.find(found.Bytes(i, 1));
    for (const size_t place : places[found.Bytes(i, 0)]) {
      if (!rows[place].has_value()) rows[place].emplace().values.resize(view.features.size());
      if (feature != features.end()) {
        rows[place]->values[feature->second] = std::string(found.Bytes(i, 2));
      }
      TakeTime(found, i, &*rows[place]);
    }
  }
  return Status::OK();
}

}  // namespace

Result<StoredRows> ReadRows(Connection* connection, const ViewColumns& view,
                            std::span<const std::string> keys) {
  StoredRows rows(keys.size());
  BANQUET_ASSIGN_OR_RETURN(const auto table, FindTable(connection, view));
  if (!table.has_value()) return rows;
  const std::string sql = fmt::format(
      "SELECT entity_key, feature_name, value, event_ts FROM {} WHERE entity_key = "
      "ANY($1::bytea[])",
      table->name);
  for (size_t first = 0; first < keys.size(); first += kReadKeysMax) {
    const size_t count = std::min(kReadKeysMax, keys.size() - first);
    BANQUET_RETURN_NOT_OK(ReadChunk(connection, sql, view, keys.subspan(first, count),
                                    std::span(rows).subspan(first, count)));
  }
  return rows;
}

}  // namespace banquet::postgres
