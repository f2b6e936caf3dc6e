#pragma once
// What became, or is becoming, of one task.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/exec/row_fates.h"
#include "banquet/model/materialization_task.h"
#include "banquet/model/scan_request.h"

namespace banquet {

// Feast's MaterializationJobStatus, as far as it is used here.
enum class JobStatus { kWaiting, kRunning, kSucceeded, kError, kCancelled, kSkipped };
std::string_view NameOf(JobStatus status);  // "WAITING", "RUNNING", …

// Rows by fate, at one moment. read = outside_window + null_key + null_time + duplicates +
// quarantined + winners.
struct RowCounts {
  int64_t read = 0;
  int64_t pruned = 0;   // Not received, beside read.
  int64_t skipped = 0;  // Of those, those that cannot be newest.
  int64_t outside_window = 0;
  int64_t null_key = 0;
  int64_t null_time = 0;
  int64_t duplicates = 0;
  int64_t full_ties = 0;
  int64_t quarantined = 0;
  int64_t winners = 0;
};

// One store's replies. winners = written + stale + unchanged + undecided.
struct StoreReport {
  std::string name;
  std::string type;
  JobStatus status = JobStatus::kWaiting;
  std::string error;  // Where the store is why the view failed.
  int64_t written = 0;
  int64_t stale = 0;
  int64_t unchanged = 0;
  int64_t undecided = 0;
  int64_t bytes = 0;
};

struct JobReport {
  RowCounts rows;
  std::vector<StoreReport> stores;
  int64_t bytes_read = 0;
  double seconds = 0;

  // OK if both sums hold; a bug otherwise (architecture rule 4). Only meaningful for a job that ran
  // to its end.
  Status CheckSums() const;
};

// A moment of a running job.
struct JobProgress {
  JobStatus status = JobStatus::kWaiting;
  int64_t rows_total = 0;  // 0: not known yet.
  RowCounts rows;
  int64_t decided = 0;  // Winners that the (slowest) store has decided: written or left as it was.
  int64_t written = 0;  // Of those.
  bool with_store = false;  // A store has rows of ours that it has not decided.
  double seconds = 0;
  std::string doing;  // Who works for it elsewhere, and how far; empty: nobody.
};

// Safe to share between threads: the engine drives it, others poll.
class MaterializationJob {
 public:
  MaterializationJob(std::string id, MaterializationTask task)
      : id_(std::move(id)), task_(std::move(task)), fates_(std::make_shared<RowFates>()) {}

  const std::string& id() const { return id_; }
  // Its window and intervals are final once the job is finished (see Follow).
  const MaterializationTask& task() const { return task_; }
  JobStatus status() const;
  Status error() const;     // OK unless the status is ERROR or CANCELLED.
  std::string url() const;  // Of a page that shows the job; empty: there is none.
  std::vector<std::string> warnings() const;
  JobProgress progress() const;
  JobReport report() const;  // Final once status is final.
  bool finished() const;
  // True when the job is finished; false when `timeout` passed first.
  bool Wait(std::chrono::milliseconds timeout) const;

  // --- For the engine. ---
  void Start();
  void Finish(const Status& status);
  void Skip(const std::string& reason);
  void Warn(std::string warning);
  void ShowAt(std::string url);
  void ShowDoing(std::string doing);
  // Before the first attempt: the window and the recorded intervals that hold under the lock.
  void Follow(const MaterializationTask& task);
  RowFates& fates() { return *fates_; }
  // Begins to count from zero; the jobs of a group share what becomes of the rows read.
  void BeginAttempt(std::shared_ptr<RowFates> fates);
  // Adds a store before the job starts to write; the tally stays where it is until the next
  // attempt.
  StoreTally& AddStore(std::string name, std::string type);
  void StoreFailed(const std::string& name, const Status& failure);

 private:
  struct Store {
    std::string name;
    std::string type;
    std::unique_ptr<StoreTally> tally;
  };
  static bool IsFinal(JobStatus status) {
    return status != JobStatus::kWaiting && status != JobStatus::kRunning;
  }
  double SecondsLocked() const;
  // The store did not fail, but another of the view's did.
  bool AnotherFailedLocked(const Store& store) const;
  RowCounts Counts() const;

  const std::string id_;
  MaterializationTask task_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<RowFates> fates_;
  JobStatus status_ = JobStatus::kWaiting;
  Status error_;
  std::string url_;
  std::string doing_;
  std::vector<std::string> warnings_;
  std::vector<Store> stores_;
  std::chrono::steady_clock::time_point started_;
  double seconds_ = 0;
};

}  // namespace banquet
