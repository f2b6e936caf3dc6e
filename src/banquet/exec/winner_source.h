#pragma once
// The source that lets winners through, in batches of a size that suits a store.

#include <cstdint>
#include <memory>

#include "banquet/exec/stage.h"
#include "banquet/exec/winner_map.h"

namespace banquet {

// Rows of one batch that a store is given at once.
inline constexpr int64_t kWriteBatchRows = 10'000;

// `rows` numbers its batches as the map does. Batches are cut and put together to between half of
// kWriteBatchRows and kWriteBatchRows, save the last ones.
std::unique_ptr<Source> MakeWinnerSource(std::unique_ptr<Source> rows,
                                         std::shared_ptr<const WinnerMap> winners);

}  // namespace banquet
