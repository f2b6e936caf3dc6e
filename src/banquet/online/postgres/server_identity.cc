#include "banquet/online/postgres/server_identity.h"

#include <utility>

#include "banquet/client/postgres/sql_state.h"

namespace banquet::postgres {
namespace {

// The history that the server writes: another one begins when a standby is promoted. nullopt: the
// server does not let us ask.
Result<std::optional<std::string>> TimelineOf(Connection* connection) {
  Result<Rows> rows = connection->Run(
      "SELECT substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)");
  if (!rows.ok() && !connection->sql_state().empty() && !IsRetryable(rows.status())) {
    return std::nullopt;
  }
  BANQUET_RETURN_NOT_OK(rows);
  return std::string(rows->Bytes(0, 0));
}

}  // namespace

Status ServerIdentity::Note(Connection* connection) {
  const std::lock_guard lock(mutex_);
  if (timeline_.has_value()) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(timeline_, TimelineOf(connection));
  return Status::OK();
}

void ServerIdentity::NoteTable(const ViewColumns& view, const ViewTable& table) {
  const std::lock_guard lock(mutex_);
  tables_[table.name] = {.view = view, .id = table.id};
}

Status ServerIdentity::Confirm(Connection* connection) {
  const std::lock_guard lock(mutex_);
  if (timeline_.has_value()) {
    BANQUET_ASSIGN_OR_RETURN(const auto timeline, TimelineOf(connection));
    if (timeline != timeline_) {
      return RemoteError({},
                         "{} failed over while it was written, so that acknowledged rows may be "
                         "lost; run the command again",
                         connection->server());
    }
  }
  for (const auto& [name, table] : tables_) {
    BANQUET_ASSIGN_OR_RETURN(const auto found, FindTable(connection, table.view));
    if (found.has_value() && found->id == table.id) continue;
    return RemoteError({}, "{}: table was removed or made anew while it was written: {}",
                       connection->server(), name);
  }
  return Status::OK();
}

}  // namespace banquet::postgres
