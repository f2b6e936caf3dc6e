#pragma once
// The sink that keeps the winners in a staging folder instead of writing them to the stores.

#include <memory>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/exec/row_fates.h"
#include "banquet/exec/stage.h"
#include "banquet/model/staged_files.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// Each worker writes a file of its own; one at least is there in the end, also without rows.
// `schema`: of the rows, with their reserved time columns (model/scan_request.h), which are kept
// under the names of model/staged_files.h.
class StagingSink : public Sink {
 public:
  // `count_winners`: no breaker stands before; else nullptr. Both are borrowed.
  static Result<std::unique_ptr<StagingSink>> Make(const StagingFolder* folder,
                                                   const arrow::Schema& schema,
                                                   RowFates* count_winners);
  virtual bool has_created_time() const = 0;
  // After Finish: what was written.
  virtual std::vector<StagedFile> files() const = 0;
};

}  // namespace banquet
