#pragma once
// batch_engine of Feast's Spark engine.

#include <map>
#include <string>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"

namespace banquet {

struct SparkSettings {
  int partitions = 0;                       // Tasks that write; 0: Spark's own number.
  std::map<std::string, std::string> conf;  // spark_conf.

  // Whether executors run in the process of the driver, so that they see its files.
  bool is_local() const;
  // For the command line of spark-submit: all but what names a secret.
  std::vector<std::string> Arguments() const;
  // The rest, which the job sets itself.
  std::map<std::string, std::string> Secrets() const;
};

Result<SparkSettings> ParseSparkSettings(const ConfigNode& block);

}  // namespace banquet
