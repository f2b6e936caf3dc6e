#include "banquet/exec/rename_transform.h"

#include <utility>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

class RenameTransform final : public Transform {
 public:
  RenameTransform(std::shared_ptr<arrow::Schema> schema, std::vector<int> sources)
      : schema_(std::move(schema)), sources_(std::move(sources)) {}

  Result<Batch> Apply(Batch batch) const override {
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    arrays.reserve(sources_.size());
    for (int source : sources_) arrays.push_back(batch.rows->column(source));
    batch.rows = arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(arrays));
    return batch;
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<int> sources_;  // Input column of each output column.
};

}  // namespace

Result<RenamedStage> MakeRenameTransform(std::span<const RenameNode::Column> columns,
                                         const arrow::Schema& input) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<int> sources;
  for (const RenameNode::Column& column : columns) {
    const int index = input.GetFieldIndex(column.source);
    if (index < 0) return Bug("The scan gave no column for the mapping: {}", column.source);
    fields.push_back(input.field(index)->WithName(column.name));
    sources.push_back(index);
  }
  for (const char* reserved :
       {kEventTimeColumn, kEventNanosColumn, kCreatedTimeColumn, kCreatedNanosColumn}) {
    const int index = input.GetFieldIndex(reserved);
    if (index < 0) continue;
    fields.push_back(input.field(index));
    sources.push_back(index);
  }
  auto schema = arrow::schema(std::move(fields));
  return RenamedStage{std::make_unique<RenameTransform>(schema, std::move(sources)), schema};
}

}  // namespace banquet
