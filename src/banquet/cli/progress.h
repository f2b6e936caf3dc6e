#pragma once
// What a person, or a log collector, sees while views are materialized. Writes to standard error.

#include <memory>
#include <string>
#include <vector>

#include "banquet/engine/materialization_job.h"

namespace banquet {

// kEvents: JSON on standard output, a few times a second, for the program that started us.
enum class ProgressMode { kBar, kPlain, kJson, kEvents, kNone };
inline constexpr char kProgressEvents[] = "events";  // Not for users.

// A user error unless the word is "", bar, plain, json or none.
Status CheckProgressWord(const std::string& word);

// "" chooses: a bar on a terminal, plain lines otherwise; none when quiet.
ProgressMode ChooseProgressMode(const std::string& word, bool quiet);

// Update is called about ten times a second by the waiting loop; Finish once, after the last job.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Update() = 0;
  virtual void Finish() = 0;
};
std::unique_ptr<Progress> MakeProgress(ProgressMode mode,
                                       std::vector<std::shared_ptr<MaterializationJob>> jobs);

}  // namespace banquet
