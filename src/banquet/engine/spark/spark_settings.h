#pragma once
// batch_engine of Feast's Spark engine.

#include <map>
#include <optional>
#include <string>
#include <string_view>
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
  int partitions = 0;                           // Tasks that write; 0: Spark's own number.
  std::map<std::string, std::string> conf;      // spark_conf.
  std::map<std::string, std::string> defaults;  // Of this machine, beneath it: SparkDefaults.
  std::optional<SparkWrite> write;              // As written.
  std::string staging_location;                 // As written; empty: none.
  bool shares_application = false;              // One for all groups of views.

  // As written, else of the defaults, else local[*].
  std::string master() const;
  // "client" or "cluster", likewise; else "client".
  std::string deploy_mode() const;
  std::string files() const;  // spark.files, likewise; else empty.
  // Whether executors run in the process of the driver, so that they see its files.
  bool is_local() const;
  // The path or URI as Spark's file systems name it: file:// on this machine, s3a:// for s3://
  // unless the cluster has a file system of that name (spark.hadoop.fs.s3.impl).
  std::string UriFor(const std::string& path) const;
  // For the command line of spark-submit, where every user of the machine reads them: what it has
  // to know before the job runs. `archive`: is shipped to the executors beside the user's; empty:
  // none.
  std::vector<std::string> Arguments(const std::string& archive) const;
  // The rest, secrets among it, which the job sets itself.
  std::map<std::string, std::string> ConfOfJob() const;

 private:
  std::string Get(const std::string& key, const std::string& otherwise) const;
};

// The command: of SPARK_HOME, else what PATH finds. One that cannot be run is a user error.
Result<std::string> FindSparkSubmit();

// spark-defaults.conf of SPARK_CONF_DIR, else of the Spark that FindSparkSubmit gives; empty where
// there is none.
std::map<std::string, std::string> SparkDefaults();
// The text of such a file.
std::map<std::string, std::string> ParseSparkDefaults(std::string_view text);

// A map of Spark's settings and their values. `where` names it in errors.
Result<std::map<std::string, std::string>> ParseSparkConf(const ConfigNode& node,
                                                          const std::string& where);

// batch_engine, or that of a view.
Result<SparkSettings> ParseSparkSettings(const ConfigNode& block);

// Once all of the conf is there. `where` names batch_engine in errors.
Status CheckSparkSettings(const SparkSettings& settings, const std::string& where);

}  // namespace banquet
