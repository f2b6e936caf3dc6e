#pragma once
// The private folder of one Spark job on this machine: plan, job, result, and the runtime to be
// shipped.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

namespace banquet {

// Readable by us alone, gone with what lies in it when it is destroyed.
class WorkFolder {
 public:
  static Result<WorkFolder> Make();
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // A new file, whole or not at all.
  Status Write(const std::string& name, std::string_view text) const;

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The files that this very program runs on: itself and every library that is loaded, save the C
// library's own, which belongs to the machine.
Result<std::vector<std::string>> RuntimeFiles();

}  // namespace banquet
