#include "banquet/registry/sql/view_leases.h"

#include <algorithm>
#include <charconv>

namespace banquet::sql_registry {
namespace {

constexpr char kCreate[] =
    "CREATE TABLE banquet_view_leases (project_id VARCHAR(255) NOT NULL, view_name VARCHAR(255) "
    "NOT NULL, owner VARCHAR(36) NOT NULL, holder VARCHAR(1000) NOT NULL, expires_ms BIGINT NOT "
    "NULL, PRIMARY KEY (project_id, view_name))";
constexpr size_t kHolderBytesMax = 1000;

Result<bool> HasLeaseTable(SqlSession* session) {
  BANQUET_ASSIGN_OR_RETURN(const SqlAnswer tables, session->Run(session->dialect().tables));
  return std::ranges::any_of(tables.rows, [](const SqlRow& row) { return row[0] == kLeaseTable; });
}

std::vector<SqlValue> RowOf(const Lease& lease) { return {lease.project, lease.view, lease.owner}; }

std::chrono::milliseconds MillisecondsOf(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::chrono::milliseconds(value);
}

}  // namespace

Result<LeaseTableState> FindLeaseTable(SqlSession* session) {
  BANQUET_ASSIGN_OR_RETURN(const bool there, HasLeaseTable(session));
  if (there) return LeaseTableState::kThere;
  const std::string_view may_create = session->dialect().may_create;
  if (may_create.empty()) return LeaseTableState::kMayBeMade;
  BANQUET_ASSIGN_OR_RETURN(const SqlAnswer answer, session->Run(may_create));
  return answer.rows.at(0).at(0) == "1" ? LeaseTableState::kMayBeMade
                                        : LeaseTableState::kMayNotBeMade;
}

Status MissingLeaseTable() {
  return UserError(
      "Runs exclude each other by a table in the registry's database that this user may not make; "
      "have it made: {}",
      kCreate);
}

Status EnsureLeaseTable(SqlSession* session) {
  BANQUET_ASSIGN_OR_RETURN(const bool there, HasLeaseTable(session));
  if (there) return Status::OK();
  const Status made = session->Run(kCreate).status();
  if (made.ok()) return made;
  // Another run may have made it at the same time.
  const Result<bool> is_there_now = HasLeaseTable(session);
  if (is_there_now.ok() && *is_there_now) return Status::OK();
  return FaultOf(made) == Fault::kUser ? Annotate(MissingLeaseTable(), MessageOf(made)) : made;
}

Result<LeaseTry> TryTakeLease(SqlSession* session, const Lease& lease,
                              std::chrono::milliseconds duration) {
  const SqlDialect& dialect = session->dialect();
  const std::string note = lease.holder.substr(0, kHolderBytesMax);
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer insertion,
      session->Run(fmt::format("{0} {1} (project_id, view_name, owner, holder, expires_ms) VALUES "
                               "(?, ?, ?, ?, {2} + {3}) {4}",
                               dialect.insert, kLeaseTable, dialect.now_ms, duration.count(),
                               dialect.unless_there),
                   std::vector<SqlValue>{lease.project, lease.view, lease.owner, note}));
  if (insertion.matched == 1) return LeaseTry{.taken = true};
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer succession,
      session->Run(fmt::format("UPDATE {0} SET owner = ?, holder = ?, expires_ms = {1} + {2} WHERE "
                               "project_id = ? AND view_name = ? AND expires_ms <= {1}",
                               kLeaseTable, dialect.now_ms, duration.count()),
                   std::vector<SqlValue>{lease.owner, note, lease.project, lease.view}));
  if (succession.matched == 1) return LeaseTry{.taken = true};
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer found,
      session->Run(fmt::format("SELECT holder, expires_ms - {}, owner FROM {} WHERE project_id = ? "
                               "AND view_name = ?",
                               dialect.now_ms, kLeaseTable),
                   std::vector<SqlValue>{lease.project, lease.view}));
  if (found.rows.empty()) return LeaseTry{};  // Released this moment.
  const SqlRow& row = found.rows.front();
  // The answer to an earlier attempt may have been lost.
  if (row[2] == lease.owner) return LeaseTry{.taken = true};
  return LeaseTry{.holder = row[0].value_or(""), .left = MillisecondsOf(row[1].value_or("0"))};
}

Result<bool> RenewLease(SqlSession* session, const Lease& lease,
                        std::chrono::milliseconds duration) {
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer renewal,
      session->Run(fmt::format("UPDATE {} SET expires_ms = {} + {} WHERE project_id = ? AND "
                               "view_name = ? AND owner = ?",
                               kLeaseTable, session->dialect().now_ms, duration.count()),
                   RowOf(lease)));
  return renewal.matched == 1;
}

Status DropLease(SqlSession* session, const Lease& lease) {
  return session
      ->Run(fmt::format("DELETE FROM {} WHERE project_id = ? AND view_name = ? AND owner = ?",
                        kLeaseTable),
            RowOf(lease))
      .status();
}

Result<bool> OwnsLease(SqlSession* session, const Lease& lease) {
  BANQUET_ASSIGN_OR_RETURN(
      const SqlAnswer found,
      session->Run(fmt::format("SELECT owner FROM {} WHERE project_id = ? AND view_name = ? AND "
                               "owner = ? {}",
                               kLeaseTable, session->dialect().row_lock),
                   RowOf(lease)));
  return found.rows.size() == 1;
}

}  // namespace banquet::sql_registry
