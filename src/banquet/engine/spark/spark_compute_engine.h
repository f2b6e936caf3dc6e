#pragma once
// The engine that runs plans on a Spark cluster (`batch_engine: {type: spark.engine}`).

#include <memory>

#include "banquet/base/status.h"
#include "banquet/engine/compute_engine.h"
#include "banquet/engine/spark/spark_settings.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// spark-submit of a small job (python/banquet/spark_job.py) reads the source, runs a view's SQL and
// keeps the newest row of each key. Then each task pipes its rows into `banquet sink` on its
// executor; or they go to `area` as Parquet, and from there into the stores by this process. What
// came of them is believed from the job's result file alone. Each group is an application of its
// own, or all share one (SparkSettings::shares_application). `area`: wanted for
// SparkWrite::kStaging and for deploy mode cluster; else nullptr.
std::unique_ptr<ComputeEngine> MakeSparkComputeEngine(SparkSettings settings, SparkWrite write,
                                                      std::unique_ptr<StagingArea> area);

}  // namespace banquet
