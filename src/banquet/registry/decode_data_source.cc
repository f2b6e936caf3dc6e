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

void DecodeTableFormat(const feast::core::TableFormat& format, DataSource* source) {
  using Format = feast::core::TableFormat;
  const auto take = [source](const char* name, const auto& one) {
    source->table_format = name;
    source->table_format_options = DecodeMap(one.properties());
  };
  switch (format.format_case()) {
    case Format::kIcebergFormat:
      return take("iceberg", format.iceberg_format());
    case Format::kDeltaFormat:
      return take("delta", format.delta_format());
    case Format::kHudiFormat:
      return take("hudi", format.hudi_format());
    case Format::FORMAT_NOT_SET:
      return;
  }
}

void DecodeSpark(const Proto::SparkOptions& options, DataSource* source) {
  DecodeTable(options, source);
  source->uri = options.path();
  source->file_format = options.file_format();
  source->date_partition_column_format = options.date_partition_column_format();
  DecodeTableFormat(options.table_format(), source);
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
      return DecodeSpark(proto.spark_options(), source);
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
  if (source.type == SourceType::kCustom && source.class_type.ends_with(".PostgreSQLSource")) {
    source.type = SourceType::kPostgres;
  }
  return source;
}

}  // namespace banquet
