#pragma once
// The products that an SQL registry can be kept in.

#include <memory>

#include "banquet/registry/sql/sql_session.h"
#include "banquet/registry/sql/sql_url.h"

namespace banquet::sql_registry {

// A dialect, driver or key of the URL that has no meaning here is a user error that names it; so
// is a database that does not exist. No error holds the password.
Result<std::unique_ptr<SqlSession>> OpenSession(const SqlUrl& url, const SessionSettings& settings);

Result<std::unique_ptr<SqlSession>> OpenSqliteSession(const SqlUrl& url,
                                                      const SessionSettings& settings);
Result<std::unique_ptr<SqlSession>> OpenPostgresSession(const SqlUrl& url,
                                                        const SessionSettings& settings);
Result<std::unique_ptr<SqlSession>> OpenMysqlSession(const SqlUrl& url,
                                                     const SessionSettings& settings);

}  // namespace banquet::sql_registry
