#pragma once
// The objects of one project, from the rows of an SQL registry.

#include <string>

#include "banquet/base/status.h"
#include "banquet/model/registry_contents.h"
#include "banquet/registry/sql/sql_session.h"

namespace banquet::sql_registry {

// In one transaction, so that no half of a `feast apply` is seen; objects in the order of their
// names, since rows have none. Tables that an older Feast did not make yet are empty. A database
// without Feast's tables is a user error, a row that does not parse a data error that names it.
Result<RegistryContents> ReadRegistryRows(SqlSession* session, const std::string& project);

}  // namespace banquet::sql_registry
