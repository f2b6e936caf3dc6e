#pragma once
// Guesses from the rows before whether the next ones are of keys that do not exist.

#include <cstddef>

namespace banquet::redis {

// How a chunk uses RESTORE.
struct RestorePlan {
  bool first = false;   // At once, for every row; what exists is checked and written after that.
  bool absent = false;  // For rows that a check found without a stored time.
};

// What came of a chunk's rows.
struct RestoreCounts {
  size_t tried = 0;         // RESTOREs answered.
  size_t made = 0;          // Of these: the key did not exist.
  size_t tried_absent = 0;  // The key existed, without a stored time: other views' fields.
  size_t checked = 0;       // Rows whose first command was a check.
  size_t absent = 0;        // Of these: no time was stored.
};

// A writer's plans, chunk by chunk. A wrong guess costs time only.
class RestoreForecast {
 public:
  // `checks_first`: rows that RESTORE is not tried for are checked by the pipeline, so that the
  // absent ones are known. Else RESTORE at once is the only way to learn what does not exist.
  explicit RestoreForecast(bool checks_first)
      : checks_first_(checks_first), absent_share_(checks_first ? 0 : 1) {}

  RestorePlan Next();
  void Add(const RestorePlan& plan, const RestoreCounts& counts);

 private:
  const bool checks_first_;
  double absent_share_;        // Of all rows.
  double made_of_absent_ = 1;  // Of those, by RESTORE.
  int chunks_without_restore_ = 0;
};

}  // namespace banquet::redis
