#include "banquet/sql/dialect.h"

#include <array>
#include <utility>

namespace banquet {
namespace {

using std::string_view;

// The others: an account may have a format of its own, which the literals would not fit.
constexpr std::array<string_view, 3> kSnowflakeSetup = {
    "ALTER SESSION SET TIMEZONE = 'UTC'", "ALTER SESSION SET TIMESTAMP_INPUT_FORMAT = 'AUTO'",
    "ALTER SESSION SET DATE_INPUT_FORMAT = 'AUTO'"};
// The second: a backslash in a text is a backslash, which is how QuoteText leaves it.
constexpr std::array<string_view, 2> kPostgresSetup = {"SET TIME ZONE 'UTC'",
                                                       "SET standard_conforming_strings = on"};
constexpr std::array<string_view, 1> kDuckDbSetup = {"SET TimeZone = 'UTC'"};
constexpr std::array<string_view, 1> kSparkSetup = {"SET TIME ZONE 'UTC'"};
constexpr std::array<string_view, 1> kRedshiftSetup = {"SET timezone = 'UTC'"};

// CONVERT_TIMEZONE with one zone reads NTZ in the session's zone, so it fits all three types.
constexpr SqlDialect kSnowflake = {
    .product = SqlProduct::kSnowflake,
    .name = "Snowflake",
    .name_quote = '"',
    .text_has_escapes = true,
    .quote_in_text = "''",
    .table_naming = TableNaming::kOneName,
    .name_and_text_quotes = "\"",
    .slash_comments = true,
    .dollar_texts = true,
    .instant_literal = "'{time}+00:00'::TIMESTAMP_TZ",
    .naive_literal = "'{time}'::TIMESTAMP_NTZ",
    .date_literal = "'{date}'::DATE",
    .unloaded_instant = "CONVERT_TIMEZONE('UTC', {column})::TIMESTAMP_NTZ",
    .unloaded_date = "{column}::TIMESTAMP_NTZ",
    .has_qualify = true,
    .by_bytes = "COLLATE({column}, '')",
    .session_setup = kSnowflakeSetup,
};

// A DATETIME or DATE does not compare with a TIMESTAMP at all, whatever the session.
constexpr SqlDialect kBigQuery = {
    .product = SqlProduct::kBigQuery,
    .name = "BigQuery",
    .name_quote = '`',
    .name_has_escapes = true,
    .text_has_escapes = true,
    .quote_in_text = "\\'",
    .table_naming = TableNaming::kPath,
    .name_and_text_quotes = "\"`",
    .hash_comments = true,
    .triple_quotes = true,
    .instant_literal = "TIMESTAMP '{time}+00:00'",
    .naive_literal = "DATETIME '{time}'",
    .date_literal = "DATE '{date}'",
    .unloaded_naive = "TIMESTAMP({column})",
    .unloaded_date = "TIMESTAMP({column})",
    .has_qualify = true,
    .filters_partition = true,
    .by_bytes = "COLLATE({column}, '')",
    .session_setup = {},
};

// A partition of a table counts its rows for itself, hence tableoid.
constexpr SqlDialect kPostgres = {
    .product = SqlProduct::kPostgres,
    .name = "Postgres",
    .name_quote = '"',
    .quote_in_text = "''",
    .table_naming = TableNaming::kSqlName,
    .folds_plain_names = true,
    .name_and_text_quotes = "\"",
    .nests_comments = true,
    .dollar_texts = true,
    .e_texts = true,
    .instant_literal = "TIMESTAMPTZ '{time}+00:00'",
    .naive_literal = "TIMESTAMP '{time}'",
    .date_literal = "DATE '{date}'",
    .by_bytes = "{column} COLLATE \"C\"",
    .row_position = "{source}.tableoid, {source}.ctid",
    .session_setup = kPostgresSetup,
};

// An enum or UUID is text to us, and has no collation before it is text to DuckDB.
constexpr SqlDialect kDuckDb = {
    .product = SqlProduct::kDuckDb,
    .name = "DuckDB",
    .name_quote = '"',
    .quote_in_text = "''",
    .table_naming = TableNaming::kSqlName,
    .name_and_text_quotes = "\"",
    .nests_comments = true,
    .dollar_texts = true,
    .e_texts = true,
    .instant_literal = "TIMESTAMPTZ '{time}+00:00'",
    .naive_literal = "TIMESTAMP '{time}'",
    .date_literal = "DATE '{date}'",
    .has_qualify = true,
    .by_bytes = "CAST({column} AS VARCHAR) COLLATE \"C\"",
    .row_position = "{source}.rowid",
    .session_setup = kDuckDbSetup,
};

// SQLite has no times: a text in ISO 8601 becomes microseconds. strftime knows milliseconds, so
// that it is given the text without its fraction, zone and all; the fraction is added. What is not
// such a text gives NULL.
constexpr string_view kSqliteMicroseconds =
    "CASE WHEN {column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
    " THEN CASE WHEN substr({column}, 20, 1) = '.'"
    " THEN CAST(strftime('%s', substr({column}, 1, 19)"
    " || ltrim(substr({column}, 21), '0123456789')) AS INTEGER) * 1000000"
    " + CAST(round(CAST(substr({column}, 20, 7) AS REAL) * 1000000) AS INTEGER)"
    " ELSE CAST(strftime('%s', {column}) AS INTEGER) * 1000000 END END";

constexpr SqlDialect kSqlite = {
    .product = SqlProduct::kSqlite,
    .name = "SQLite",
    .name_quote = '"',
    .quote_in_text = "''",
    .table_naming = TableNaming::kSqlName,
    .name_and_text_quotes = "\"`[",
    .instant_literal = "{us}",
    .naive_literal = "{us}",
    .date_literal = "{us}",
    .time_value = kSqliteMicroseconds,
    .by_bytes = "{column} COLLATE BINARY",
    .row_position = "{source}.rowid",
    .session_setup = {},
};

// COLLATE is of Spark 4, and so are collations; there is nothing to undo before.
constexpr SqlDialect kSpark = {
    .product = SqlProduct::kSpark,
    .name = "Spark SQL",
    .name_quote = '`',
    .text_has_escapes = true,
    .quote_in_text = "\\'",
    .table_naming = TableNaming::kDotted,
    .name_and_text_quotes = "\"`",
    .nests_comments = true,
    .instant_literal = "TIMESTAMP '{time}+00:00'",
    .naive_literal = "TIMESTAMP_NTZ '{time}'",
    .date_literal = "DATE '{date}'",
    .filters_partition = true,
    .session_setup = kSparkSetup,
};

// Texts have backslash escapes: QUOTE_LITERAL doubles backslashes.
constexpr SqlDialect kRedshift = {
    .product = SqlProduct::kRedshift,
    .name = "Redshift",
    .name_quote = '"',
    .text_has_escapes = true,
    .quote_in_text = "''",
    .table_naming = TableNaming::kOneName,
    .name_and_text_quotes = "\"",
    .nests_comments = true,
    .dollar_texts = true,
    .instant_literal = "TIMESTAMPTZ '{time}+00:00'",
    .naive_literal = "TIMESTAMP '{time}'",
    .date_literal = "DATE '{date}'",
    .has_qualify = true,
    .by_bytes = "COLLATE({column}, 'case_sensitive')",
    .session_setup = kRedshiftSetup,
};

// What a quoted name or text cannot hold as it is, where backslash escapes.
void AppendEscaped(char c, std::string* quoted) {
  if (c == '\n') {
    *quoted += "\\n";
  } else if (c == '\r') {
    *quoted += "\\r";
  } else {
    if (c == '\\') quoted->push_back('\\');
    quoted->push_back(c);
  }
}

}  // namespace

std::string SqlDialect::QuoteName(string_view text) const {
  std::string quoted(1, name_quote);
  for (const char c : text) {
    if (c == name_quote) quoted.push_back(name_has_escapes ? '\\' : name_quote);
    if (name_has_escapes) {
      AppendEscaped(c, &quoted);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back(name_quote);
  return quoted;
}

std::string SqlDialect::QuoteText(string_view text) const {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += quote_in_text;
    } else if (text_has_escapes) {
      AppendEscaped(c, &quoted);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('\'');
  return quoted;
}

string_view SqlDialect::LiteralOf(TimeKind kind) const {
  switch (kind) {
    case TimeKind::kInstant:
      return instant_literal;
    case TimeKind::kNaive:
      return naive_literal;
    case TimeKind::kDate:
      return date_literal;
  }
  return instant_literal;
}

string_view SqlDialect::UnloadedOf(TimeKind kind) const {
  switch (kind) {
    case TimeKind::kInstant:
      return unloaded_instant;
    case TimeKind::kNaive:
      return unloaded_naive;
    case TimeKind::kDate:
      return unloaded_date;
  }
  return unloaded_instant;
}

const SqlDialect& DialectOf(SqlProduct product) {
  switch (product) {
    case SqlProduct::kSnowflake:
      return kSnowflake;
    case SqlProduct::kBigQuery:
      return kBigQuery;
    case SqlProduct::kPostgres:
      return kPostgres;
    case SqlProduct::kDuckDb:
      return kDuckDb;
    case SqlProduct::kSqlite:
      return kSqlite;
    case SqlProduct::kSpark:
      return kSpark;
    case SqlProduct::kRedshift:
      return kRedshift;
  }
  return kPostgres;
}

Status CheckName(string_view what, string_view name) {
  if (name.empty()) return UserError("A name is empty: {}", what);
  if (name.find('\0') != string_view::npos) {
    return UserError("A name has a NUL in it, which SQL cannot say: {}", what);
  }
  return Status::OK();
}

}  // namespace banquet
