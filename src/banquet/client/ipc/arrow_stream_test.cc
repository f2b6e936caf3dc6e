#include "banquet/client/ipc/arrow_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "arrow/array.h"
#include "arrow/buffer.h"
#include "arrow/builder.h"
#include "arrow/io/memory.h"
#include "arrow/ipc/writer.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

// Two batches of three numbers; `closed`: with the end-of-stream marker.
std::string StreamBytes(bool closed) {
  arrow::Int64Builder builder;
  EXPECT_OK(builder.AppendValues({1, 2, 3}));
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), 3,
                                              {builder.Finish().ValueOrDie()});
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = arrow::ipc::MakeStreamWriter(sink, batch->schema()).ValueOrDie();
  EXPECT_OK(writer->WriteRecordBatch(*batch));
  EXPECT_OK(writer->WriteRecordBatch(*batch));
  if (closed) {
    EXPECT_OK(writer->Close());
  }
  return sink->Finish().ValueOrDie()->ToString();
}

// A pipe that holds these bytes, and then its end.
class Pipe {
 public:
  explicit Pipe(const std::string& bytes) {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::close(ends_[1]);
  }
  ~Pipe() { ::close(ends_[0]); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading() const { return ends_[0]; }

 private:
  int ends_[2] = {};
};

TEST(ArrowStreamTest, GivesTheBatchesAndTheEnd) {
  const Pipe pipe(StreamBytes(true));
  ASSERT_OK_AND_ASSIGN(const auto stream, ArrowStream::Open(pipe.reading()));
  EXPECT_EQ(stream->schema()->field(0)->name(), "n");
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto batch, stream->Next());
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->num_rows(), 3);
  }
  ASSERT_OK_AND_ASSIGN(const auto end, stream->Next());
  EXPECT_EQ(end, nullptr);
}

// Wherever it is cut, also where Arrow would see a clean end.
TEST(ArrowStreamTest, AStreamThatBreaksOffIsNeverWhole) {
  const std::string whole = StreamBytes(true);
  for (size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const Pipe pipe(whole.substr(0, size));
    const auto stream = ArrowStream::Open(pipe.reading());
    Status status = stream.status();
    while (status.ok()) {
      const auto batch = (*stream)->Next();
      status = batch.status();
      ASSERT_TRUE(!batch.ok() || *batch != nullptr) << "a clean end";
    }
    EXPECT_FAULT(Fault::kData, "", status);
  }
  const Pipe unclosed(StreamBytes(false));
  ASSERT_OK_AND_ASSIGN(const auto stream, ArrowStream::Open(unclosed.reading()));
  ASSERT_OK(stream->Next());
  ASSERT_OK(stream->Next());
  EXPECT_FAULT(Fault::kData, "end-of-stream marker", stream->Next());
}

TEST(ArrowStreamTest, WhatIsNoStreamIsTold) {
  const Pipe pipe(std::string(64, 'x'));
  EXPECT_FAULT(Fault::kData, "no Arrow IPC stream", ArrowStream::Open(pipe.reading()));
  EXPECT_FALSE(ArrowStream::Open(-1).ok());
}

TEST(ReadExactlyTest, FewerBytesAreAnError) {
  const Pipe pipe("abc");
  ASSERT_OK_AND_ASSIGN(const std::string two, ReadExactly(pipe.reading(), 2, "the frame"));
  EXPECT_EQ(two, "ab");
  EXPECT_FAULT(Fault::kData, "the frame: 1 of 2", ReadExactly(pipe.reading(), 2, "the frame"));
}

}  // namespace
}  // namespace banquet
