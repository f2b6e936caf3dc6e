#pragma once
// Builds pipeline batches for the tests of exec/ and engine/.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/exec/stage.h"
#include "banquet/offline/offline_store.h"

namespace banquet {

// One source row: key k (int64), feature v (int64), event and created time.
struct TestRow {
  std::optional<int64_t> key;
  int64_t value = 0;
  std::optional<int64_t> event_us;
  std::optional<int64_t> created_us;
  uint16_t event_nanos = 0;
};

// Columns k, v, __event_time, __event_nanos, __created_time.
std::shared_ptr<arrow::Schema> TestSchema();
std::shared_ptr<arrow::RecordBatch> MakeTestBatch(const std::vector<TestRow>& rows);

// Hands out prepared batches, each a fragment of its own.
class VectorSource final : public Source {
 public:
  explicit VectorSource(std::vector<Batch> batches) : batches_(std::move(batches)) {}
  Result<Batch> Next() override;

 private:
  std::vector<Batch> batches_;
  std::atomic<size_t> next_ = 0;
};

// Rows cut into batches of `batch_rows`, numbered from 0.
std::vector<Batch> CutIntoBatches(const std::vector<TestRow>& rows, size_t batch_rows);

// An offline store over rows in memory: one fragment per `fragment_rows`.
class VectorOfflineStore final : public OfflineStore {
 public:
  VectorOfflineStore(std::vector<TestRow> rows, size_t fragment_rows)
      : rows_(std::move(rows)), fragment_rows_(fragment_rows) {}
  ScanCapabilities capabilities() const override { return {}; }
  Result<Scan> OpenScan(const ScanRequest& request) override;

 private:
  std::vector<TestRow> rows_;
  size_t fragment_rows_;
};

}  // namespace banquet
