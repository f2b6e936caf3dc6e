#pragma once
// Where a feature view's rows come from (Feast's DataSource, feast-compat 2.3).

#include <map>
#include <string>
#include <string_view>

namespace banquet {

enum class SourceType : int {
  kInvalid = 0,
  kFile = 1,
  kBigQuery = 2,
  kKafka = 3,
  kKinesis = 4,
  kRedshift = 5,
  kCustom = 6,
  kRequest = 7,
  kSnowflake = 8,
  kPush = 9,
  kTrino = 10,
  kSpark = 11,
  kAthena = 12,
  kIceberg = 13,
  // Feast has no number for it: a custom source of the class PostgreSQLSource.
  kPostgres = 1001,
};

struct DataSource {
  std::string name;
  SourceType type = SourceType::kInvalid;
  std::string class_type;  // data_source_class_type, for custom sources.
  std::string description;
  std::map<std::string, std::string> tags;
  std::string owner;

  std::string timestamp_field;
  std::string created_timestamp_column;              // Empty: none.
  std::string date_partition_column;                 // Empty: none.
  std::string date_partition_column_format;          // Python's strftime; Spark and Athena.
  std::map<std::string, std::string> field_mapping;  // Source column -> feature name.

  // Files.
  std::string uri;          // As registered; relative ones count from the repository.
  std::string file_format;  // "", "parquet" or "delta"; of Spark also "csv", "json", "avro".
  std::string s3_endpoint_override;
  // Tables and queries of warehouses, and Spark.
  std::string table;
  std::string query;
  std::string table_format;  // Of Spark's path: "delta", "iceberg", "hudi"; empty: file_format.
  std::map<std::string, std::string> table_format_options;

  bool operator==(const DataSource&) const = default;
};

std::string_view NameOf(SourceType type);  // "FileSource", "PushSource", …

}  // namespace banquet
