#include "banquet/sql/scan_sql.h"

#include <fmt/args.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "banquet/sql/time_predicate.h"

namespace banquet {
namespace {

constexpr std::string_view kRankColumn = "__banquet_rank";

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string Filled(std::string_view pattern, const std::string& column) {
  return fmt::format(fmt::runtime(pattern), fmt::arg("column", column));
}

// Writes the SELECT of one scan. Column expressions name the source, so that no alias of the result
// can stand between, and SQLite cannot take an unknown name for a text.
class SelectWriter {
 public:
  SelectWriter(const SqlDialect& dialect, const SqlScan& scan) : dialect_(dialect), scan_(scan) {}

  Status Check() const {
    if (data().timestamp_field.empty()) return Bug("A scan's source names no event time");
    std::set<std::string> names = {kEventTimeColumn, kCreatedTimeColumn, std::string(kRankColumn)};
    for (const SqlColumn& column : Columns()) {
      BANQUET_RETURN_NOT_OK(CheckName("a column of the data source", column.source));
      BANQUET_RETURN_NOT_OK(CheckName("a column of the view", column.name));
      if (!names.insert(column.name).second) {
        return UserError("Two columns of the scan have one name, or a reserved one: {}",
                         column.name);
      }
    }
    for (const std::string& key : scan_.keys) BANQUET_RETURN_NOT_OK(CheckName("a join key", key));
    BANQUET_RETURN_NOT_OK(CheckName("the event timestamp", data().timestamp_field));
    if (!HasCreated()) return Status::OK();
    return CheckName("the created timestamp", data().created_timestamp_column);
  }

  Result<std::string> Rows(TimeForm form) const {
    BANQUET_ASSIGN_OR_RETURN(const std::string from, From());
    const std::vector<std::string> selected = Selected(form);
    if (scan_.newest == NewestRows::kAll) return Select(selected, from);
    if (dialect_.has_qualify) return Select(selected, from) + "\nQUALIFY " + IsNewest(Rank());
    return Ranked(selected, from);
  }

  Result<std::string> Counts() const {
    BANQUET_ASSIGN_OR_RETURN(const std::string from, From());
    const std::string time = EventTime();
    const std::vector<std::string> counts = {
        As("COUNT(*)", "row_count"),
        As(fmt::format("COUNT(CASE WHEN {} IS NULL THEN 1 END)", time), "null_time"),
        As(scan_.keys.empty() ? "0"
                              : fmt::format("COUNT(CASE WHEN {} IS NOT NULL AND ({}) THEN 1 END)",
                                            time, fmt::join(KeysTested("IS NULL"), " OR ")),
           "null_key")};
    return Select(counts, from);
  }

 private:
  const DataSource& data() const { return scan_.request.source; }
  bool HasCreated() const { return !data().created_timestamp_column.empty(); }

  std::vector<SqlColumn> Columns() const {
    if (!scan_.columns.empty()) return scan_.columns;
    std::vector<SqlColumn> columns;
    for (const std::string& name : scan_.request.columns) columns.push_back({name, name});
    return columns;
  }

  std::string Column(const std::string& name) const {
    return fmt::format("{}.{}", kSourceAlias, dialect_.QuoteName(name));
  }
  std::string As(const std::string& value, std::string_view name) const {
    return fmt::format("{} AS {}", value, dialect_.QuoteName(name));
  }
  std::string EventTime() const { return TimeValue(dialect_, Column(data().timestamp_field)); }

  std::vector<std::string> Selected(TimeForm form) const {
    const bool unloaded = form == TimeForm::kUnloaded;
    std::vector<std::string> selected;
    const auto add = [&](const std::string& source, std::string_view name, std::string_view value) {
      selected.push_back(As(unloaded ? Filled(value, Column(source)) : Column(source), name));
    };
    for (const SqlColumn& column : Columns()) {
      const bool zoned = Has(scan_.source.zoned_columns, column.source);
      add(column.source, column.name, zoned ? dialect_.unloaded_instant : "{column}");
    }
    add(data().timestamp_field, kEventTimeColumn, dialect_.UnloadedOf(scan_.source.event_time));
    if (HasCreated()) {
      add(data().created_timestamp_column, kCreatedTimeColumn,
          dialect_.UnloadedOf(scan_.source.created_time));
    }
    return selected;
  }

  std::string Select(const std::vector<std::string>& selected, const std::string& from) const {
    return fmt::format("SELECT\n  {}\n{}", fmt::join(selected, ",\n  "), from);
  }

  // FROM and WHERE.
  Result<std::string> From() const {
    BANQUET_ASSIGN_OR_RETURN(const std::string relation,
                             SourceRelation(dialect_, data(), scan_.source));
    BANQUET_ASSIGN_OR_RETURN(std::string window,
                             WindowPredicate(dialect_, Column(data().timestamp_field),
                                             scan_.source.event_time, scan_.request.window));
    std::vector<std::string> conditions = {window};
    if (scan_.null_rows == NullRows::kKeep) {
      conditions = {fmt::format("({} OR {} IS NULL)", window, EventTime())};
    } else {
      for (std::string& key : KeysTested("IS NOT NULL")) conditions.push_back(std::move(key));
    }
    if (dialect_.filters_partition && !data().date_partition_column.empty()) {
      BANQUET_RETURN_NOT_OK(CheckName("the date partition column", data().date_partition_column));
      BANQUET_ASSIGN_OR_RETURN(
          conditions.emplace_back(),
          PartitionPredicate(dialect_, Column(data().date_partition_column),
                             scan_.source.partition_format, scan_.request.window));
    }
    return fmt::format("FROM {} AS {}\nWHERE {}", relation, kSourceAlias,
                       fmt::join(conditions, "\n  AND "));
  }

  std::vector<std::string> KeysTested(std::string_view test) const {
    std::vector<std::string> tested;
    for (const std::string& key : scan_.keys) {
      tested.push_back(fmt::format("{} {}", Column(key), test));
    }
    return tested;
  }

  std::string PartitionBy() const {
    std::vector<std::string> keys;
    for (const std::string& key : scan_.keys) {
      const bool by_bytes = !dialect_.by_bytes.empty() && Has(scan_.source.text_columns, key);
      keys.push_back(by_bytes ? Filled(dialect_.by_bytes, Column(key)) : Column(key));
    }
    return keys.empty() ? "" : fmt::format("PARTITION BY {} ", fmt::join(keys, ", "));
  }

  std::string Rank() const {
    const bool one = scan_.newest == NewestRows::kOne;
    std::string order = EventTime() + " DESC NULLS LAST";
    if (HasCreated()) {
      order += fmt::format(", {} DESC NULLS LAST",
                           TimeValue(dialect_, Column(data().created_timestamp_column)));
    }
    if (one && scan_.source.rows_have_position && !dialect_.row_position.empty()) {
      order +=
          ", " + fmt::format(fmt::runtime(dialect_.row_position), fmt::arg("source", kSourceAlias));
    }
    return fmt::format("{} OVER ({}ORDER BY {})", one ? "ROW_NUMBER()" : "RANK()", PartitionBy(),
                       order);
  }

  // Rows without a time or key have no contest: they come, or were filtered.
  std::string IsNewest(const std::string& rank) const {
    std::string test = rank + " = 1";
    if (scan_.null_rows == NullRows::kDrop) return test;
    for (const std::string& lacks : Lacks()) test += fmt::format("\n  OR {}", lacks);
    return test;
  }
  std::vector<std::string> Lacks() const {
    std::vector<std::string> lacks = KeysTested("IS NULL");
    lacks.push_back(EventTime() + " IS NULL");
    return lacks;
  }

  // Without QUALIFY: a select around the select.
  std::string Ranked(std::vector<std::string> selected, const std::string& from) const {
    std::vector<std::string> outer;
    for (const SqlColumn& column : Columns()) outer.push_back(dialect_.QuoteName(column.name));
    outer.push_back(dialect_.QuoteName(kEventTimeColumn));
    if (HasCreated()) outer.push_back(dialect_.QuoteName(kCreatedTimeColumn));
    std::string rank = Rank();
    if (scan_.null_rows == NullRows::kKeep) {
      rank = fmt::format("CASE WHEN {} THEN 1 ELSE {} END", fmt::join(Lacks(), " OR "), rank);
    }
    selected.push_back(As(rank, kRankColumn));
    return fmt::format("SELECT\n  {}\nFROM (\n{}\n) AS banquet_ranked\nWHERE {} = 1",
                       fmt::join(outer, ",\n  "), Select(selected, from),
                       dialect_.QuoteName(kRankColumn));
  }

  const SqlDialect& dialect_;
  const SqlScan& scan_;
};

}  // namespace

Result<std::string> ScanSql(const SqlDialect& dialect, const SqlScan& scan, TimeForm form) {
  const SelectWriter writer(dialect, scan);
  BANQUET_RETURN_NOT_OK(writer.Check());
  return writer.Rows(form);
}

Result<std::string> CountSql(const SqlDialect& dialect, const SqlScan& scan) {
  SqlScan all = scan;
  all.null_rows = NullRows::kKeep;
  const SelectWriter writer(dialect, all);
  BANQUET_RETURN_NOT_OK(writer.Check());
  return writer.Counts();
}

}  // namespace banquet
