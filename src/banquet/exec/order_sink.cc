#include "banquet/exec/order_sink.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/encode/entity_key.h"
#include "banquet/exec/batch_spool.h"
#include "banquet/exec/take_rows.h"
#include "banquet/exec/winner_source.h"

namespace banquet {
namespace {

// Keys of one encoder's batches, comparable in the order of their serialized bytes.
class SortKeys {
 public:
  static Result<SortKeys> Of(const arrow::RecordBatch& rows, const EntityKeyEncoder& encoder) {
    SortKeys keys;
    keys.are_numbers_ = encoder.has_numbers();
    if (keys.are_numbers_) {
      BANQUET_RETURN_NOT_OK(encoder.AppendNumbers(rows, std::nullopt, &keys.numbers_));
      // Serialized numbers are little-endian: their first byte is their lowest.
      for (uint64_t& number : keys.numbers_) number = __builtin_bswap64(number);
    } else {
      keys.prefix_ = encoder.common_prefix_size();
      BANQUET_RETURN_NOT_OK(encoder.AppendAll(rows, &keys.bytes_));
    }
    return keys;
  }

  size_t size() const { return are_numbers_ ? numbers_.size() : bytes_.size(); }
  int64_t memory_bytes() const {
    return static_cast<int64_t>(numbers_.size() * sizeof(uint64_t) + bytes_.data.size() +
                                bytes_.offsets.size() * sizeof(uint64_t));
  }
  // Whether key i of `a` comes before key j of `b`.
  static bool Precedes(const SortKeys& a, size_t i, const SortKeys& b, size_t j) {
    if (a.are_numbers_) return a.numbers_[i] < b.numbers_[j];
    return a.bytes_[i].substr(a.prefix_) < b.bytes_[j].substr(b.prefix_);
  }

 private:
  bool are_numbers_ = false;
  size_t prefix_ = 0;
  std::vector<uint64_t> numbers_;
  BytesColumn bytes_;
};

// Sorted rows, kept piece after piece; one piece is in memory at a time where they are on disk.
struct Run {
  std::vector<KeptBatch> pieces;
};

// Runs on disk that are merged at a time: one piece of each is in memory, with its keys. Two at
// least, however large their pieces are.
constexpr size_t kMergedRunsMax = 64;
constexpr int64_t kMergedBytesMax = int64_t{8} << 20;
// A piece on disk, of more than one row.
constexpr int64_t kPieceBytes = kMergedBytesMax / static_cast<int64_t>(kMergedRunsMax);

// A run being read: its present piece and the keys of it.
class RunCursor {
 public:
  RunCursor(Run run, BatchSpool* spool, const EntityKeyEncoder* keys)
      : run_(std::move(run)), spool_(spool), keys_encoder_(keys) {}

  // The next piece; false at the end.
  Result<bool> Advance() {
    if (piece_ > 0) spool_->Forget(&run_.pieces[piece_ - 1]);
    rows_ = nullptr;
    keys_ = SortKeys();
    if (piece_ == run_.pieces.size()) return false;
    const KeptBatch& kept = run_.pieces[piece_++];
    BANQUET_ASSIGN_OR_RETURN(rows_, spool_->Load(kept));
    BANQUET_ASSIGN_OR_RETURN(keys_, SortKeys::Of(*rows_, *keys_encoder_));
    rows_max_ = WriteRowsMax(*rows_, kept.loaded_bytes);
    at_ = 0;
    return true;
  }
  bool Precedes(const RunCursor& other) const {
    return SortKeys::Precedes(keys_, at_, other.keys_, other.at_);
  }
  int64_t at() const { return static_cast<int64_t>(at_); }
  bool Step() { return ++at_ < keys_.size(); }  // False: the piece is used up.
  const std::shared_ptr<arrow::RecordBatch>& rows() const { return rows_; }
  int64_t rows_max() const { return rows_max_; }  // Of the present piece, for one batch.

 private:
  Run run_;
  BatchSpool* const spool_;
  const EntityKeyEncoder* const keys_encoder_;
  size_t piece_ = 0;
  std::shared_ptr<arrow::RecordBatch> rows_;
  SortKeys keys_;
  int64_t rows_max_ = 1;
  size_t at_ = 0;
};

// Merges runs into batches of kWriteBatchRows. Used by one thread at a time.
class Merge {
  // For a heap whose front is the run with the least key.
  auto Later() const {
    return [this](size_t a, size_t b) { return cursors_[b].Precedes(cursors_[a]); };
  }

 public:
  Merge(std::vector<Run> runs, BatchSpool* spool, const EntityKeyEncoder* keys) {
    for (Run& run : runs) cursors_.emplace_back(std::move(run), spool, keys);
  }

  // Null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    if (!begun_) {
      begun_ = true;
      for (size_t i = 0; i < cursors_.size(); ++i) {
        BANQUET_ASSIGN_OR_RETURN(const bool more, cursors_[i].Advance());
        if (more) heads_.push_back(i);
      }
      std::ranges::make_heap(heads_, Later());
    }
    pieces_.clear();
    part_of_.assign(cursors_.size(), std::nullopt);
    picks_.clear();
    // Each row fills the batch by its part of what its piece allows.
    int64_t filled = 0;
    while (!heads_.empty() && filled < kFull) {
      const int64_t rows_max = cursors_[heads_.front()].rows_max();
      filled += (kFull + rows_max - 1) / rows_max;
      BANQUET_RETURN_NOT_OK(TakeHead());
    }
    if (picks_.empty()) return nullptr;
    return Gather();
  }

 private:
  static constexpr int64_t kFull = int64_t{1} << 40;

  // Rows that one piece gives to the batch: they follow one another.
  struct Part {
    std::shared_ptr<arrow::RecordBatch> rows;
    int64_t begin = 0;
    int64_t count = 0;
  };
  struct Pick {
    uint32_t part;
    uint32_t row;  // Within the part.
  };
  Status TakeHead() {
    std::ranges::pop_heap(heads_, Later());
    const size_t run = heads_.back();
    RunCursor& cursor = cursors_[run];
    if (!part_of_[run].has_value()) {
      part_of_[run] = static_cast<uint32_t>(pieces_.size());
      pieces_.push_back({.rows = cursor.rows(), .begin = cursor.at()});
    }
    Part& part = pieces_[*part_of_[run]];
    picks_.push_back({.part = *part_of_[run], .row = static_cast<uint32_t>(part.count++)});
    bool more = cursor.Step();
    if (!more) {
      part_of_[run] = std::nullopt;
      BANQUET_ASSIGN_OR_RETURN(more, cursor.Advance());
    }
    if (more) {
      std::ranges::push_heap(heads_, Later());
    } else {
      heads_.pop_back();
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Gather() const {
    std::vector<std::shared_ptr<arrow::RecordBatch>> slices;
    std::vector<uint32_t> starts;
    uint32_t rows = 0;
    for (const Part& part : pieces_) {
      slices.push_back(part.rows->Slice(part.begin, part.count));
      starts.push_back(rows);
      rows += static_cast<uint32_t>(part.count);
    }
    if (slices.size() == 1) return slices.front();
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> joined,
                             arrow::ConcatenateRecordBatches(slices));
    std::vector<uint32_t> order;
    order.reserve(picks_.size());
    for (const Pick& pick : picks_) order.push_back(starts[pick.part] + pick.row);
    return TakeRows(joined, order);
  }

  std::vector<RunCursor> cursors_;
  bool begun_ = false;
  std::vector<size_t> heads_;  // A heap: the run with the least key first.
  std::vector<Part> pieces_;
  std::vector<std::optional<uint32_t>> part_of_;  // Of each run in the batch being made.
  std::vector<Pick> picks_;
};

class MergeSource final : public Source {
 public:
  explicit MergeSource(Merge merge) : merge_(std::move(merge)) {}

  Result<Batch> Next() override {
    std::lock_guard lock(mutex_);
    BANQUET_RETURN_NOT_OK(failure_);
    Result<std::shared_ptr<arrow::RecordBatch>> rows = merge_.Next();
    failure_ = rows.status();
    BANQUET_RETURN_NOT_OK(failure_);
    return Batch{.rows = *std::move(rows), .first_row = 0, .selection = {}};
  }

 private:
  std::mutex mutex_;
  Status failure_;  // Of the merge, which is then half done and of no use to the next worker.
  Merge merge_;
};

class OrderSink final : public Breaker {
 public:
  OrderSink(std::unique_ptr<EntityKeyEncoder> keys, OrderSettings settings)
      : keys_(std::move(keys)),
        spool_(settings.budget, std::move(settings.spill_directory)),
        stop_(std::move(settings.stop)) {}

  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<Local>(); }

  Status Consume(Local&, Batch batch) override {
    BANQUET_ASSIGN_OR_RETURN(const SortKeys keys, SortKeys::Of(*batch.rows, *keys_));
    std::vector<uint32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order,
                      [&](uint32_t a, uint32_t b) { return SortKeys::Precedes(keys, a, keys, b); });
    BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, TakeRows(batch.rows, order));
    Run run;
    if (std::optional<KeptBatch> kept = spool_.TryKeep(rows, keys.memory_bytes())) {
      run.pieces.push_back(*std::move(kept));
      std::lock_guard lock(mutex_);
      resident_.push_back(std::move(run));
      return Status::OK();
    }
    BANQUET_RETURN_NOT_OK(SpillInPieces(*rows, &run));
    std::lock_guard lock(mutex_);
    spilled_.push_back(std::move(run));
    return Status::OK();
  }

  Status Combine(Local&) override { return Status::OK(); }

  // Runs on disk are merged until one merge takes all that are left; those in memory need nothing
  // to be read.
  Status Finish() override {
    while (RunsOfOneMerge(0) < spilled_.size()) {
      std::vector<Run> merged;
      for (size_t first = 0; first < spilled_.size();) {
        const size_t count = RunsOfOneMerge(first);
        std::vector<Run> some(std::make_move_iterator(spilled_.begin() + first),
                              std::make_move_iterator(spilled_.begin() + first + count));
        BANQUET_ASSIGN_OR_RETURN(merged.emplace_back(), MergeOnDisk(std::move(some)));
        first += count;
      }
      spilled_ = std::move(merged);
    }
    return Status::OK();
  }

  Result<std::unique_ptr<Source>> Output() override {
    std::vector<Run> runs = std::move(resident_);
    std::ranges::move(spilled_, std::back_inserter(runs));
    return std::make_unique<MergeSource>(Merge(std::move(runs), &spool_, keys_.get()));
  }

 private:
  // Spilled runs from `first` on that are merged at a time.
  size_t RunsOfOneMerge(size_t first) const {
    int64_t bytes = 0;
    size_t count = 0;
    for (size_t i = first; i < spilled_.size() && count < kMergedRunsMax; ++i, ++count) {
      int64_t largest = 0;
      for (const KeptBatch& piece : spilled_[i].pieces) {
        largest = std::max(largest, piece.loaded_bytes);
      }
      bytes += largest;
      if (count >= 2 && bytes > kMergedBytesMax) break;
    }
    return count;
  }

  Status SpillInPieces(const arrow::RecordBatch& rows, Run* run) {
    BANQUET_ASSIGN_OR_RETURN(const int64_t bytes, RowBytesOf(rows));
    const int64_t row_bytes = bytes / std::max<int64_t>(rows.num_rows(), 1) + 1;
    const int64_t step = std::max<int64_t>(1, kPieceBytes / row_bytes);
    for (int64_t at = 0; at < rows.num_rows(); at += step) {
      BANQUET_ASSIGN_OR_RETURN(run->pieces.emplace_back(), spool_.Spill(*rows.Slice(at, step)));
    }
    return Status::OK();
  }

  Result<Run> MergeOnDisk(std::vector<Run> runs) {
    Merge merge(std::move(runs), &spool_, keys_.get());
    Run merged;
    while (true) {
      if (stop_.stop_requested()) return CancelledError();
      BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> rows, merge.Next());
      if (rows == nullptr) return merged;
      BANQUET_RETURN_NOT_OK(SpillInPieces(*rows, &merged));
    }
  }

  const std::unique_ptr<EntityKeyEncoder> keys_;
  BatchSpool spool_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::vector<Run> resident_;
  std::vector<Run> spilled_;
};

}  // namespace

Result<std::unique_ptr<Breaker>> MakeOrderSink(const OrderNode& node,
                                               const std::shared_ptr<arrow::Schema>& schema,
                                               OrderSettings settings) {
  BANQUET_ASSIGN_OR_RETURN(
      std::unique_ptr<EntityKeyEncoder> keys,
      EntityKeyEncoder::Make(node.join_keys, node.entity_key_version, *schema));
  return std::make_unique<OrderSink>(std::move(keys), std::move(settings));
}

}  // namespace banquet
