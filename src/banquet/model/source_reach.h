#pragma once
// Which data sources an offline store reads.

#include <string>
#include <vector>

#include "banquet/model/data_source.h"

namespace banquet {

struct SourceReach {
  std::string words;  // "file sources (Parquet)".
  std::vector<SourceType> sources;
};

}  // namespace banquet
