#pragma once
// Rows of a contest on their way to disk and back.

#include <cstdint>
#include <string>
#include <vector>

#include "banquet/base/memory_budget.h"
#include "banquet/base/status.h"
#include "banquet/client/filesystem/spill_file.h"
#include "banquet/exec/contest_table.h"
#include "banquet/exec/entrants.h"

namespace banquet {

// Gathers rows in a page of 64 KiB and appends full pages, compressed (LZ4), to a spill file that
// others append to as well. The page is taken from the budget, whatever that says: rows go there
// because nothing is left. Used by one thread at a time; borrows the budget.
class SpillPages {
 public:
  static constexpr int64_t kPageBytes = 64 * 1024;

  explicit SpillPages(MemoryBudget* budget) : lease_(budget) {}

  Status Append(const ContestForm& form, const Entrant& entrant, SpillFile* file);
  // After the last Append: writes what is left in the page and gives its memory back.
  Status Finish(SpillFile* file);

  size_t pages() const { return pages_.size(); }
  // The rows of a page; their bytes are copied.
  Status Read(size_t page, const ContestForm& form, const SpillFile& file,
              Entrants* entrants) const;

 private:
  Status Flush(SpillFile* file);

  struct Page {
    int64_t offset = 0;
    int64_t stored_bytes = 0;
    int64_t bytes = 0;
  };
  MemoryLease lease_;
  std::string page_;
  std::vector<Page> pages_;
};

}  // namespace banquet
