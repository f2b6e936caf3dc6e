#pragma once
// The table, query or path of a data source as what a FROM names.

#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/model/data_source.h"
#include "banquet/sql/dialect.h"

namespace banquet {

// What an offline store knows of a source beside the registry's words.
struct SqlSource {
  // Of the source, else of the store's configuration: completes a table's name that lacks them.
  // Empty: the connection's. For BigQuery: project and dataset; for Spark: catalog and database.
  std::string database;
  std::string schema;
  // Of the time columns. kInstant stands for "not known" too, see SqlDialect::session_setup.
  TimeKind event_time = TimeKind::kInstant;
  TimeKind created_time = TimeKind::kInstant;
  // Of date_partition_column, in strftime's words: %Y %m %d %H %M %S and %%.
  std::string partition_format = "%Y-%m-%d";
  // A table that the product stores by itself, no view and no query: its rows have a position,
  // which decides full ties where the product tells it (Postgres, DuckDB, SQLite).
  bool rows_have_position = false;
  // Source columns of text: as keys they are told apart by their bytes, as Feast's are, and not by
  // a collation that takes "a" and "A" for one.
  std::vector<std::string> text_columns;
  // Source columns with a timestamp that has a zone: an unload turns them into UTC.
  std::vector<std::string> zoned_columns;
};

// By this name the relation is called; few have a column of that name.
inline constexpr std::string_view kSourceAlias = "banquet_source";

// The table's quoted name, or the query in parentheses (the table wins, as in Feast), or Spark's
// files by `uri` and `file_format`. Without the alias. A table's name that is not one in this
// dialect, and a source with none of the three, is the user's error.
Result<std::string> SourceRelation(const SqlDialect& dialect, const DataSource& data,
                                   const SqlSource& source);

}  // namespace banquet
