#include "banquet/engine/spark/spark_application.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "banquet/base/clock.h"
#include "banquet/base/log.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/process/program.h"
#include "banquet/engine/spark/spark_failure.h"
#include "banquet/engine/spark/spark_job_text.h"
#include "banquet/engine/spark/spark_submit.h"
#include "banquet/engine/spark/work_folder.h"

namespace banquet {
namespace {

constexpr char kRuntimeFolder[] = "banquet_runtime";
constexpr std::chrono::milliseconds kLookAgain(50);

Status PackRuntime(const std::vector<std::string>& files, const std::string& archive,
                   const std::stop_token& stop) {
  std::vector<std::string> last;
  // The C++ library apart: the executor's own asks for less of glibc, where it is new enough.
  Program tar{.words = {"tar", "--create", "--gzip", "--dereference", "--file", archive,
                        "--transform", R"(s,^/.*/\(libstdc++\|libgcc_s\)\.so,cxx/\1.so,)",
                        "--transform", "s,^/.*/,,", "--absolute-names"},
              .environment = {{"GZIP", "-1"}},
              .on_line = [&](std::string_view line) { last.emplace_back(line); },
              .stop = stop};
  tar.words.insert(tar.words.end(), files.begin(), files.end());
  BANQUET_ASSIGN_OR_RETURN(const int code, RunProgram(tar));
  if (code == 0) return Status::OK();
  return UserError("The runtime for the executors cannot be packed: {}",
                   last.empty() ? "tar failed" : last.back());
}

// What the job and its executors need, in a private folder, and the command that starts it.
struct Launch {
  WorkFolder folder;
  SinkRuntime runtime;
  std::vector<std::string> words;  // Without what follows the command's options.
};

Result<Launch> Prepare(const SparkLaunch& launch) {
  const SparkSettings& settings = launch.settings;
  BANQUET_ASSIGN_OR_RETURN(WorkFolder folder, WorkFolder::Make());
  Launch made{.folder = std::move(folder), .runtime = {}, .words = {}};
  BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> files, RuntimeFiles());
  BANQUET_ASSIGN_OR_RETURN(const std::string command, FindSparkSubmit());
  made.runtime.program = files.front();
  std::string archive;
  if (launch.ships_runtime && !settings.is_local()) {
    const std::string path = made.folder.File("runtime.tar.gz");
    BANQUET_RETURN_NOT_OK(PackRuntime(files, path, launch.stop));
    archive = path + "#" + kRuntimeFolder;
    made.runtime.program = std::string(kRuntimeFolder) + "/" +
                           std::filesystem::path(files.front()).filename().string();
    made.runtime.library_path = kRuntimeFolder;
  }
  made.words = {command};
  for (std::string& word : settings.Arguments(archive)) made.words.push_back(std::move(word));
  BANQUET_ASSIGN_OR_RETURN(const int64_t started, OwnStartTicks());
  const nlohmann::json application = {{"name", launch.name},
                                      {"partitions", settings.partitions},
                                      {"conf", settings.ConfOfJob()},
                                      {"parent", {{"pid", ::getpid()}, {"started", started}}}};
  BANQUET_RETURN_NOT_OK(made.folder.Write(
      "application.json",
      application.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  BANQUET_RETURN_NOT_OK(made.folder.Write("spark_job.py", kSparkJob));
  return made;
}

// Of an application that left no result. `since`: what it printed before has nothing to do with it.
Status EndedBefore(SparkSubmit* submit, const Result<int>& code, int64_t since,
                   const std::string& run_id) {
  BANQUET_RETURN_NOT_OK(code);
  const Status failure = SparkFailure("", submit->LinesSince(since), submit->KeepLog(run_id));
  constexpr int kSignals = 128;
  if (*code > kSignals)
    return Annotate(failure, fmt::format("spark-submit was ended by signal {}", *code - kSignals));
  return Annotate(failure, fmt::format("spark-submit ended with {}", *code));
}

// --- Deploy mode client ---

class ServingApplication final : public SparkApplication {
 public:
  ServingApplication(Launch launch, std::stop_token stop)
      : folder_(std::move(launch.folder)),
        runtime_(std::move(launch.runtime)),
        submit_(
            [&] {
              std::vector<std::string> words = std::move(launch.words);
              words.push_back(folder_.File("spark_job.py"));
              words.push_back(folder_.path());
              return words;
            }(),
            [this](const nlohmann::json& told) { Take(told); }, std::move(stop)) {}

  ~ServingApplication() override {
    // Without it the job would wait for plans for ever.
    if (!folder_.Write("end", "").ok()) submit_.Stop();
  }

  const SinkRuntime& runtime() const override { return runtime_; }
  std::string KeepLog(const std::string& run_id) override { return submit_.KeepLog(run_id); }

  Result<std::string> Do(std::string_view plan, const std::string& run_id,
                         const std::function<void(const SparkNews&)>& on_news) override {
    const int64_t since = submit_.line_count();
    int number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++plans_;
      BANQUET_RETURN_NOT_OK(folder_.Write(fmt::format("plan-{}.json", number), plan));
    }
    const std::string result = folder_.File(fmt::format("result-{}.json", number));
    while (true) {
      const auto ended = submit_.ended();  // Before the look: what it left until then counts.
      on_news(NewsOf(number));
      std::error_code ignored;
      if (std::filesystem::exists(result, ignored)) return ReadWholeFile(result);
      if (ended.has_value()) return EndedBefore(&submit_, *ended, since, run_id);
      submit_.Wait(kLookAgain);
    }
  }

 private:
  SparkNews NewsOf(int plan) {
    const std::lock_guard lock(mutex_);
    SparkNews news = news_[plan];
    news.address = address_;
    return news;
  }

  void Take(const nlohmann::json& told) {
    const std::lock_guard lock(mutex_);
    const std::string kind = told.value("kind", "");
    if (kind == "application") {
      const std::string id = told.value("id", "");
      const std::string url = told.value("url", "");
      LogInfo("Spark application {} {}", id, url);
      address_ = url.empty() ? id : url;
    } else if (kind == "progress") {
      SparkNews& news = news_[told.value("plan", 0)];
      news.tasks = told.value("tasks", int64_t{0});
      news.done = told.value("done", int64_t{0});
      news.active = told.value("active", int64_t{0});
    }
  }

  const WorkFolder folder_;
  const SinkRuntime runtime_;
  std::mutex mutex_;
  int plans_ = 0;
  std::string address_;
  std::map<int, SparkNews> news_;  // By the plan's number.
  SparkSubmit submit_;             // Its thread uses the others.
};

// --- Deploy mode cluster ---

constexpr std::chrono::seconds kBeat(10);  // The job gives us up after twelve (GONE_S).
constexpr char kAlive[] = "alive";
constexpr char kResult[] = "result-1.json";

class OnePlanApplication final : public SparkApplication {
 public:
  OnePlanApplication(Launch launch, SparkLaunch asked, StagingFolder channel)
      : launch_(std::move(launch)), asked_(std::move(asked)), channel_(std::move(channel)) {}

  // A driver that is still there sees that, and ends.
  ~OnePlanApplication() override {
    const Status removed = channel_.Remove();
    if (!removed.ok()) LogWarning("{}", MessageOf(removed));
  }

  const SinkRuntime& runtime() const override { return launch_.runtime; }
  std::string KeepLog(const std::string& run_id) override {
    return submit_.has_value() ? submit_->KeepLog(run_id) : "";
  }

  Result<std::string> Do(std::string_view plan, const std::string& run_id,
                         const std::function<void(const SparkNews&)>& on_news) override {
    const WorkFolder& folder = launch_.folder;
    BANQUET_RETURN_NOT_OK(folder.Write("plan-1.json", plan));
    BANQUET_RETURN_NOT_OK(Beat());
    std::vector<std::string> words = launch_.words;
    // Told last, these hold whatever the conf says.
    words.insert(words.end(), {"--conf", "spark.yarn.submit.waitAppCompletion=true", "--conf",
                               "spark.kubernetes.submission.waitAppCompletion=true"});
    std::string files = folder.File("application.json") + "," + folder.File("plan-1.json");
    const std::string of_user = asked_.settings.files();
    if (!of_user.empty()) files += "," + of_user;
    words.insert(words.end(), {"--files", files, folder.File("spark_job.py"), ".",
                               asked_.settings.UriFor(channel_.uri())});
    submit_.emplace(
        std::move(words), [](const nlohmann::json&) {}, asked_.stop);
    SparkNews news;
    int64_t looked = 0;
    auto next_beat = SystemClock().Steady() + kBeat;
    while (true) {
      const auto ended = submit_->ended();
      FindAddress(submit_->LinesSince(std::exchange(looked, submit_->line_count())), &news);
      on_news(news);
      if (ended.has_value()) {
        if (!ended->ok()) return ended->status();
        BANQUET_ASSIGN_OR_RETURN(const std::optional<std::string> result, ReadResult());
        if (result.has_value()) return *result;
        return EndedBefore(&*submit_, *ended, 0, run_id);
      }
      submit_->Wait(kLookAgain);
      if (SystemClock().Steady() < next_beat) continue;
      next_beat = SystemClock().Steady() + kBeat;
      const Status beat = Beat();
      if (!beat.ok()) LogWarning("{}", MessageOf(beat));  // The next may be in time.
    }
  }

 private:
  // In what YARN's and Kubernetes' clients print.
  static void FindAddress(const std::vector<std::string>& lines, SparkNews* news) {
    for (const std::string& line : lines) {
      for (const std::string_view before :
           {"Submitted application ", "pod name: ", "tracking URL: "}) {
        const size_t at = line.find(before);
        if (at == std::string::npos) continue;
        std::string found = line.substr(at + before.size());
        if (found == news->address || found == "N/A") continue;
        news->address = std::move(found);
        LogInfo("Spark application {}", news->address);
      }
    }
  }

  Status Beat() {
    BANQUET_ASSIGN_OR_RETURN(const auto stream,
                             channel_.store()->Create(channel_.uri() + "/" + kAlive));
    const std::string text = std::to_string(++beats_);
    BANQUET_RETURN_NOT_OK(stream->Write(text.data(), static_cast<int64_t>(text.size())));
    return stream->Close();
  }

  Result<std::optional<std::string>> ReadResult() {
    const std::string uri = channel_.uri() + "/" + kResult;
    BANQUET_ASSIGN_OR_RETURN(const objects::ListedPath found, channel_.store()->Look(uri));
    if (found.kind != objects::ListedPath::Kind::kObject) return std::nullopt;
    BANQUET_ASSIGN_OR_RETURN(const objects::OpenObject object, channel_.store()->Open(uri));
    BANQUET_ASSIGN_OR_RETURN(const auto bytes, object.file->ReadAt(0, found.size));
    return bytes->ToString();
  }

  const Launch launch_;
  const SparkLaunch asked_;
  StagingFolder channel_;
  int64_t beats_ = 0;
  std::optional<SparkSubmit> submit_;
};

}  // namespace

Result<std::shared_ptr<SparkApplication>> ServePlans(const SparkLaunch& launch) {
  BANQUET_ASSIGN_OR_RETURN(Launch prepared, Prepare(launch));
  return std::make_shared<ServingApplication>(std::move(prepared), launch.stop);
}

Result<std::shared_ptr<SparkApplication>> SubmitOnePlan(const SparkLaunch& launch,
                                                        StagingFolder channel) {
  BANQUET_ASSIGN_OR_RETURN(Launch prepared, Prepare(launch));
  return std::make_shared<OnePlanApplication>(std::move(prepared), launch, std::move(channel));
}

}  // namespace banquet
