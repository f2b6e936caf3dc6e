#include "banquet/online/postgres/view_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "banquet/base/log.h"
#include "banquet/base/sql_name.h"

namespace banquet::postgres {
namespace {

// Where we make the table, half of each page is left free: rows that a full run rewrites then stay
// on their page, and no index is touched.
constexpr int kFillFactor = 50;
constexpr size_t kNameBytesMax = 63;  // Postgres cuts longer ones off.

struct Column {
  std::string_view name;
  std::string_view type;
};
constexpr Column kRequired[] = {
    {"entity_key", "bytea"},
    {"feature_name", "text"},
    {"value", "bytea"},
    {"value_text", "text"},
    {"event_ts", "timestamp with time zone"},
    {"created_ts", "timestamp with time zone"},
};

std::string PlainNameOf(const ViewColumns& view) { return view.project + "_" + view.view; }

Status MakeSchema(Connection* connection, const TableForm& form) {
  const std::string parameters[] = {form.schema};
  BANQUET_ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", parameters));
  if (rows.size() > 0) return Status::OK();
  return connection
      ->Run(fmt::format("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}", QuoteName(form.schema),
                        QuoteName(form.owner)))
      .status();
}

Status MakeTable(Connection* connection, const ViewColumns& view, const TableForm& form) {
  const std::string plain = PlainNameOf(view);
  const std::string name = QuoteName(plain);
  if (plain.size() > kNameBytesMax) {
    LogWarning("Postgres cuts a table's name off after {} bytes, as it does for Feast: {}",
               kNameBytesMax, plain);
  }
  BANQUET_RETURN_NOT_OK(MakeSchema(connection, form));
  BANQUET_RETURN_NOT_OK(connection->Run(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (entity_key BYTEA, feature_name TEXT, value BYTEA, "
      "value_text TEXT NULL, {}vector_value BYTEA NULL, event_ts TIMESTAMPTZ, created_ts "
      "TIMESTAMPTZ, PRIMARY KEY(entity_key, feature_name)) WITH (fillfactor={})",
      name, form.value_num ? "value_num DOUBLE PRECISION NULL, " : "", kFillFactor)));
  BANQUET_RETURN_NOT_OK(connection->Run(fmt::format(
      "CREATE INDEX IF NOT EXISTS {} ON {} (entity_key)", QuoteName(plain + "_ek"), name)));
  if (std::ranges::count(view.features, ValueType::kString, &Field::type) == 0) {
    return Status::OK();
  }
  return connection
      ->Run(fmt::format(
          "CREATE INDEX IF NOT EXISTS {} ON {} USING GIN (to_tsvector('english', value_text))",
          QuoteName(plain + "_fts_idx"), name))
      .status();
}

}  // namespace

Result<std::optional<ViewTable>> FindTable(Connection* connection, const ViewColumns& view) {
  const std::string plain = PlainNameOf(view);
  if (plain.find('\0') != std::string::npos) {
    return UserError("Postgres table name has a NUL; rename the view: {}", plain.c_str());
  }
  ViewTable table{.name = QuoteName(plain)};
  const std::string parameters[] = {table.name};
  BANQUET_ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Run("SELECT a.attname::text, format_type(a.atttypid, NULL), a.attrelid::text "
                      "FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass($1) AND "
                      "a.attnum > 0 AND NOT a.attisdropped",
                      parameters));
  if (rows.size() == 0) return std::nullopt;
  std::map<std::string_view, std::string_view> types;
  for (int i = 0; i < rows.size(); ++i) types[rows.Bytes(i, 0)] = rows.Bytes(i, 1);
  for (const Column& column : kRequired) {
    const auto found = types.find(column.name);
    if (found == types.end() || found->second != column.type) {
      return UserError(
          "{}: table {} is not as Feast makes it, its column {} is {} and not {}; drop or rename "
          "it",
          connection->server(), table.name, column.name,
          found == types.end() ? "missing" : found->second, column.type);
    }
  }
  table.id = rows.Bytes(0, 2);
  table.has_value_num = types.contains("value_num");
  table.has_vector = types.contains("vector_value");
  return table;
}

Result<ViewTable> EnsureTable(Connection* connection, const ViewColumns& view,
                              const TableForm& form) {
  BANQUET_ASSIGN_OR_RETURN(std::optional<ViewTable> table, FindTable(connection, view));
  if (!table.has_value()) {
    BANQUET_RETURN_NOT_OK(MakeTable(connection, view, form));
  } else if (form.value_num && !table->has_value_num) {
    BANQUET_RETURN_NOT_OK(connection->Run(fmt::format(
        "ALTER TABLE {} ADD COLUMN IF NOT EXISTS value_num DOUBLE PRECISION NULL", table->name)));
  } else {
    return *table;
  }
  BANQUET_ASSIGN_OR_RETURN(table, FindTable(connection, view));
  if (table.has_value()) return *table;
  return UserError("{}: a table was made and is not found by search_path; mend db_schema: {}",
                   connection->server(), PlainNameOf(view));
}

}  // namespace banquet::postgres
