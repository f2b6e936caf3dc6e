#pragma once
// How a run divides its threads and its memory.

#include <cstdint>

#include "banquet/config/run_options.h"

namespace banquet {

struct RunShare {
  int groups = 1;           // At once.
  int workers = 1;          // Of each of a group's pipelines,
  int writers = 1;          // and of the one that ends in the stores.
  int64_t state_bytes = 0;  // For what breakers keep, of all groups together.
};

// `banquet.threads` and `parallel_groups` as far as the memory limit feeds so many workers: each
// has rows in its hands (decoded, gathered, encoded). Who waits for a store needs no core: there
// are as many writers as the stores have `lanes`, if the limit feeds them. What they leave of it is
// for the breakers.
// `engines`: so many work beside each other and share all of it.
RunShare ShareOf(const RunOptions& options, int lanes, int engines = 1);

}  // namespace banquet
