#include "banquet/registry/sql/sql_registry.h"

#include <map>
#include <mutex>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/registry/lock_wait.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/random_uuid.h"
#include "banquet/registry/sql/read_rows.h"
#include "banquet/registry/sql/sessions.h"
#include "banquet/registry/sql/view_leases.h"

namespace banquet::sql_registry {
namespace {

constexpr int kRecordAttempts = 5;
constexpr std::chrono::milliseconds kRecordWait(200);  // Doubled each time.
constexpr std::chrono::milliseconds kLeasePoll(500);
constexpr int kRenewalsPerLease = 3;  // So that two may fail.
constexpr int64_t kUsPerSecond = 1'000'000;

using ViewKey = std::pair<std::string, std::string>;  // Project and view.

// The leases that this process has taken, by view.
class OwnLeases {
 public:
  void Add(const Lease& lease) {
    const std::lock_guard lock(mutex_);
    leases_[ViewKey(lease.project, lease.view)] = lease;
  }
  void Remove(const Lease& lease) {
    const std::lock_guard lock(mutex_);
    leases_.erase(ViewKey(lease.project, lease.view));
  }
  std::optional<Lease> Find(const MaterializationRecord& record) const {
    const std::lock_guard lock(mutex_);
    const auto found = leases_.find(ViewKey(record.project, record.view));
    if (found == leases_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<ViewKey, Lease> leases_;
};

struct Place {
  SqlUrl url;
  SessionSettings session;
  std::chrono::milliseconds lease_duration;
  OwnLeases leases;

  Result<std::unique_ptr<SqlSession>> Open(const std::stop_token& stop = {}) const {
    SessionSettings settings = session;
    settings.stop = stop;
    return OpenSession(url, settings);
  }
};

Status LostLease(const std::string& view) {
  return HeldError(
      "The lease of view {} ran out and another run took it; nothing is recorded: run again once "
      "that one has ended, and raise banquet.lease_duration if this happens often",
      view);
}

class LeasedViewLock final : public ViewLock {
 public:
  LeasedViewLock(std::shared_ptr<Place> place, Lease lease)
      : place_(std::move(place)), lease_(std::move(lease)) {
    place_->leases.Add(lease_);
  }
  ~LeasedViewLock() override {
    place_->leases.Remove(lease_);
    const Status status = Release();
    if (!status.ok()) {
      LogWarning("The lease of view {} could not be released and runs out by itself: {}",
                 lease_.view, MessageOf(status));
    }
  }

  std::chrono::milliseconds renew_every() const override {
    return place_->lease_duration / kRenewalsPerLease;
  }
  Status Renew() override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
    BANQUET_ASSIGN_OR_RETURN(const bool ours,
                             RenewLease(session.get(), lease_, place_->lease_duration));
    return ours ? Status::OK() : LostLease(lease_.view);
  }

 private:
  Status Release() {
    BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
    return DropLease(session.get(), lease_);
  }

  const std::shared_ptr<Place> place_;
  const Lease lease_;
};

class SqlRegistry final : public Registry {
 public:
  SqlRegistry(std::string project, std::shared_ptr<Place> place, Clock& clock)
      : project_(std::move(project)), place_(std::move(place)), clock_(clock) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override {
    Result<RegistryContents> contents = TryRead();
    if (!contents.ok()) return Annotate(contents.status(), "Registry");
    return std::make_shared<const RegistryContents>(std::move(contents).ValueUnsafe());
  }

  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override;
  Status CheckWritable() override;
  Result<std::unique_ptr<ViewLock>> LockView(const std::string& project, const std::string& view,
                                             std::chrono::milliseconds wait,
                                             std::stop_token stop) override;

 private:
  Result<RegistryContents> TryRead() {
    BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
    return ReadRegistryRows(session.get(), project_);
  }
  Status TryRecord(const MaterializationRecord& record, int64_t now_us);
  Result<LockTry> TryLock(SqlSession* session, const Lease& lease);

  const std::string project_;
  const std::shared_ptr<Place> place_;
  Clock& clock_;
};

// --- Recording ---

// False: the view is not in this table.
Result<bool> RecordIn(SqlSession* session, std::string_view table,
                      const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer found,
      session->Run(fmt::format("SELECT feature_view_proto FROM {} WHERE feature_view_name = ? AND "
                               "project_id = ? {}",
                               table, session->dialect().row_lock),
                   std::vector<SqlValue>{record.view, record.project}));
  if (found.rows.empty()) return false;
  const std::string& view = found.rows.front()[0].value();
  // The answer to an earlier attempt's commit may have been lost.
  BANQUET_ASSIGN_OR_RETURN(const bool done, HoldsMaterialization(view, record, now_us));
  if (done) return true;
  BANQUET_ASSIGN_OR_RETURN(const std::string spliced,
                           SpliceViewMaterialization(view, record, now_us));
  const int64_t now_s = now_us / kUsPerSecond;
  BANQUET_RETURN_NOT_OK(session->Run(
      fmt::format("UPDATE {} SET feature_view_proto = ?, last_updated_timestamp = ? WHERE "
                  "feature_view_name = ? AND project_id = ?",
                  table),
      std::vector<SqlValue>{SqlBytes{spliced}, now_s, record.view, record.project}));
  // A registry that was told to keep no such metadata has no row to change.
  BANQUET_RETURN_NOT_OK(session->Run(
      "UPDATE feast_metadata SET metadata_value = ?, last_updated_timestamp = ? WHERE project_id = "
      "? AND metadata_key = 'last_updated_timestamp'",
      std::vector<SqlValue>{std::to_string(now_s), now_s, record.project}));
  return true;
}

Status SqlRegistry::TryRecord(const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
  BANQUET_RETURN_NOT_OK(session->Run(session->dialect().begin_write));
  if (const std::optional<Lease> lease = place_->leases.Find(record)) {
    BANQUET_ASSIGN_OR_RETURN(const bool ours, OwnsLease(session.get(), *lease));
    if (!ours) return LostLease(record.view);
  }
  BANQUET_ASSIGN_OR_RETURN(bool found, RecordIn(session.get(), "feature_views", record, now_us));
  if (!found) {
    BANQUET_ASSIGN_OR_RETURN(found,
                             RecordIn(session.get(), "stream_feature_views", record, now_us));
  }
  if (!found) return ViewIsGone(record);
  return session->Commit();
}

Result<std::optional<std::string>> SqlRegistry::RecordMaterialization(
    const MaterializationRecord& record) {
  const int64_t now_us = clock_.NowUs();
  std::chrono::milliseconds wait = kRecordWait;
  for (int attempt = 1;; ++attempt, wait *= 2) {
    const Status status = TryRecord(record, now_us);
    if (status.ok()) return std::nullopt;
    if (!IsRetryable(status) || attempt == kRecordAttempts)
      return Annotate(status, "Recording view " + record.view);
    clock_.Wait(wait, {});
  }
}

// --- Rights ---

Status SqlRegistry::CheckWritable() {
  BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open());
  BANQUET_ASSIGN_OR_RETURN(const LeaseTableState leases, FindLeaseTable(session.get()));
  if (leases == LeaseTableState::kMayNotBeMade) return MissingLeaseTable();
  // Dropping the session rolls back; besides, no row has an empty name.
  BANQUET_RETURN_NOT_OK(session->Run(session->dialect().begin_write));
  for (const std::string_view table : {"feature_views", "stream_feature_views"}) {
    BANQUET_RETURN_NOT_OK(session->Run(fmt::format(
        "UPDATE {} SET last_updated_timestamp = 0 WHERE feature_view_name = ''", table)));
  }
  BANQUET_RETURN_NOT_OK(
      session->Run("UPDATE feast_metadata SET last_updated_timestamp = 0 WHERE project_id = ''"));
  if (leases == LeaseTableState::kMayBeMade) return Status::OK();
  return DropLease(session.get(), {.project = {}, .view = {}, .owner = {}});
}

// --- Leases ---

Result<LockTry> SqlRegistry::TryLock(SqlSession* session, const Lease& lease) {
  BANQUET_ASSIGN_OR_RETURN(
      const LeaseTry taken,
      TryTakeLease(session, lease, NoteOfThisProcess(clock_.NowUs()), place_->lease_duration));
  if (taken.taken)
    return LockTry{.lock = std::make_unique<LeasedViewLock>(place_, lease), .holder_note = {}};
  return LockTry{.lock = nullptr,
                 .holder_note = fmt::format("{} (ended by itself in {} s unless it is renewed)",
                                            taken.holder, taken.left.count() / 1000)};
}

Result<std::unique_ptr<ViewLock>> SqlRegistry::LockView(const std::string& project,
                                                        const std::string& view,
                                                        std::chrono::milliseconds wait,
                                                        std::stop_token stop) {
  const Lease lease{.project = project, .view = view, .owner = RandomUuid()};
  BANQUET_ASSIGN_OR_RETURN(const auto session, place_->Open(stop));
  BANQUET_RETURN_NOT_OK(EnsureLeaseTable(session.get()));
  return WaitForLock({.view = view, .longest = wait, .poll = kLeasePoll, .stop = std::move(stop)},
                     clock_, [&] { return TryLock(session.get(), lease); });
}

bool IsRelativeFile(const SqlUrl& url) {
  return url.dialect == "sqlite" && !url.database.empty() && url.database != ":memory:" &&
         !url.database.starts_with('/');
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeSqlRegistry(const SqlRegistrySettings& settings,
                                                  Clock& clock) {
  const auto place = std::make_shared<Place>();
  BANQUET_ASSIGN_OR_RETURN(place->url, ParseSqlUrl(settings.url));
  if (IsRelativeFile(place->url))
    place->url.database = settings.repo_path + "/" + place->url.database;
  place->session = {.connect_timeout = settings.connect_timeout,
                    .stall_timeout = settings.stall_timeout,
                    .clock = &clock};
  place->lease_duration = settings.lease_duration;
  return std::make_unique<SqlRegistry>(settings.project, place, clock);
}

}  // namespace banquet::sql_registry
