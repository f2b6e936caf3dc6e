#include "banquet/exec/latest_sink.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/encode/entity_key.h"
#include "banquet/exec/latest_table.h"
#include "banquet/exec/take_rows.h"
#include "banquet/exec/time_columns.h"

namespace banquet {
namespace {

// Gives the winners of a sealed table in a fixed order. Borrows the table.
class WinnerSource final : public Source {
 public:
  WinnerSource(const LatestTable* table, std::vector<uint32_t> order)
      : table_(table), order_(std::move(order)) {}

  Result<Batch> Next() override {
    const size_t begin = next_.fetch_add(kWriteBatchRows);
    if (begin >= order_.size()) return Batch{};
    const size_t end = std::min(order_.size(), begin + kWriteBatchRows);
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, Collect(begin, end));
    return Batch{
        .rows = std::move(rows), .first_row = static_cast<int64_t>(begin), .selection = {}};
  }

 private:
  // Winners begin..end come from few batches: take from each, then put the rows into order.
  Result<std::shared_ptr<arrow::RecordBatch>> Collect(size_t begin, size_t end) const {
    const std::span<const LatestTable::Entry> entries = table_->entries();
    std::vector<uint32_t> batches;
    for (size_t i = begin; i < end; ++i) batches.push_back(entries[order_[i]].batch);
    std::ranges::sort(batches);
    batches.erase(std::unique(batches.begin(), batches.end()), batches.end());

    std::vector<std::shared_ptr<arrow::RecordBatch>> pieces;
    std::vector<uint32_t> place(
        end - begin);  // Where in the pieces, one after another, each winner stands.
    uint32_t taken = 0;
    for (uint32_t batch : batches) {
      std::vector<uint32_t> rows;
      for (size_t i = begin; i < end; ++i) {
        if (entries[order_[i]].batch != batch) continue;
        rows.push_back(entries[order_[i]].row);
        place[i - begin] = taken++;
      }
      BANQUET_ASSIGN_OR_RETURN(pieces.emplace_back(), TakeRows(table_->batch(batch), rows));
    }
    if (pieces.size() == 1) return pieces.front();
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> joined,
                             arrow::ConcatenateRecordBatches(pieces));
    return TakeRows(joined, place);
  }

  const LatestTable* const table_;
  const std::vector<uint32_t> order_;
  std::atomic<size_t> next_ = 0;
};

class LatestSink final : public Breaker {
 public:
  LatestSink(WriteOrder order, std::unique_ptr<EntityKeyEncoder> keys, TimeColumns times,
             RowFates* fates)
      : order_(order), keys_(std::move(keys)), times_(times), fates_(fates) {}

  class Contest final : public Local {
   public:
    LatestTable table;
    BytesColumn keys;
    int64_t rows = 0;
  };

  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<Contest>(); }

  Status Consume(Local& local, Batch batch) override {
    auto& contest = static_cast<Contest&>(local);
    contest.keys.Clear();
    if (batch.selection.has_value()) {
      BANQUET_RETURN_NOT_OK(keys_->Append(*batch.rows, *batch.selection, &contest.keys));
    } else {
      BANQUET_RETURN_NOT_OK(keys_->AppendAll(*batch.rows, &contest.keys));
    }
    const TimeView event = times_.Event(*batch.rows);
    const TimeView created = times_.Created(*batch.rows);
    const size_t prefix = keys_->common_prefix_size();
    const uint32_t id = contest.table.BeginBatch(batch.rows);
    for (size_t i = 0; i < contest.keys.size(); ++i) {
      const uint32_t row =
          batch.selection.has_value() ? (*batch.selection)[i] : static_cast<uint32_t>(i);
      Contender contender{.event_us = event.us[row],
                          .event_nanos = event.Nanos(row),
                          .position = batch.first_row + row};
      if (!created.IsNull(row)) {
        contender.has_created = true;
        contender.created_us = created.us[row];
        contender.created_nanos = created.Nanos(row);
      }
      contest.table.Offer(contest.keys[i].substr(prefix), contender, id, row);
    }
    contest.rows += static_cast<int64_t>(contest.keys.size());
    return contest.table.EndBatch(id);
  }

  Status Combine(Local& local) override {
    auto& contest = static_cast<Contest&>(local);
    std::lock_guard lock(mutex_);
    rows_ += contest.rows;
    return table_.Absorb(std::move(contest.table));
  }

  Status Finish() override {
    BANQUET_RETURN_NOT_OK(table_.Seal());
    const auto winners = static_cast<int64_t>(table_.entries().size());
    fates_->winners += winners;
    fates_->duplicates += rows_ - winners;
    fates_->full_ties += table_.ties();
    return Status::OK();
  }

  Result<std::unique_ptr<Source>> Output() override {
    const std::span<const LatestTable::Entry> entries = table_.entries();
    std::vector<uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0);
    if (order_ == WriteOrder::kByKey) {
      std::ranges::sort(order, {}, [&](uint32_t i) { return table_.KeyOf(entries[i]); });
    } else {
      std::ranges::sort(order, {}, [&](uint32_t i) { return entries[i].contender.position; });
    }
    return std::make_unique<WinnerSource>(&table_, std::move(order));
  }

 private:
  const WriteOrder order_;
  const std::unique_ptr<EntityKeyEncoder> keys_;
  const TimeColumns times_;
  RowFates* const fates_;
  std::mutex mutex_;
  LatestTable table_;
  int64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<Breaker>> MakeLatestSink(const LatestNode& node, const arrow::Schema& schema,
                                                RowFates* fates) {
  BANQUET_ASSIGN_OR_RETURN(std::unique_ptr<EntityKeyEncoder> keys,
                           EntityKeyEncoder::Make(node.join_keys, node.entity_key_version, schema));
  BANQUET_ASSIGN_OR_RETURN(TimeColumns times, TimeColumns::Find(schema));
  return std::make_unique<LatestSink>(node.order, std::move(keys), times, fates);
}

}  // namespace banquet
