#pragma once
// The source that lets winners through, in batches of a size that suits a store.

#include <cstdint>
#include <memory>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/exec/stage.h"
#include "banquet/exec/winner_map.h"

namespace banquet {

// A batch that a store is given at once: so many rows, fewer where they are wide (but one at
// least), so that neither their bytes nor their values, each of which takes offsets and text when
// it is encoded, are without bound.
inline constexpr int64_t kWriteBatchRows = 10'000;
inline constexpr int64_t kWriteBatchBytes = int64_t{4} << 20;
inline constexpr int64_t kWriteBatchValues = 200'000;

// Memory that the batch's rows take, of buffers that it shares with others only their part.
Result<int64_t> RowBytesOf(const arrow::RecordBatch& rows);
// Rows of that kind that a store is given at once.
int64_t WriteRowsMax(const arrow::RecordBatch& rows, int64_t bytes);

// `rows` numbers its batches as the map does. Batches are cut and put together to what a store is
// given at once, or half of it.
std::unique_ptr<Source> MakeWinnerSource(std::unique_ptr<Source> rows,
                                         std::shared_ptr<const WinnerMap> winners);

}  // namespace banquet
