#pragma once
// The engine that runs plans on a Spark cluster (`batch_engine: {type: spark.engine}`).

#include <memory>
#include <string>

#include "banquet/base/config_node.h"
#include "banquet/base/status.h"
#include "banquet/engine/compute_engine.h"

namespace banquet {

// Each group is an application of its own: spark-submit of a small job
// (python/banquet/spark_job.py) reads the source, keeps the newest row of each key, and pipes each
// task's rows into `banquet sink` on its executor. What came of them is believed from the result
// file alone.
//
// `block`: batch_engine of feature_store.yaml. Its keys: partitions (tasks that write; 0: Spark's
// own number), spark_conf (applied as it stands). Cluster deploy mode is a user error in this
// version.
Result<std::unique_ptr<ComputeEngine>> MakeSparkComputeEngine(const ConfigNode& block);

}  // namespace banquet
