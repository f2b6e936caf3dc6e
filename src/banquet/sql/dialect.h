#pragma once
// What the SQL of a product is like: a table of facts each, which the one generator reads
// (scan_sql.h). Vendors' manuals are the source where nothing else is said.

#include <span>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

enum class SqlProduct { kSnowflake, kBigQuery, kPostgres, kDuckDb, kSqlite, kSpark, kRedshift };

// What a column of times holds. A naive column (no zone: TIMESTAMP_NTZ, DATETIME, timestamp) is
// UTC, as Feast takes it (feast-compat 4.5); a date is its midnight, UTC.
enum class TimeKind { kInstant, kNaive, kDate };

// How the registry's word for a table becomes a reference.
enum class TableNaming {
  kOneName,  // The word is one name, whatever is in it.
  kDotted,   // Parts between dots, each any text; a part may be quoted.
  kSqlName,  // As SQL reads it: plain names or quoted ones between dots, nothing else.
  kPath,     // The whole path between one pair of quotes (BigQuery).
};

struct SqlDialect {
  SqlProduct product;
  std::string_view name;  // For people: "Snowflake".

  // Names and texts.
  char name_quote;                 // Around names; doubled inside, or see the next.
  bool name_has_escapes = false;   // Backslash escapes in names, as in texts.
  bool text_has_escapes = false;   // Backslash escapes in texts.
  std::string_view quote_in_text;  // How a single quote stands inside a text.
  TableNaming table_naming;
  bool folds_plain_names = false;  // A plain name means its lower case.

  // What a query of the user may hold (query_text.h); "--" and "/* */" are everywhere.
  std::string_view name_and_text_quotes;  // Characters that quote, beside the single quote.
  bool nests_comments = false;
  bool hash_comments = false;   // "#" to the end of the line.
  bool slash_comments = false;  // "//" to the end of the line.
  bool dollar_texts = false;    // $$…$$, $tag$…$tag$.
  bool triple_quotes = false;   // '''…''', """…""".
  bool e_texts = false;         // E'…' has backslash escapes though '…' has none.

  // Times. In literals {time} is "2021-04-01 00:00:00.000000", {date} its day, {us} microseconds
  // since the epoch; in the others {column} is a column.
  std::string_view instant_literal;
  std::string_view naive_literal;
  std::string_view date_literal;
  std::string_view time_value = "{column}";  // What compares with such a literal.
  // As Parquet that the product itself writes shall hold it: UTC.
  std::string_view unloaded_instant = "{column}";
  std::string_view unloaded_naive = "{column}";
  std::string_view unloaded_date = "{column}";

  bool has_qualify = false;
  bool filters_partition = false;  // Feast's date_partition_column prunes here.
  // {column}, a text, compared byte by byte whatever its collation. Empty: the product has none.
  std::string_view by_bytes;
  // What orders the rows of a base table as they were stored, with {source}; empty: nothing does.
  std::string_view row_position;
  // Run once per connection: a naive column whose kind the store does not know is compared with
  // instants in the session's zone, which has to be UTC.
  std::span<const std::string_view> session_setup;

  // A name in quotes. It is neither empty nor holds NUL: see CheckName.
  std::string QuoteName(std::string_view name) const;
  // A text as a literal. It holds no NUL.
  std::string QuoteText(std::string_view text) const;
  std::string_view LiteralOf(TimeKind kind) const;
  std::string_view UnloadedOf(TimeKind kind) const;
};

const SqlDialect& DialectOf(SqlProduct product);

// A name that no product takes is the user's error: empty, or with NUL. `what` is what it names.
Status CheckName(std::string_view what, std::string_view name);

}  // namespace banquet
