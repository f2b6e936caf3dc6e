#include "banquet/client/ipc/arrow_stream.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "arrow/ipc/reader.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"

namespace banquet {
namespace {

// The descriptor as Arrow reads it; remembers the last bytes.
class PipeInput final : public arrow::io::InputStream {
 public:
  explicit PipeInput(int descriptor) : descriptor_(descriptor) {}

  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }

  Result<int64_t> Read(int64_t size, void* out) override {
    auto* bytes = static_cast<unsigned char*>(out);
    int64_t got = 0;
    while (got < size) {
      const ssize_t count = ::read(descriptor_, bytes + got, static_cast<size_t>(size - got));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return DataError("The stream cannot be read: {}", std::strerror(errno));
      if (count == 0) break;
      got += count;
    }
    Remember(bytes, got);
    position_ += got;
    return got;
  }

  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    BANQUET_ASSIGN_OR_RETURN(auto buffer, arrow::AllocateResizableBuffer(size));
    BANQUET_ASSIGN_OR_RETURN(const int64_t got, Read(size, buffer->mutable_data()));
    BANQUET_RETURN_NOT_OK(buffer->Resize(got, /*shrink_to_fit=*/false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  bool EndsWithMarker() const {
    constexpr std::array<unsigned char, 8> kMarker = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
    return tail_ == kMarker;
  }

 private:
  void Remember(const unsigned char* bytes, int64_t size) {
    const auto kept = static_cast<int64_t>(tail_.size());
    if (size >= kept) {
      std::memcpy(tail_.data(), bytes + size - kept, tail_.size());
      return;
    }
    std::memmove(tail_.data(), tail_.data() + size, static_cast<size_t>(kept - size));
    std::memcpy(tail_.data() + kept - size, bytes, static_cast<size_t>(size));
  }

  const int descriptor_;
  int64_t position_ = 0;
  bool closed_ = false;
  std::array<unsigned char, 8> tail_ = {};
};

class Stream final : public ArrowStream {
 public:
  Stream(std::shared_ptr<PipeInput> input,
         std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader)
      : input_(std::move(input)), reader_(std::move(reader)), schema_(reader_->schema()) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    const Status status = reader_->ReadNext(&batch);
    if (!status.ok()) return DataError("The stream is damaged or breaks off: {}", status.message());
    if (batch == nullptr) {
      if (!input_->EndsWithMarker())
        return DataError("The stream breaks off before its end-of-stream marker");
      return batch;
    }
    const Status valid = batch->Validate();
    if (!valid.ok()) return DataError("A batch of the stream is damaged: {}", valid.message());
    return batch;
  }

 private:
  const std::shared_ptr<PipeInput> input_;
  const std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<std::unique_ptr<ArrowStream>> ArrowStream::Open(int descriptor) {
  auto input = std::make_shared<PipeInput>(descriptor);
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(input);
  if (!reader.ok())
    return DataError("It is no Arrow IPC stream, or breaks off: {}", reader.status().message());
  return std::make_unique<Stream>(std::move(input), *std::move(reader));
}

Result<std::string> ReadExactly(int descriptor, size_t size, std::string_view what) {
  PipeInput input(descriptor);
  std::string bytes(size, '\0');
  BANQUET_ASSIGN_OR_RETURN(const int64_t got, input.Read(static_cast<int64_t>(size), bytes.data()));
  if (static_cast<size_t>(got) == size) return bytes;
  return DataError("Standard input ends within {}: {} of {} bytes", what, got, size);
}

}  // namespace banquet
