#include "banquet/cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/base/option_table.h"
#include "banquet/cli/text_table.h"

namespace banquet {
namespace {

using Jobs = std::vector<std::shared_ptr<MaterializationJob>>;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPlainInterval = std::chrono::seconds(10);
constexpr auto kHeartbeatInterval = std::chrono::seconds(10);
constexpr auto kEventInterval = std::chrono::milliseconds(250);
constexpr auto kStillTold = std::chrono::seconds(3);
constexpr int kBarWidth = 24;
constexpr int kDefaultColumns = 80;
constexpr size_t kNameWidthMax = 32;  // Of a view in the bar; its numbers matter more.

bool IsFinal(JobStatus status) {
  return status != JobStatus::kWaiting && status != JobStatus::kRunning;
}

// Reading counts for half of the way, writing for the other half; either may be unknown yet.
double ShareDone(const JobProgress& progress) {
  if (progress.status == JobStatus::kSucceeded) return 1;
  double share = 0;
  if (progress.rows_total > 0)
    share =
        0.5 * static_cast<double>(progress.rows.read) / static_cast<double>(progress.rows_total);
  if (progress.rows.winners > 0) {
    share = 0.5 + 0.5 * static_cast<double>(progress.decided) /
                      static_cast<double>(progress.rows.winners);
  }
  return std::min(1.0, share);
}

// For how long a job's counts have stood still.
class Stillness {
 public:
  std::chrono::seconds Of(const JobProgress& progress) {
    const std::array<int64_t, 3> counts = {progress.rows.read, progress.rows.winners,
                                           progress.decided};
    if (counts != counts_) since_ = SteadyClock::now();
    counts_ = counts;
    return std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - since_);
  }

 private:
  std::array<int64_t, 3> counts_ = {};
  SteadyClock::time_point since_ = SteadyClock::now();
};

// A rate and a rest would mislead while the store has our rows and nothing moves.
bool WaitsForStore(const JobProgress& progress, std::chrono::seconds still) {
  return progress.status == JobStatus::kRunning && progress.with_store && still >= kStillTold;
}

std::string RateAndRest(const JobProgress& progress, std::chrono::seconds still) {
  if (WaitsForStore(progress, still))
    return fmt::format("  waiting for the store for {} s", still.count());
  if (progress.seconds <= 0 || progress.rows.read == 0) return "";
  std::string text =
      fmt::format("  {}/s", WithThousands(static_cast<int64_t>(
                                static_cast<double>(progress.rows.read) / progress.seconds)));
  const double share = ShareDone(progress);
  if (!IsFinal(progress.status) && share > 0.01) {
    text += "  " + FormatSeconds(progress.seconds * (1 - share) / share) + " left";
  }
  return text;
}

std::string Counts(const JobProgress& progress) {
  if (progress.rows.read == 0 && !progress.doing.empty()) return progress.doing;
  std::string text =
      fmt::format("{} read, {} kept, {} written", WithThousands(progress.rows.read),
                  WithThousands(progress.rows.winners), WithThousands(progress.written));
  const int64_t left = progress.decided - progress.written;
  if (left > 0) text += fmt::format(", {} left as stored", WithThousands(left));
  return text;
}

int TerminalColumns() {
  struct winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

// One line per view, redrawn in place.
class BarProgress final : public Progress {
 public:
  explicit BarProgress(Jobs jobs) : jobs_(std::move(jobs)) {
    still_.resize(jobs_.size());
    for (const auto& job : jobs_) name_width_ = std::max(name_width_, WidthOf(NameIn(*job)));
  }
  void Update() override { Draw(); }
  void Finish() override { Draw(); }

 private:
  void Draw() {
    const int columns = TerminalColumns();
    std::string screen;
    if (drawn_) screen += fmt::format("\x1b[{}A", jobs_.size());
    for (size_t i = 0; i < jobs_.size(); ++i) {
      const std::string line = Line(*jobs_[i], &still_[i]);
      screen += "\x1b[2K" + Shortened(line, std::max(1, columns - 1)) + "\n";
    }
    std::fputs(screen.c_str(), stderr);
    std::fflush(stderr);
    drawn_ = true;
  }
  static std::string NameIn(const MaterializationJob& job) {
    return Shortened(job.task().view.name, kNameWidthMax);
  }
  std::string Line(const MaterializationJob& job, Stillness* stillness) const {
    const JobProgress progress = job.progress();
    const std::chrono::seconds still = stillness->Of(progress);
    const int full = static_cast<int>(ShareDone(progress) * kBarWidth);
    std::string bar(full, '#');
    bar.resize(kBarWidth, '.');
    const std::string name = NameIn(job);
    std::string line =
        fmt::format("{}{} [{}] {:>3.0f}%  ", name, std::string(name_width_ - WidthOf(name), ' '),
                    bar, ShareDone(progress) * 100);
    if (progress.status == JobStatus::kWaiting) return line + "waiting";
    if (IsFinal(progress.status) && progress.status != JobStatus::kSucceeded)
      return line + std::string(NameOf(progress.status));
    return line + Counts(progress) + RateAndRest(progress, still);
  }

  const Jobs jobs_;
  std::vector<Stillness> still_;
  size_t name_width_ = 0;
  bool drawn_ = false;
};

// A line when a view starts, ends, and every ten seconds between.
class PlainProgress final : public Progress {
 public:
  explicit PlainProgress(Jobs jobs)
      : jobs_(std::move(jobs)),
        seen_(jobs_.size()),
        still_(jobs_.size()),
        last_(SteadyClock::now()) {}
  void Update() override {
    const bool due = SteadyClock::now() - last_ >= kPlainInterval;
    if (due) last_ = SteadyClock::now();
    for (size_t i = 0; i < jobs_.size(); ++i) {
      const JobProgress progress = jobs_[i]->progress();
      const std::chrono::seconds still = still_[i].Of(progress);
      const bool changed = progress.status != seen_[i];
      seen_[i] = progress.status;
      if (changed || (due && progress.status == JobStatus::kRunning))
        Print(*jobs_[i], progress, still);
    }
  }
  void Finish() override { Update(); }

 private:
  static void Print(const MaterializationJob& job, const JobProgress& progress,
                    std::chrono::seconds still) {
    const std::string status(NameOf(progress.status));
    if (progress.status == JobStatus::kRunning && progress.rows.read == 0 &&
        progress.doing.empty()) {
      std::fprintf(stderr, "%s: started\n", job.task().view.name.c_str());
      return;
    }
    std::fprintf(stderr, "%s: %s: %s%s\n", job.task().view.name.c_str(), status.c_str(),
                 Counts(progress).c_str(), RateAndRest(progress, still).c_str());
  }

  const Jobs jobs_;
  std::vector<JobStatus> seen_;
  std::vector<Stillness> still_;
  SteadyClock::time_point last_;
};

// A heartbeat, so that a killed pod leaves a trace; or what another program draws a bar from.
class JsonProgress final : public Progress {
 public:
  JsonProgress(Jobs jobs, std::FILE* out, SteadyClock::duration interval)
      : jobs_(std::move(jobs)),
        out_(out),
        interval_(interval),
        still_(jobs_.size()),
        last_(SteadyClock::now()) {
    Print();
  }
  void Update() override {
    for (size_t i = 0; i < jobs_.size(); ++i) still_[i].Of(jobs_[i]->progress());
    if (SteadyClock::now() - last_ < interval_) return;
    last_ = SteadyClock::now();
    Print();
  }
  void Finish() override { Print(); }

 private:
  void Print() {
    auto views = nlohmann::ordered_json::array();
    for (size_t i = 0; i < jobs_.size(); ++i) {
      const JobProgress progress = jobs_[i]->progress();
      const std::chrono::seconds still = still_[i].Of(progress);
      views.push_back({{"name", jobs_[i]->task().view.name},
                       {"status", NameOf(progress.status)},
                       {"rows_total", progress.rows_total},
                       {"read", progress.rows.read},
                       {"winners", progress.rows.winners},
                       {"decided", progress.decided},
                       {"written", progress.written},
                       {"share_done", ShareDone(progress)},
                       {"waiting_for_store", WaitsForStore(progress, still)},
                       {"doing", progress.doing},
                       {"seconds", progress.seconds}});
    }
    const nlohmann::ordered_json line = {{"event", "progress"}, {"views", views}};
    std::fprintf(out_, "%s\n",
                 line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    std::fflush(out_);
  }

  const Jobs jobs_;
  std::FILE* const out_;
  const SteadyClock::duration interval_;
  std::vector<Stillness> still_;
  SteadyClock::time_point last_;
};

class NoProgress final : public Progress {
 public:
  void Update() override {}
  void Finish() override {}
};

}  // namespace

Status CheckProgressWord(const std::string& word) {
  static const std::vector<std::string> kWords = {"bar", "plain", "json", "none"};
  if (word.empty() || std::ranges::count(kWords, word) > 0) return Status::OK();
  return UserError("--progress: write bar, plain, json or none, not '{}'.{}", word,
                   DidYouMean(word, kWords));
}

ProgressMode ChooseProgressMode(const std::string& word, bool quiet) {
  if (word == "bar") return ProgressMode::kBar;
  if (word == "plain") return ProgressMode::kPlain;
  if (word == "json") return ProgressMode::kJson;
  if (word == kProgressEvents) return ProgressMode::kEvents;
  if (word == "none" || quiet) return ProgressMode::kNone;
  return isatty(STDERR_FILENO) == 1 ? ProgressMode::kBar : ProgressMode::kPlain;
}

std::unique_ptr<Progress> MakeProgress(ProgressMode mode, Jobs jobs) {
  switch (mode) {
    case ProgressMode::kBar:
      return std::make_unique<BarProgress>(std::move(jobs));
    case ProgressMode::kPlain:
      return std::make_unique<PlainProgress>(std::move(jobs));
    case ProgressMode::kJson:
      return std::make_unique<JsonProgress>(std::move(jobs), stderr, kHeartbeatInterval);
    case ProgressMode::kEvents:
      return std::make_unique<JsonProgress>(std::move(jobs), stdout, kEventInterval);
    case ProgressMode::kNone:
      break;
  }
  return std::make_unique<NoProgress>();
}

}  // namespace banquet
