#include "banquet/online/sqlite/view_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "banquet/base/sql_name.h"

namespace banquet::sqlite {
namespace {

// What needs no quotes: letters, digits, _ and bytes beyond ASCII. No keyword of SQLite can be such
// a name save CURRENT_DATE and its like.
bool IsPlainName(std::string_view name) {
  const auto is_letter = [](unsigned char c) {
    return c == '_' || c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (name.empty() || !is_letter(static_cast<unsigned char>(name[0]))) return false;
  if (!std::all_of(name.begin(), name.end(),
                   [&](unsigned char c) { return is_letter(c) || (c >= '0' && c <= '9'); })) {
    return false;
  }
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper != "CURRENT_DATE" && upper != "CURRENT_TIME" && upper != "CURRENT_TIMESTAMP";
}

// SQLite keeps the text of CREATE as written, so both of Feast's texts are kept to the blank.
std::string CreateTableSql(const std::string& table, const TableForm& form) {
  const std::string_view number = form.value_num ? "value_num REAL," : "";
  if (!form.local_provider) {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (entity_key BLOB, feature_name TEXT, value BLOB, value_text "
        "TEXT, {} "
        "vector_value BLOB, event_ts timestamp, created_ts timestamp,  PRIMARY KEY(entity_key, "
        "feature_name))",
        QuoteName(table), number);
  }
  const std::string gap = "\n" + std::string(16, ' ');
  std::string columns;
  for (const std::string_view column :
       {std::string_view("entity_key BLOB,"), std::string_view("feature_name TEXT,"),
        std::string_view("value BLOB,"), std::string_view("value_text TEXT,"), number,
        std::string_view("vector_value BLOB,"), std::string_view("event_ts timestamp,"),
        std::string_view("created_ts timestamp,"),
        std::string_view("PRIMARY KEY(entity_key, feature_name)")}) {
    columns += gap;
    columns += column;
  }
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}\n            )",
                     IsPlainName(table) ? table : QuoteName(table), columns);
}

std::string CreateIndexSql(const std::string& table, const TableForm& form) {
  const std::string index = table + "_ek";
  const bool plain = form.local_provider && IsPlainName(table);
  return fmt::format("CREATE INDEX IF NOT EXISTS {} ON {} (entity_key)",
                     plain ? index : QuoteName(index), plain ? table : QuoteName(table));
}

std::string InsertedColumns(const TableForm& form) {
  std::string columns = "entity_key, feature_name, value, value_text, event_ts, created_ts";
  if (form.value_num) columns += ", value_num";
  return columns;
}

std::string UpdateSql(const TableForm& form) {
  std::string sql =
      "DO UPDATE SET value = excluded.value, value_text = excluded.value_text, event_ts = "
      "excluded.event_ts, created_ts = excluded.created_ts";
  if (form.value_num) sql += ", value_num = excluded.value_num";
  return sql;
}

}  // namespace

std::string TableNameOf(const ViewColumns& view) { return view.project + "_" + view.view; }

std::string UpsertSql(const std::string& table, const TableForm& form, std::string_view rows) {
  return fmt::format("INSERT INTO {} ({}) {} ON CONFLICT(entity_key, feature_name) {}",
                     QuoteName(table), InsertedColumns(form), rows, UpdateSql(form));
}

std::string UpsertByRowIdSql(const std::string& table, const TableForm& form,
                             std::string_view rows) {
  return fmt::format(
      "INSERT INTO {} ({}, rowid) {} ON CONFLICT(rowid) {} ON CONFLICT(entity_key, feature_name) "
      "{}",
      QuoteName(table), InsertedColumns(form), rows, UpdateSql(form), UpdateSql(form));
}

std::string_view RowParameters(const TableForm& form) {
  return form.value_num ? "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)" : "VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
}

Status EnsureTable(Database* database, const std::string& table, const TableForm& form) {
  if (table.find('\0') != std::string::npos) {
    return UserError("SQLite table name has a NUL; rename the view: {}", table.c_str());
  }
  BANQUET_ASSIGN_OR_RETURN(auto columns, database->ColumnsOf(table));
  if (!columns.has_value()) {
    BANQUET_RETURN_NOT_OK(database->Execute(CreateTableSql(table, form)));
    BANQUET_ASSIGN_OR_RETURN(columns, database->ColumnsOf(table));
  }
  const auto has = [&](std::string_view name) {
    return std::find(columns->begin(), columns->end(), name) != columns->end();
  };
  for (const char* name : {"entity_key", "feature_name", "value", "event_ts", "created_ts"}) {
    if (!has(name)) {
      return UserError(
          "SQLite table '{}' is not a feature view's, it has no column {}; drop or rename it in {}",
          table, name, database->path());
    }
  }
  const auto add_column = [&](std::string_view column) {
    return database->Execute(fmt::format("ALTER TABLE {} ADD COLUMN {}", QuoteName(table), column));
  };
  if (!has("value_text")) BANQUET_RETURN_NOT_OK(add_column("\"value_text\" TEXT"));
  if (form.value_num && !has("value_num")) {
    BANQUET_RETURN_NOT_OK(add_column("\"value_num\" REAL"));
  }
  BANQUET_RETURN_NOT_OK(database->Execute(CreateIndexSql(table, form)));
  const Status upsert = database->Prepare(UpsertSql(table, form, RowParameters(form))).status();
  if (!upsert.ok() && database->last_error_is_of_sql()) {
    return UserError("SQLite table '{}' cannot be upserted; drop or rename it ({})", table,
                     MessageOf(upsert));
  }
  return upsert;
}

}  // namespace banquet::sqlite
