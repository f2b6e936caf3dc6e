#pragma once
// batch_engine of Feast's Spark engine.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"

namespace banquet {

// Who writes to the online stores.
enum class SparkWrite {
  kExecutors,  // Each task, by a sink of its own.
  kStaging,    // Banquet, from what Spark has left in staging.
};

struct SparkSettings {
  int partitions = 0;                       // Tasks that write; 0: Spark's own number.
  std::map<std::string, std::string> conf;  // spark_conf.
  std::optional<SparkWrite> write;          // As written.
  std::string staging_location;             // As written; empty: none.
  bool shares_application = false;          // One for all groups of views.

  std::string master() const;
  // Whether executors run in the process of the driver, so that they see its files.
  bool is_local() const;
  // The path or URI as Spark's file systems name it: file:// on this machine, s3a:// for s3://
  // unless the cluster has a file system of that name (spark.hadoop.fs.s3.impl).
  std::string UriFor(const std::string& path) const;
  // For the command line of spark-submit: all but what names a secret.
  std::vector<std::string> Arguments() const;
  // The rest, which the job sets itself.
  std::map<std::string, std::string> Secrets() const;
};

// A map of Spark's settings and their values. `where` names it in errors.
Result<std::map<std::string, std::string>> ParseSparkConf(const ConfigNode& node,
                                                          const std::string& where);

// batch_engine, or that of a view.
Result<SparkSettings> ParseSparkSettings(const ConfigNode& block);

}  // namespace banquet
