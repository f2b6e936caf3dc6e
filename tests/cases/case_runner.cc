// Runs every *.case file of a folder through the engine into the memory store, and says which
// failed and where.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "banquet/base/arrow_runtime.h"
#include "banquet/base/time_text.h"
#include "banquet/builtin/products.h"
#include "banquet/encode/entity_key.h"
#include "banquet/encode/value_reader.h"
#include "banquet/engine/task_selection.h"
#include "banquet/engine/view_columns_of.h"
#include "tests/cases/case_source.h"

namespace banquet {
namespace {

constexpr int64_t kNow_us = int64_t{1'767'225'600} * 1'000'000;  // 2026-01-01: "now" in every case.
constexpr char kProject[] = "cases";

// A registry in memory that keeps what was recorded.
class CaseRegistry final : public Registry {
 public:
  RegistryContents contents;
  Result<std::shared_ptr<const RegistryContents>> Read() override {
    return std::make_shared<const RegistryContents>(contents);
  }
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override {
    contents.feature_views.front().materialization_intervals.push_back(record.window);
    return std::optional<std::string>();
  }
  Status CheckWritable() override { return Status::OK(); }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string&, const std::string&,
                                             std::chrono::milliseconds, std::stop_token) override {
    return std::make_unique<ViewLock>();
  }
};

class CaseRun {
 public:
  using Options = std::vector<std::pair<std::string, std::string>>;
  CaseRun(const CaseFile& file, Options options) : file_(file), overrides_(std::move(options)) {}

  Status Run() {
    config_.project = kProject;
    config_.online_store_type = "memory";
    config_.batch_engine_type = "local";
    // A store of its own for every case: memory stores of one name share their rows.
    ConfigNode name;
    name.kind = ConfigNode::Kind::kScalar;
    name.scalar = file_.path;
    for (const auto& [option, value] : overrides_) name.scalar += " " + option + "=" + value;
    config_.online_store.kind = ConfigNode::Kind::kMap;
    config_.online_store.entries = {{"name", name}};
    FeatureView view;
    view.name = file_.view.name;
    view.project = kProject;
    view.online = true;
    view.features = file_.view.features;
    view.entity_columns = file_.view.keys;
    if (view.entity_columns.empty()) {
      view.entity_columns = {
          {.name = kDummyJoinKey, .type = ValueType::kString, .tags = {}, .description = {}}};
    }
    if (!file_.view.ttl.empty()) view.ttl_us = std::atoll(file_.view.ttl.c_str()) * 1'000'000;
    view.batch_source = DataSource{};
    view.batch_source->type = SourceType::kFile;
    view.batch_source->timestamp_field = file_.view.time;
    view.batch_source->created_timestamp_column = file_.view.created;
    registry_.contents.feature_views = {view};
    BANQUET_ASSIGN_OR_RETURN(store_, MakeOnlineStore(config_, {}, SystemClock()));
    BANQUET_ASSIGN_OR_RETURN(config_.options, ParseRunOptions({}, overrides_));
    for (const CaseFile::Line& line : file_.steps) {
      const Status status = std::visit([this](const auto& step) { return Do(step); }, line.step);
      if (!status.ok()) return Annotate(status, fmt::format("{}:{}", file_.path, line.number));
    }
    return Status::OK();
  }

 private:
  Status Do(const OptionStep& step) {
    overrides_.emplace_back(step.name, step.value);
    BANQUET_ASSIGN_OR_RETURN(config_.options, ParseRunOptions({}, overrides_));
    return Status::OK();
  }
  Status Do(const RowsStep& step) {
    source_ = std::make_unique<CaseSource>(file_.view, step.table);
    return Status::OK();
  }
  Status Do(const MaterializeStep& step) {
    TaskQuery query{.views = {}, .version = {}, .start_us = {}};
    if (!step.incremental) {
      BANQUET_ASSIGN_OR_RETURN(query.start_us, ParseInstant(step.start));
    }
    BANQUET_ASSIGN_OR_RETURN(query.end_us, ParseInstant(step.end));
    BANQUET_ASSIGN_OR_RETURN(const auto contents, registry_.Read());
    StoreLanes lanes("memory", store_.get());
    const ExecutionContext context{.config = &config_,
                                   .registry = &registry_,
                                   .contents = contents,
                                   .offline_store = source_.get(),
                                   .online_stores = {&lanes},
                                   .clock = &SystemClock(),
                                   .stop = {}};
    BANQUET_ASSIGN_OR_RETURN(const auto engines, MakeEngines(config_, {}, SystemClock()));
    BANQUET_ASSIGN_OR_RETURN(auto tasks,
                             SelectTasks(*contents, config_, query, engines->reach(), kNow_us));
    const auto jobs = engines->Materialize(context, std::move(tasks));
    jobs.front()->Wait(std::chrono::minutes(1));
    status_ = jobs.front()->error();
    report_ = jobs.front()->report();
    return Status::OK();
  }
  Status Do(const FailStep& step) {
    if (status_.ok()) return DataError("materialize succeeded, failure expected: {}", step.text);
    if (MessageOf(status_).find(step.text) == std::string::npos) {
      return DataError("Another failure was expected: {}; came: {}", step.text, MessageOf(status_));
    }
    return Status::OK();
  }
  Status Do(const ReportStep& step) {
    BANQUET_RETURN_NOT_OK(status_);
    const RowCounts& rows = report_.rows;
    const StoreReport& store = report_.stores.front();
    const std::map<std::string, int64_t> counts = {{"read", rows.read},
                                                   {"outside_window", rows.outside_window},
                                                   {"null_key", rows.null_key},
                                                   {"null_time", rows.null_time},
                                                   {"duplicates", rows.duplicates},
                                                   {"full_ties", rows.full_ties},
                                                   {"winners", rows.winners},
                                                   {"written", store.written},
                                                   {"stale", store.stale},
                                                   {"unchanged", store.unchanged}};
    for (const auto& [name, expected] : step.counts) {
      if (!counts.contains(name)) return UserError("No such count: {}", name);
      if (counts.at(name) != expected)
        return DataError("{} is {}, expected {}", name, counts.at(name), expected);
    }
    return Status::OK();
  }
  Status Do(const ExpectStep& step);

  const CaseFile& file_;
  RepoConfig config_;
  CaseRegistry registry_;
  std::unique_ptr<OnlineStore> store_;
  std::unique_ptr<CaseSource> source_;
  Options overrides_;
  Status status_;
  JobReport report_;
};

std::string Unquoted(const std::string& cell) {
  return cell.size() >= 2 && cell.front() == '"' ? cell.substr(1, cell.size() - 2) : cell;
}

// Each line: the key's values, then the features' values as JSON, or "absent" for a key that is not
// stored.
Status CaseRun::Do(const ExpectStep& step) {
  ViewColumns columns{.project = kProject, .view = file_.view.name};
  columns.join_keys = registry_.contents.feature_views.front().entity_columns;
  const CaseTable& table = step.table;
  for (size_t c = 0; c < table[0].size(); ++c) {
    const auto field = std::ranges::find(file_.view.features, table[0][c], &Field::name);
    if (field != file_.view.features.end()) columns.features.push_back(*field);
  }
  const size_t key_count = table[0].size() - columns.features.size();
  for (size_t i = 1; i < table.size(); ++i) {
    std::vector<std::string> values;
    for (size_t c = 0; c < key_count; ++c) values.push_back(Unquoted(table[i][c]));
    if (key_count == 0) values.emplace_back();
    BANQUET_ASSIGN_OR_RETURN(const std::string key,
                             SerializeEntityKey(columns.join_keys, 3, values));
    BANQUET_ASSIGN_OR_RETURN(const StoredRows rows,
                             store_->Read(columns, std::vector<std::string>{key}));
    for (size_t f = 0; f < columns.features.size(); ++f) {
      const std::string& expected = table[i][key_count + f];
      std::string actual = "absent";
      if (rows[0].has_value() && rows[0]->values[f].has_value()) {
        BANQUET_ASSIGN_OR_RETURN(actual, ValueToJson(*rows[0]->values[f]));
      }
      if (actual != expected) {
        return DataError("row {}: {} is {}, expected {}", i, columns.features[f].name, actual,
                         expected);
      }
    }
  }
  return status_;
}

Status RunFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  BANQUET_ASSIGN_OR_RETURN(const CaseFile file,
                           ParseCaseFile(path.filename().string(), text.str()));
  // The outcome is the same with every fast path and without it.
  const std::vector<CaseRun::Options> ways = {
      {},
      {{"late_materialization", "false"}},
      {{"skip_row_groups", "false"}, {"threads", "1"}},
  };
  for (const CaseRun::Options& options : ways) {
    const Status status = CaseRun(file, options).Run();
    if (status.ok()) continue;
    std::string words;
    for (const auto& [option, value] : options) words += " " + option + "=" + value;
    return Annotate(status, "with" + (words.empty() ? " defaults" : words));
  }
  return Status::OK();
}

int Main(const char* folder) {
  if (const Status status = InitializeArrow(); !status.ok()) return 1;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  int failed = 0;
  for (const auto& path : paths) {
    const Status status = RunFile(path);
    if (status.ok()) continue;
    ++failed;
    std::printf("FAILED %s\n", MessageOf(status).c_str());
  }
  std::printf("%zu cases, %d failed\n", paths.size(), failed);
  return failed == 0 && !paths.empty() ? 0 : 1;
}

}  // namespace
}  // namespace banquet

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: case_runner FOLDER\n");
    return 2;
  }
  return banquet::Main(argv[1]);
}
