#pragma once
// Which views an engine can materialize.

#include <string>
#include <vector>

#include "banquet/model/data_source.h"

namespace banquet {

struct EngineReach {
  std::string reads;  // In words: "file sources (Parquet)".
  std::vector<SourceType> sources;
  std::vector<std::string> transformations;  // Feast's modes, such as "spark_sql".
};

}  // namespace banquet
