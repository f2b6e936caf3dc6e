#include "banquet/sql/source_relation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "banquet/sql/query_text.h"

namespace banquet {
namespace {

using std::string_view;

bool IsPlain(string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
         });
}

Status NotAName(const SqlDialect& dialect, string_view table) {
  return UserError(
      "The data source's table is not a name in {}: quote it as SQL does, or give a query: {}",
      dialect.name, table);
}

// A part in quotes at the front of the text, its own quotes doubled; removes what it took.
Result<std::string> TakeQuoted(const SqlDialect& dialect, string_view table, string_view* rest) {
  std::string part;
  rest->remove_prefix(1);
  while (!rest->empty()) {
    const char c = rest->front();
    rest->remove_prefix(1);
    if (c == dialect.name_quote) {
      if (rest->empty() || rest->front() != c) return part;
      rest->remove_prefix(1);
    }
    part.push_back(c);
  }
  return NotAName(dialect, table);
}

Result<std::string> TakePlain(const SqlDialect& dialect, string_view table, string_view* rest) {
  std::string part(rest->substr(0, rest->find('.')));
  rest->remove_prefix(part.size());
  if (dialect.table_naming == TableNaming::kSqlName && !IsPlain(part)) {
    return NotAName(dialect, table);
  }
  if (dialect.folds_plain_names) {
    std::ranges::transform(part, part.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  }
  return part;
}

// The names that dots separate.
Result<std::vector<std::string>> PartsOf(const SqlDialect& dialect, string_view table) {
  std::vector<std::string> parts;
  string_view rest = table;
  while (true) {
    const bool quoted = rest.starts_with(dialect.name_quote);
    BANQUET_ASSIGN_OR_RETURN(std::string part, quoted ? TakeQuoted(dialect, table, &rest)
                                                      : TakePlain(dialect, table, &rest));
    if (part.empty()) return NotAName(dialect, table);
    parts.push_back(std::move(part));
    if (rest.empty()) return parts;
    if (rest.front() != '.') return NotAName(dialect, table);
    rest.remove_prefix(1);
  }
}

void Complete(const SqlSource& source, std::vector<std::string>* parts) {
  if (parts->size() == 1 && !source.schema.empty()) parts->insert(parts->begin(), source.schema);
  if (parts->size() == 2 && !source.database.empty()) {
    parts->insert(parts->begin(), source.database);
  }
}

std::string Quoted(const SqlDialect& dialect, const std::vector<std::string>& parts) {
  std::vector<std::string> quoted;
  for (const std::string& part : parts) quoted.push_back(dialect.QuoteName(part));
  return fmt::format("{}", fmt::join(quoted, "."));
}

// Project, dataset and table; a project's own dots ("example.com:p") do no harm, since only what
// lacks them is completed.
std::string PathOf(const SqlSource& source, string_view table) {
  const auto dots = std::ranges::count(table, '.');
  std::string path(table);
  if (dots == 0 && !source.schema.empty()) path = fmt::format("{}.{}", source.schema, path);
  if (std::ranges::count(path, '.') == 1 && !source.database.empty()) {
    path = fmt::format("{}.{}", source.database, path);
  }
  return path;
}

Result<std::string> TableName(const SqlDialect& dialect, string_view table,
                              const SqlSource& source) {
  BANQUET_RETURN_NOT_OK(CheckName("the data source's table", table));
  std::vector<std::string> parts;
  switch (dialect.table_naming) {
    case TableNaming::kPath:
      return dialect.QuoteName(PathOf(source, table));
    case TableNaming::kOneName:
      parts = {std::string(table)};
      break;
    case TableNaming::kDotted:
    case TableNaming::kSqlName: {
      BANQUET_ASSIGN_OR_RETURN(parts, PartsOf(dialect, table));
      break;
    }
  }
  Complete(source, &parts);
  return Quoted(dialect, parts);
}

}  // namespace

Result<std::string> SourceRelation(const SqlDialect& dialect, const DataSource& data,
                                   const SqlSource& source) {
  if (!data.table.empty()) return TableName(dialect, data.table, source);
  if (!data.query.empty()) return WrapQuery(dialect, data.query);
  if (dialect.product == SqlProduct::kSpark && !data.uri.empty()) {
    BANQUET_RETURN_NOT_OK(CheckName("the data source's file format", data.file_format));
    BANQUET_RETURN_NOT_OK(CheckName("the data source's path", data.uri));
    return Quoted(dialect, {data.file_format, data.uri});
  }
  return UserError("The data source has neither a table nor a query: {}", data.name);
}

}  // namespace banquet
