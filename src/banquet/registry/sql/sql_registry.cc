#include "banquet/registry/sql/sql_registry.h"

#include <utility>

#include "banquet/registry/lease.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/record_patiently.h"
#include "banquet/registry/sql/read_rows.h"
#include "banquet/registry/sql/sessions.h"
#include "banquet/registry/sql/view_leases.h"

namespace banquet::sql_registry {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;

// The database, and the leases in it.
class Database final : public LeasePlace {
 public:
  Database(SqlUrl url, const SqlRegistrySettings& settings, Clock& clock)
      : url_(std::move(url)),
        session_{.connect_timeout = settings.connect_timeout,
                 .stall_timeout = settings.stall_timeout,
                 .clock = &clock},
        lease_duration_(settings.lease_duration) {}

  Result<std::unique_ptr<SqlSession>> Open() const { return OpenSession(url_, session_); }
  Result<std::unique_ptr<SqlSession>> OpenForLeases(const std::stop_token& stop) const {
    SessionSettings settings = session_;
    settings.connect_timeout = LeaseTimeout(settings.connect_timeout, lease_duration_);
    settings.stall_timeout = LeaseTimeout(settings.stall_timeout, lease_duration_);
    settings.stop = stop;
    return OpenSession(url_, settings);
  }

  std::chrono::milliseconds duration() const override { return lease_duration_; }
  Result<LeaseTry> TryTake(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, OpenForLeases(stop));
    BANQUET_RETURN_NOT_OK(EnsureLeaseTable(session.get()));
    return TryTakeLease(session.get(), lease, lease_duration_);
  }
  Result<bool> Renew(const Lease& lease, const std::stop_token& stop) override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, OpenForLeases(stop));
    return RenewLease(session.get(), lease, lease_duration_);
  }
  Status Drop(const Lease& lease) override {
    BANQUET_ASSIGN_OR_RETURN(const auto session, OpenForLeases({}));
    return DropLease(session.get(), lease);
  }

 private:
  const SqlUrl url_;
  const SessionSettings session_;
  const std::chrono::milliseconds lease_duration_;
};

class SqlRegistry final : public Registry {
 public:
  SqlRegistry(const SqlRegistrySettings& settings, std::shared_ptr<Database> database, Clock& clock)
      : project_(settings.project),
        retry_timeout_(settings.retry_timeout),
        database_(std::move(database)),
        clock_(clock) {}

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
                                             std::stop_token stop) override {
    return LockByLease(database_, leases_, project, view, wait, clock_, std::move(stop));
  }

 private:
  Result<RegistryContents> TryRead() {
    BANQUET_ASSIGN_OR_RETURN(const auto session, database_->Open());
    return ReadRegistryRows(session.get(), project_);
  }
  Status TryRecord(const MaterializationRecord& record, int64_t now_us);
  Status TryToWrite(SqlSession* session);

  const std::string project_;
  const std::chrono::milliseconds retry_timeout_;
  const std::shared_ptr<Database> database_;
  const std::shared_ptr<OwnLeases> leases_ = std::make_shared<OwnLeases>();
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
  BANQUET_ASSIGN_OR_RETURN(const auto session, database_->Open());
  BANQUET_RETURN_NOT_OK(session->Run(session->dialect().begin_write));
  if (const std::optional<Lease> lease = leases_->Find(record)) {
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
  BANQUET_RETURN_NOT_OK(
      RecordPatiently(record, retry_timeout_, clock_, [&] { return TryRecord(record, now_us); }));
  return std::nullopt;
}

// --- Rights ---

// Runs that begin together may be in each other's way for a moment: MySQL ends one of two that wait
// for each other.
Status SqlRegistry::CheckWritable() {
  constexpr int kAttempts = 5;
  constexpr std::chrono::milliseconds kPause(50);
  for (int attempt = 1;; ++attempt) {
    BANQUET_ASSIGN_OR_RETURN(const auto session, database_->Open());
    const Status status = TryToWrite(session.get());
    if (!IsRetryable(status) || attempt == kAttempts) return status;
    clock_.Wait(kPause * attempt, {});
  }
}

Status SqlRegistry::TryToWrite(SqlSession* session) {
  BANQUET_ASSIGN_OR_RETURN(const LeaseTableState leases, FindLeaseTable(session));
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
  const Lease nobodys;
  BANQUET_RETURN_NOT_OK(TryTakeLease(session, nobodys, database_->duration()));
  BANQUET_RETURN_NOT_OK(RenewLease(session, nobodys, database_->duration()));
  return DropLease(session, nobodys);
}

bool IsRelativeFile(const SqlUrl& url) {
  return url.dialect == "sqlite" && !url.database.empty() && url.database != ":memory:" &&
         !url.database.starts_with('/');
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeSqlRegistry(const SqlRegistrySettings& settings,
                                                  Clock& clock) {
  BANQUET_ASSIGN_OR_RETURN(SqlUrl url, ParseSqlUrl(settings.url));
  if (IsRelativeFile(url)) url.database = settings.repo_path + "/" + url.database;
  return std::make_unique<SqlRegistry>(
      settings, std::make_shared<Database>(std::move(url), settings, clock), clock);
}

}  // namespace banquet::sql_registry
