#pragma once
// The table that Feast keeps for a view (docs/formats/sqlite.md).

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/client/sqlite/database.h"
#include "banquet/model/view_columns.h"

namespace banquet::sqlite {

struct TableForm {
  bool local_provider = true;  // Which of Feast's two texts makes the table.
  bool value_num = false;      // enable_openai_compatible_store
};

// "{project}_{view}", not quoted.
std::string TableNameOf(const ViewColumns& view);

// Writes rows: "VALUES (…)" or "SELECT … WHERE true", with the columns entity_key, feature_name,
// value, value_text, event_ts, created_ts and, if the form has it, value_num.
std::string UpsertSql(const std::string& table, const TableForm& form, std::string_view rows);

// The same of rows that also have, as their last column, the rowid of the stored row that each
// replaces, or NULL: a row of the table is then found without its key.
std::string UpsertByRowIdSql(const std::string& table, const TableForm& form,
                             std::string_view rows);

// Rows as parameters: 1 to 7, in the order of the columns.
std::string_view RowParameters(const TableForm& form);

// Makes the table and its index by Feast's text, or adds the columns that an older Feast did not
// make. A table of that name that is not Feast's is a user error.
Status EnsureTable(Database* database, const std::string& table, const TableForm& form);

}  // namespace banquet::sqlite
