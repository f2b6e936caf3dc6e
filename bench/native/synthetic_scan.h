#pragma once
// An offline store whose rows are computed: a pure function of the row's position.

#include <cstdint>
#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/offline/offline_store.h"
#include "banquet/plan/execution_plan.h"

namespace banquet::bench {

// Columns k (int64), `features` doubles f0…, and the event time; keys in random order, event times
// ascending with the position save for a disorder of some thousand rows.
struct SyntheticRows {
  int64_t rows = 0;
  int64_t keys = 1;
  int features = 0;
};

std::shared_ptr<arrow::Schema> SchemaOf(const SyntheticRows& rows);
Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(const SyntheticRows& rows, int64_t first,
                                                      int64_t count);
std::unique_ptr<OfflineStore> MakeSyntheticStore(const SyntheticRows& rows);

// What a view over such rows writes.
ViewColumns SyntheticView(const SyntheticRows& rows);
// Scan, newest per key, write.
ExecutionPlan SyntheticPlan(const SyntheticRows& rows);

}  // namespace banquet::bench
