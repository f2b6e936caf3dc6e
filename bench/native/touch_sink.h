#pragma once
// A sink that reads every value that reaches it and keeps none: the end of the read path.

#include <atomic>
#include <cstdint>

#include "banquet/exec/stage.h"

namespace banquet::bench {

class TouchSink final : public Sink {
 public:
  Result<std::unique_ptr<Local>> NewLocal() override;
  Status Consume(Local& local, Batch batch) override;
  Status Combine(Local& local) override;
  Status Finish() override { return Status::OK(); }

  int64_t rows() const { return rows_; }
  // A sum over all bytes: what makes the compiler and the machine read them.
  uint64_t checksum() const { return checksum_; }
  // On the clock of Now(): when the first worker came. Behind a breaker, the end of the contest.
  double began() const { return began_; }

 private:
  std::atomic<int64_t> rows_ = 0;
  std::atomic<uint64_t> checksum_ = 0;
  std::atomic<double> began_ = 0;
};

}  // namespace banquet::bench
