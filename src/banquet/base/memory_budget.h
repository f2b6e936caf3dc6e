#pragma once
// What the stages of a run that keep rows may take of memory, together.

#include <atomic>
#include <cstdint>
#include <utility>

namespace banquet {

// Counts bytes against a limit. Safe to share between threads.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit_bytes) : limit_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False, and nothing taken, where it would go beyond the limit.
  bool TryTake(int64_t bytes);
  // Takes even beyond the limit: what a stage cannot do without, small by its nature.
  void Take(int64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void Give(int64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  int64_t limit() const { return limit_; }
  int64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const int64_t limit_;
  std::atomic<int64_t> used_ = 0;
};

// Bytes taken from a budget and given back at the end. Used by one thread; borrows the budget.
class MemoryLease {
 public:
  explicit MemoryLease(MemoryBudget* budget) : budget_(budget) {}
  MemoryLease(MemoryLease&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryLease& operator=(MemoryLease&& other) noexcept {
    Release();
    budget_ = other.budget_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~MemoryLease() { Release(); }

  bool TryGrow(int64_t bytes) {
    if (!budget_->TryTake(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void Grow(int64_t bytes) {
    budget_->Take(bytes);
    bytes_ += bytes;
  }
  void Shrink(int64_t bytes) {
    budget_->Give(bytes);
    bytes_ -= bytes;
  }
  void Release() { Shrink(bytes_); }
  int64_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_;
  int64_t bytes_ = 0;
};

// Bytes that this process may use: the machine's memory, or less where a control group says so
// (memory.max of cgroup v2, memory.limit_in_bytes of v1).
int64_t UsableMemoryBytes();

// Largest resident set of this process so far. Not ru_maxrss, which begins with that of the program
// that started this one.
int64_t PeakMemoryBytes();

}  // namespace banquet
