#pragma once
// How rows of one view become items of its table.

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/online/dynamodb/client.h"
#include "banquet/online/dynamodb/item.h"
#include "banquet/online/dynamodb/view_target.h"
#include "banquet/online/flush_rows.h"

namespace banquet::dynamodb {

enum class RowFate : uint8_t { kUndecided, kWritten, kStale };

// Writes rows of one view over a borrowed client.
class ViewWriter {
 public:
  ViewWriter(Client* client, ViewTarget target, Clock* clock, std::stop_token stop);

  // Each entity once in `rows`. Sets the fates, by place, of rows that the service decided; those
  // for which it has no capacity now stay as they are.
  Status Write(std::span<const FlushRow> rows, std::vector<RowFate>* fates);
  int64_t TakeBytes() { return std::exchange(bytes_, 0); }  // Sent since the last call.

 private:
  // Rows by entity_id.
  using RowsById = std::unordered_map<std::string, FlushRow>;

  Status PutAll(std::span<const FlushRow> rows, std::vector<RowFate>* fates);
  Status PutSome(std::span<const FlushRow> rows, std::vector<RowFate>* fates);
  // guard: check. Keeps of `rows` those whose stored item is not newer; of the others that are
  // decided it sets the fates.
  Result<std::vector<FlushRow>> NotStale(std::span<const FlushRow> rows,
                                         std::vector<RowFate>* fates);
  // guard: strict.
  Status WriteStrictly(std::span<const FlushRow> rows, std::vector<RowFate>* fates);
  // Runs one statement for each row; which of them are to be tried by the other kind.
  Result<std::vector<FlushRow>> Execute(bool is_insert, std::span<const FlushRow> rows,
                                        std::vector<RowFate>* fates);
  Result<std::string> StatementsOf(bool is_insert, std::span<const FlushRow> rows) const;

  Status AwaitTurn(std::span<const FlushRow> rows);
  // nullopt: the service throttled the whole call.
  Result<std::optional<std::string>> CallPaced(std::string_view operation, const std::string& body);

  Client* const client_;
  const ViewTarget target_;
  const ItemFrames frames_;
  Clock* const clock_;
  const std::stop_token stop_;
  const std::string table_text_;  // As JSON.
  bool inserts_first_;
  int64_t bytes_ = 0;
};

}  // namespace banquet::dynamodb
