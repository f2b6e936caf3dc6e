#pragma once
// python/banquet/spark_job.py, carried inside the program.

namespace banquet {

extern const char kSparkJob[];

}  // namespace banquet
