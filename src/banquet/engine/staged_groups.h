#pragma once
// Groups whose rows wait in staging between their source and the online stores.

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/engine/group_load.h"
#include "banquet/model/staged_files.h"
#include "banquet/staging/staging_area.h"

namespace banquet {

// What lies in a folder that a group was staged in.
StagedManifest ManifestOf(const TaskGroup& group, const StagingFolder& folder,
                          bool has_created_time, std::vector<StagedFile> files);

// Safe to share between threads.
class StagedGroups {
 public:
  // Fills the folder with the newest rows of the group, and says what lies there.
  using StageRows = std::function<Result<StagedManifest>(const StagingFolder& folder)>;

  // Rows staged, the manifest written, then loaded from there; what could not be staged is removed.
  // The fates of the group's first job are those that `stage` counts.
  Status Run(const ExecutionContext& context, const TaskGroup& group, const Jobs& jobs,
             StagingArea* area, GroupLoad* load, const StageRows& stage);
  // What Run has staged of a group that is split is removed: each of its views is staged by itself.
  void Split(const Jobs& jobs);
  // The end of a group that Run has staged: recorded, its folder goes; else it stays for `banquet
  // load`, and the log says so. Nothing for other groups.
  void Done(const ExecutionContext& context, const Jobs& jobs, bool is_recorded);

 private:
  std::mutex mutex_;
  std::map<const MaterializationJob*, StagingFolder> whole_;  // By their group's first.
};

}  // namespace banquet
