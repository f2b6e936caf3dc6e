#pragma once
// One run at a time per view, between machines: a row with an owner and an end, in a table of ours
// beside Feast's. Times are those of the database's own clock.

#include <chrono>

#include "banquet/base/status.h"
#include "banquet/registry/lease.h"
#include "banquet/registry/sql/sql_session.h"

namespace banquet::sql_registry {

inline constexpr char kLeaseTable[] = "banquet_view_leases";

enum class LeaseTableState { kThere, kMayBeMade, kMayNotBeMade };

// Looks only. Where the database does not tell rights, a table that is missing may be made.
Result<LeaseTableState> FindLeaseTable(SqlSession* session);
// The user error of kMayNotBeMade, with the statement for somebody who may.
Status MissingLeaseTable();
// Makes the table where it is missing.
Status EnsureLeaseTable(SqlSession* session);

// Takes the lease of a view that nobody holds, or whose holder has let it run out.
Result<LeaseTry> TryTakeLease(SqlSession* session, const Lease& lease,
                              std::chrono::milliseconds duration);
// False: another has it.
Result<bool> RenewLease(SqlSession* session, const Lease& lease,
                        std::chrono::milliseconds duration);
Status DropLease(SqlSession* session, const Lease& lease);
// Whether it is ours; it then stays so until the session's transaction ends.
Result<bool> OwnsLease(SqlSession* session, const Lease& lease);

}  // namespace banquet::sql_registry
