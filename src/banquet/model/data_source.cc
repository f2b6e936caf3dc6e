#include "banquet/model/data_source.h"

namespace banquet {

std::string_view NameOf(SourceType type) {
  switch (type) {
    case SourceType::kInvalid:
      return "InvalidSource";
    case SourceType::kFile:
      return "FileSource";
    case SourceType::kBigQuery:
      return "BigQuerySource";
    case SourceType::kKafka:
      return "KafkaSource";
    case SourceType::kKinesis:
      return "KinesisSource";
    case SourceType::kRedshift:
      return "RedshiftSource";
    case SourceType::kCustom:
      return "CustomSource";
    case SourceType::kRequest:
      return "RequestSource";
    case SourceType::kSnowflake:
      return "SnowflakeSource";
    case SourceType::kPush:
      return "PushSource";
    case SourceType::kTrino:
      return "TrinoSource";
    case SourceType::kSpark:
      return "SparkSource";
    case SourceType::kAthena:
      return "AthenaSource";
    case SourceType::kIceberg:
      return "IcebergSource";
    case SourceType::kPostgres:
      return "PostgreSQLSource";
  }
  return "UnknownSource";
}

}  // namespace banquet
