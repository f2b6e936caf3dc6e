#pragma once
// The sink that encodes batches and writes them to every online store: the one place that tries
// again.

#include <memory>
#include <stop_token>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/clock.h"
#include "banquet/base/retry.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/exec/store_lanes.h"
#include "banquet/plan/node.h"

namespace banquet {

// One store to write to and where its replies are counted: a tally for each view of the group, one
// at least. A store whose tally has failed already is left out. All borrowed.
struct WriteTarget {
  StoreLanes* lanes = nullptr;
  std::vector<StoreTally*> tallies;
};

struct WriteSettings {
  RetryPolicy::Limits retry;
  Clock* clock = nullptr;  // Borrowed.
  std::stop_token stop;
  // No breaker stands before: the rows that arrive are the winners and are counted here.
  RowFates* count_winners = nullptr;
};

// A batch is encoded once with the union of the stores' needs, then written to one lane of each
// store and flushed; where the store's rate is limited, in portions that wait for their turn, those
// that are written again like any other. What a store refuses for now, or had not decided when its
// writer died, is written again: exactly those rows, after a back-off, until WriteSettings::retry
// says it is enough: the time counts from the first failure after which the store decided nothing,
// whoever met it, so that a store that is gone costs all groups together one such time. Rewriting
// is harmless (see OnlineWriter). A store that fails for good is given no more rows while another
// takes them; Finish tells.
Result<std::unique_ptr<Sink>> MakeWriteSink(const WriteNode& node, const arrow::Schema& schema,
                                            std::vector<WriteTarget> targets,
                                            WriteSettings settings);

}  // namespace banquet
