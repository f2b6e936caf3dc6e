#pragma once
// What Spark and the sinks on its executors say when something fails, as the error that it is.

#include <optional>
#include <string>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

// The sinks' own words in what Spark printed: the exit code and the message. nullopt: none failed.
struct SinkFailure {
  int exit_code = 0;
  std::string message;
};
std::optional<SinkFailure> FindSinkFailure(const std::vector<std::string>& lines);

// `condition`: Spark's own name of what is wrong, or REFUSED; may be empty. `lines`: its words.
// `log`: SparkSubmit::KeepLog.
Status SparkFailure(const std::string& condition, const std::vector<std::string>& lines,
                    const std::string& log);

}  // namespace banquet
