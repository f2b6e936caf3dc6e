#include "banquet/engine/materialization_job.h"

#include <algorithm>
#include <utility>

namespace banquet {

std::string_view NameOf(JobStatus status) {
  switch (status) {
    case JobStatus::kWaiting:
      return "WAITING";
    case JobStatus::kRunning:
      return "RUNNING";
    case JobStatus::kSucceeded:
      return "SUCCEEDED";
    case JobStatus::kError:
      return "ERROR";
    case JobStatus::kCancelled:
      return "CANCELLED";
    case JobStatus::kSkipped:
      return "SKIPPED";
  }
  return "ERROR";
}

std::string MaterializationJob::url() const {
  const std::lock_guard lock(mutex_);
  return url_;
}

void MaterializationJob::ShowAt(std::string url) {
  const std::lock_guard lock(mutex_);
  url_ = std::move(url);
}

void MaterializationJob::ShowDoing(std::string doing) {
  const std::lock_guard lock(mutex_);
  doing_ = std::move(doing);
}

Status JobReport::CheckSums() const {
  const int64_t fates = rows.outside_window + rows.null_key + rows.null_time + rows.duplicates +
                        rows.quarantined + rows.winners;
  if (rows.read != fates)
    return Bug("The report does not add up: {} rows read, {} accounted for", rows.read, fates);
  for (const StoreReport& store : stores) {
    const int64_t decided = store.written + store.stale + store.unchanged + store.undecided;
    if (decided != rows.winners) {
      return Bug("The report does not add up: {} winners, {} accounted for by {}", rows.winners,
                 decided, store.name);
    }
  }
  return Status::OK();
}

JobStatus MaterializationJob::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

Status MaterializationJob::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

std::vector<std::string> MaterializationJob::warnings() const {
  std::lock_guard lock(mutex_);
  return warnings_;
}

bool MaterializationJob::finished() const {
  std::lock_guard lock(mutex_);
  return IsFinal(status_);
}

bool MaterializationJob::Wait(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return IsFinal(status_); });
}

void MaterializationJob::Start() {
  std::lock_guard lock(mutex_);
  status_ = JobStatus::kRunning;
  started_ = std::chrono::steady_clock::now();
}

void MaterializationJob::Finish(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (status_ == JobStatus::kRunning) seconds_ = SecondsLocked();
    error_ = status;
    if (status.ok()) {
      status_ = JobStatus::kSucceeded;
    } else {
      status_ = FaultOf(status) == Fault::kCancelled ? JobStatus::kCancelled : JobStatus::kError;
    }
  }
  changed_.notify_all();
}

void MaterializationJob::Skip(const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    status_ = JobStatus::kSkipped;
    warnings_.push_back(reason);
  }
  changed_.notify_all();
}

void MaterializationJob::Warn(std::string warning) {
  std::lock_guard lock(mutex_);
  warnings_.push_back(std::move(warning));
}

void MaterializationJob::Follow(const MaterializationTask& task) {
  std::lock_guard lock(mutex_);
  task_.window = task.window;
  task_.view.materialization_intervals = task.view.materialization_intervals;
}

void MaterializationJob::BeginAttempt(std::shared_ptr<RowFates> fates) {
  std::lock_guard lock(mutex_);
  fates_ = std::move(fates);
  stores_.clear();
}

StoreTally& MaterializationJob::AddStore(std::string name, std::string type) {
  std::lock_guard lock(mutex_);
  stores_.push_back({std::move(name), std::move(type), std::make_unique<StoreTally>()});
  return *stores_.back().tally;
}

void MaterializationJob::StoreFailed(const std::string& name, const Status& failure) {
  std::lock_guard lock(mutex_);
  for (Store& store : stores_) {
    if (store.name == name) store.tally->Fail(failure);
  }
}

double MaterializationJob::SecondsLocked() const {
  if (status_ != JobStatus::kRunning) return seconds_;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

RowCounts MaterializationJob::Counts() const {
  return {.read = fates_->read,
          .pruned = fates_->pruned,
          .skipped = fates_->skipped,
          .outside_window = fates_->outside_window,
          .null_key = fates_->null_key,
          .null_time = fates_->null_time,
          .duplicates = fates_->duplicates,
          .full_ties = fates_->full_ties,
          .quarantined = fates_->quarantined,
          .winners = fates_->winners};
}

bool MaterializationJob::AnotherFailedLocked(const Store& store) const {
  return store.tally->failure().ok() && std::ranges::any_of(stores_, [](const Store& other) {
           return !other.tally->failure().ok();
         });
}

JobProgress MaterializationJob::progress() const {
  std::lock_guard lock(mutex_);
  JobProgress progress{.status = status_,
                       .rows_total = fates_->total,
                       .rows = Counts(),
                       .seconds = SecondsLocked(),
                       .doing = doing_};
  for (const Store& store : stores_) {
    progress.with_store |= store.tally->with_store > 0;
    const int64_t decided = store.tally->written + store.tally->stale + store.tally->unchanged;
    if (&store != &stores_.front() && decided >= progress.decided) continue;
    progress.decided = decided;
    progress.written = store.tally->written;
  }
  return progress;
}

JobReport MaterializationJob::report() const {
  std::lock_guard lock(mutex_);
  JobReport report{
      .rows = Counts(), .stores = {}, .bytes_read = fates_->bytes_read, .seconds = SecondsLocked()};
  for (const Store& store : stores_) {
    StoreReport& row = report.stores.emplace_back();
    row.name = store.name;
    row.type = store.type;
    row.status = status_;
    const Status failure = store.tally->failure();
    if (!error_.ok() && !failure.ok()) row.error = MessageOf(failure);
    row.written = store.tally->written;
    row.stale = store.tally->stale;
    row.unchanged = store.tally->unchanged;
    row.bytes = store.tally->bytes;
    // A run that succeeded decided every winner (CheckSums would tell); what a failed one left is
    // undecided.
    if (status_ != JobStatus::kSucceeded && status_ != JobStatus::kRunning) {
      row.undecided =
          std::max<int64_t>(0, report.rows.winners - row.written - row.stale - row.unchanged);
    }
    // Another store may be why the view failed.
    if (status_ == JobStatus::kError && AnotherFailedLocked(store) && row.undecided == 0)
      row.status = JobStatus::kSucceeded;
  }
  return report;
}

}  // namespace banquet
