#include "banquet/registry/sql/sessions.h"

namespace banquet::sql_registry {

Result<std::unique_ptr<SqlSession>> OpenSession(const SqlUrl& url,
                                                const SessionSettings& settings) {
  if (url.dialect == "sqlite") return OpenSqliteSession(url, settings);
  if (url.dialect == "postgresql") return OpenPostgresSession(url, settings);
  if (url.dialect == "mysql" || url.dialect == "mariadb") return OpenMysqlSession(url, settings);
  return UserError(
      "registry.path: registries in '{}' are not supported; this version knows sqlite://, "
      "postgresql://, mysql:// and mariadb://",
      url.dialect);
}

}  // namespace banquet::sql_registry
