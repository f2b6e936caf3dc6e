#pragma once
// What a process that writes for another is told before its rows come (docs/formats/sink.md).

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/config/repo_config.h"
#include "banquet/model/view_columns.h"

namespace banquet {

struct SinkFrame {
  std::string feature_store_yaml;  // Its text, variables replaced. It may hold secrets.
  std::string repo_path;
  std::vector<std::pair<std::string, std::string>> overrides;  // As on the command line.
  std::vector<ViewColumns> views;                              // One group.

  // The configuration as every command reads it.
  Result<RepoConfig> Config() const;
};

std::string SinkFrameToJson(const SinkFrame& frame);
// Text that is none, or of another format, is a data error that does not repeat it.
Result<SinkFrame> SinkFrameFromJson(std::string_view text);

}  // namespace banquet
