#include "banquet/sql/unload_sql.h"

#include <fmt/format.h>

#include <string_view>

#include "banquet/sql/source_relation.h"

namespace banquet {
namespace {

// With one slash at the end: what stands behind it is the name of a file.
Result<std::string> FolderOf(const UnloadTarget& target) {
  std::string folder = target.folder_url;
  if (folder.find_first_of(std::string_view("*\0", 2)) != std::string::npos) {
    return UserError("A staging folder for an unload may have neither * nor NUL in it: {}", folder);
  }
  if (!folder.ends_with('/')) folder.push_back('/');
  return folder;
}

// What Snowflake calls the folder: it knows Google's buckets as gcs://.
Result<std::string> SnowflakeFolder(const UnloadTarget& target) {
  BANQUET_ASSIGN_OR_RETURN(std::string folder, FolderOf(target));
  if (folder.starts_with("gs://")) folder.replace(0, 2, "gcs");
  for (const std::string_view known : {"s3://", "s3gov://", "gcs://", "azure://", "@"}) {
    if (folder.starts_with(known)) return folder;
  }
  return UserError(
      "Snowflake cannot unload to this folder; give s3://, gs://, azure:// or @stage: {}",
      target.folder_url);
}

// An unquoted name in Snowflake is its upper case, so one that is to be folded stays unquoted.
Result<std::string> IntegrationName(const SqlDialect& dialect, const std::string& name) {
  const bool is_plain =
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$") ==
          std::string::npos &&
      !(name[0] >= '0' && name[0] <= '9') && name[0] != '$';
  if (is_plain) return name;
  BANQUET_RETURN_NOT_OK(CheckName("the storage integration", name));
  return dialect.QuoteName(name);
}

Result<std::string> CopyInto(const SqlDialect& dialect, const std::string& rows,
                             const UnloadTarget& target) {
  BANQUET_ASSIGN_OR_RETURN(const std::string folder, SnowflakeFolder(target));
  std::string statement =
      fmt::format("COPY INTO {}\nFROM (\n{}\n)\n", dialect.QuoteText(folder), rows);
  if (!target.storage_integration.empty()) {
    BANQUET_ASSIGN_OR_RETURN(const std::string name,
                             IntegrationName(dialect, target.storage_integration));
    statement += fmt::format("STORAGE_INTEGRATION = {}\n", name);
  }
  statement += "FILE_FORMAT = (TYPE = PARQUET)\nHEADER = TRUE\nDETAILED_OUTPUT = TRUE";
  if (target.file_bytes_max > 0) {
    statement += fmt::format("\nMAX_FILE_SIZE = {}", target.file_bytes_max);
  }
  return statement;
}

Result<std::string> ExportData(const SqlDialect& dialect, const std::string& rows,
                               const UnloadTarget& target) {
  BANQUET_ASSIGN_OR_RETURN(const std::string folder, FolderOf(target));
  if (!folder.starts_with("gs://")) {
    return UserError("BigQuery exports to Google Cloud Storage alone; give a gs:// folder: {}",
                     target.folder_url);
  }
  return fmt::format(
      "EXPORT DATA OPTIONS (\n  uri = {},\n  format = 'PARQUET',\n  overwrite = false\n) AS\n{}",
      dialect.QuoteText(folder + "*.parquet"), rows);
}

}  // namespace

Result<std::string> UnloadSql(const SqlDialect& dialect, const SqlScan& scan,
                              const UnloadTarget& target) {
  BANQUET_ASSIGN_OR_RETURN(const std::string rows, ScanSql(dialect, scan, TimeForm::kUnloaded));
  if (dialect.product == SqlProduct::kSnowflake) return CopyInto(dialect, rows, target);
  if (dialect.product == SqlProduct::kBigQuery) return ExportData(dialect, rows, target);
  return UserError("Unloading to a staging folder is not supported for {}", dialect.name);
}

Result<std::optional<std::string>> LastChangeSql(const SqlDialect& dialect, const DataSource& data,
                                                 const SqlSource& source) {
  if (dialect.product != SqlProduct::kSnowflake || data.table.empty()) {
    return std::optional<std::string>();
  }
  BANQUET_ASSIGN_OR_RETURN(const std::string table, SourceRelation(dialect, data, source));
  return std::optional(fmt::format("SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME({}) AS \"changed_ns\"",
                                   dialect.QuoteText(table)));
}

}  // namespace banquet
