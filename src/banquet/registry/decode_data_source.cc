// Data sources: one message with an options block per product.
#include "banquet/registry/decode_feature_view.h"
#include "nlohmann/json.hpp"

namespace banquet {
namespace {

using Proto = feast::core::DataSource;

void DecodeFile(const Proto::FileOptions& options, DataSource* source) {
  source->uri = options.uri();
  source->s3_endpoint_override = options.s3_endpoint_override();
  if (options.file_format().has_parquet_format()) source->file_format = "parquet";
  if (options.file_format().has_delta_format()) source->file_format = "delta";
}

template <typename Options>
void DecodeTable(const Options& options, DataSource* source) {
  source->table = options.table();
  source->query = options.query();
}

// PostgreSQL and its like keep a JSON object; other custom sources may keep anything.
void DecodeCustom(const std::string& configuration, DataSource* source) {
  const nlohmann::json json =
      nlohmann::json::parse(configuration, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  const auto text = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  source->table = text("table");
  source->query = text("query");
}

void DecodeOptions(const Proto& proto, DataSource* source) {
  switch (proto.options_case()) {
    case Proto::kFileOptions:
      return DecodeFile(proto.file_options(), source);
    case Proto::kBigqueryOptions:
      return DecodeTable(proto.bigquery_options(), source);
    case Proto::kRedshiftOptions:
      return DecodeTable(proto.redshift_options(), source);
    case Proto::kSnowflakeOptions:
      return DecodeTable(proto.snowflake_options(), source);
    case Proto::kTrinoOptions:
      return DecodeTable(proto.trino_options(), source);
    case Proto::kAthenaOptions:
      return DecodeTable(proto.athena_options(), source);
    case Proto::kSparkOptions:
      source->uri = proto.spark_options().path();
      source->file_format = proto.spark_options().file_format();
      return DecodeTable(proto.spark_options(), source);
    case Proto::kCustomOptions:
      return DecodeCustom(proto.custom_options().configuration(), source);
    case Proto::OPTIONS_NOT_SET:
      return;
  }
}

}  // namespace

DataSource DecodeSource(const feast::core::DataSource& proto) {
  DataSource source;
  source.name = proto.name();
  source.type = static_cast<SourceType>(proto.type());
  source.class_type = proto.data_source_class_type();
  source.description = proto.description();
  source.tags = DecodeMap(proto.tags());
  source.owner = proto.owner();
  source.timestamp_field = proto.timestamp_field();
  source.created_timestamp_column = proto.created_timestamp_column();
  source.date_partition_column = proto.date_partition_column();
  source.field_mapping = DecodeMap(proto.field_mapping());
  DecodeOptions(proto, &source);
  return source;
}

}  // namespace banquet
