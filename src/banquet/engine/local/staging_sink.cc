#include "banquet/engine/local/staging_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/exec/take_rows.h"
#include "banquet/model/scan_request.h"

namespace banquet {
namespace {

// A worker's file; there is none before its first row.
class LocalFile final : public Sink::Local {
 public:
  std::unique_ptr<StagedFileWriter> writer;
};

class Staging final : public StagingSink {
 public:
  Staging(const StagingFolder* folder, std::vector<int> columns,
          std::shared_ptr<arrow::Schema> schema, RowFates* count_winners)
      : folder_(folder),
        columns_(std::move(columns)),
        schema_(std::move(schema)),
        count_winners_(count_winners) {}

  Result<std::unique_ptr<Local>> NewLocal() override { return std::make_unique<LocalFile>(); }

  Status Consume(Local& local, Batch batch) override {
    if (batch.selection.has_value()) {
      BANQUET_ASSIGN_OR_RETURN(batch.rows, TakeRows(batch.rows, *batch.selection));
    }
    if (count_winners_ != nullptr) count_winners_->winners += batch.rows->num_rows();
    if (batch.rows->num_rows() == 0) return Status::OK();
    auto& file = static_cast<LocalFile&>(local);
    if (file.writer == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(file.writer, OpenFile());
    }
    arrow::ArrayVector kept;
    for (const int column : columns_) kept.push_back(batch.rows->column(column));
    return file.writer->Write(
        *arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(kept)));
  }

  Status Combine(Local& local) override {
    auto& file = static_cast<LocalFile&>(local);
    return file.writer == nullptr ? Status::OK() : Close(file.writer.get());
  }

  Status Finish() override {
    if (!files_.empty()) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(const auto empty, OpenFile());
    return Close(empty.get());
  }

  bool has_created_time() const override { return schema_->GetFieldIndex(kStagedCreatedTime) >= 0; }
  std::vector<StagedFile> files() const override { return files_; }

 private:
  Result<std::unique_ptr<StagedFileWriter>> OpenFile() {
    return StagedFileWriter::Open(*folder_, fmt::format("part-{}.parquet", next_++), schema_);
  }

  Status Close(StagedFileWriter* writer) {
    BANQUET_ASSIGN_OR_RETURN(StagedFile file, writer->Close());
    const std::lock_guard lock(mutex_);
    files_.push_back(std::move(file));
    std::ranges::sort(files_, {}, &StagedFile::name);
    return Status::OK();
  }

  const StagingFolder* const folder_;
  const std::vector<int> columns_;  // Of the rows that come, in the order of schema_.
  const std::shared_ptr<arrow::Schema> schema_;
  RowFates* const count_winners_;
  std::atomic<int> next_ = 0;
  std::mutex mutex_;
  std::vector<StagedFile> files_;
};

}  // namespace

Result<std::unique_ptr<StagingSink>> StagingSink::Make(const StagingFolder* folder,
                                                       const arrow::Schema& schema,
                                                       RowFates* count_winners) {
  std::vector<int> columns;
  arrow::FieldVector fields;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const std::string& name = schema.field(i)->name();
    // What flooring cut off decided between rows of one key, of which one is left.
    if (name == kEventNanosColumn || name == kCreatedNanosColumn) continue;
    std::string kept = name;
    if (name == kEventTimeColumn) kept = kStagedEventTime;
    if (name == kCreatedTimeColumn) kept = kStagedCreatedTime;
    columns.push_back(i);
    fields.push_back(schema.field(i)->WithName(kept));
  }
  return std::make_unique<Staging>(folder, std::move(columns), arrow::schema(std::move(fields)),
                                   count_winners);
}

}  // namespace banquet
