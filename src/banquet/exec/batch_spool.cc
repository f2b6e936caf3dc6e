#include "banquet/exec/batch_spool.h"

#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/memory.h"
#include "arrow/ipc/dictionary.h"
#include "arrow/ipc/options.h"
#include "arrow/ipc/reader.h"
#include "arrow/ipc/writer.h"
#include "arrow/record_batch.h"
#include "arrow/util/byte_size.h"
#include "arrow/util/compression.h"

namespace banquet {

Result<KeptBatch> BatchSpool::Keep(std::shared_ptr<arrow::RecordBatch> rows) {
  if (std::optional<KeptBatch> kept = TryKeep(rows, 0)) return *std::move(kept);
  return Spill(*rows);
}

std::optional<KeptBatch> BatchSpool::TryKeep(std::shared_ptr<arrow::RecordBatch> rows,
                                             int64_t side_bytes) {
  const int64_t bytes = arrow::util::TotalBufferSize(*rows);
  std::lock_guard lock(mutex_);
  if (!lease_.TryGrow(bytes + side_bytes)) return std::nullopt;
  KeptBatch kept{.rows = std::move(rows),
                 .schema = nullptr,
                 .bytes = bytes + side_bytes,
                 .loaded_bytes = bytes};
  kept.schema = kept.rows->schema();
  return kept;
}

Result<KeptBatch> BatchSpool::Spill(const arrow::RecordBatch& rows) {
  SpillFile* file = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (file_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(file_, SpillFile::Create(spill_directory_));
    }
    file = file_.get();
  }
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  BANQUET_ASSIGN_OR_RETURN(options.codec,
                           arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
  BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Buffer> message,
                           arrow::ipc::SerializeRecordBatch(rows, options));
  KeptBatch kept{.rows = nullptr, .schema = rows.schema(), .bytes = message->size()};
  BANQUET_ASSIGN_OR_RETURN(kept.loaded_bytes, arrow::util::ReferencedBufferSize(rows));
  BANQUET_ASSIGN_OR_RETURN(kept.offset, file->Append(message->data(), message->size()));
  return kept;
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchSpool::Load(const KeptBatch& kept) const {
  if (kept.rows != nullptr) return kept.rows;
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> message,
                           arrow::AllocateBuffer(kept.bytes));
  BANQUET_RETURN_NOT_OK(file_->Read(kept.offset, message->mutable_data(), kept.bytes));
  arrow::io::BufferReader stream(std::move(message));
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  const arrow::ipc::DictionaryMemo no_dictionaries;
  return arrow::ipc::ReadRecordBatch(kept.schema, &no_dictionaries, options, &stream);
}

void BatchSpool::Forget(KeptBatch* kept) {
  if (kept->rows == nullptr) return;
  kept->rows = nullptr;
  std::lock_guard lock(mutex_);
  lease_.Shrink(kept->bytes);
}

}  // namespace banquet
