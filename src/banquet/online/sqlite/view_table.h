#pragma once
// The table that Feast keeps for a view (docs/formats/sqlite.md).

#include <string>

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

// Parameters: 1 entity_key, 2 feature_name, 3 value, 4 value_text, 5 event_ts, 6 created_ts, and,
// if the form has it, 7 value_num.
std::string UpsertSql(const std::string& table, const TableForm& form);

// Makes the table and its index by Feast's text, or adds the columns that an older Feast did not
// make. A table of that name that is not Feast's is a user error.
Status EnsureTable(Database* database, const std::string& table, const TableForm& form);

}  // namespace banquet::sqlite
