#pragma once
// Record batches kept in memory, or on disk beyond the budget.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "arrow/type_fwd.h"
#include "banquet/base/memory_budget.h"
#include "banquet/base/status.h"
#include "banquet/client/filesystem/spill_file.h"

namespace banquet {

// One kept batch: in memory, or the place of its Arrow IPC message (LZ4) in the spill file.
struct KeptBatch {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::shared_ptr<arrow::Schema> schema;
  int64_t bytes = 0;         // Of memory, or on disk.
  int64_t offset = 0;        // Where rows is null.
  int64_t loaded_bytes = 0;  // Of memory, once it is loaded.
};

// Safe to share between threads; a kept batch is not. Borrows the budget.
class BatchSpool {
 public:
  BatchSpool(MemoryBudget* budget, std::string spill_directory)
      : lease_(budget), spill_directory_(std::move(spill_directory)) {}

  // Batches must hold their rows alone, not a slice of larger ones, and no dictionaries.
  // In memory if the budget has room for it, else on disk.
  Result<KeptBatch> Keep(std::shared_ptr<arrow::RecordBatch> rows);
  // In memory, if the budget has room for it and for `side_bytes` that the caller needs beside it.
  std::optional<KeptBatch> TryKeep(std::shared_ptr<arrow::RecordBatch> rows, int64_t side_bytes);
  // On disk.
  Result<KeptBatch> Spill(const arrow::RecordBatch& rows);
  Result<std::shared_ptr<arrow::RecordBatch>> Load(const KeptBatch& kept) const;
  // Gives back the memory of a batch that is needed no more.
  void Forget(KeptBatch* kept);
  bool has_spilled() const { return file_ != nullptr; }

 private:
  std::mutex mutex_;
  MemoryLease lease_;
  const std::string spill_directory_;
  std::unique_ptr<SpillFile> file_;
};

}  // namespace banquet
