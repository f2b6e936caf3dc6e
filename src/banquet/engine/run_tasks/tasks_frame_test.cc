#include "banquet/engine/run_tasks/tasks_frame.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "banquet/base/base64.h"
#include "banquet/base/testing.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

std::string Base64(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, &text);
  return text;
}

// A length-delimited protobuf field of less than 128 bytes.
std::string Bytes(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

// A flag of a field number below 16.
std::string Flag(int number) { return {static_cast<char>(number << 3), 1}; }

// Feast's FeatureView: spec=1 {name=1, entities=3, online=8, batch_source=7 {type=1: BATCH_FILE}}.
std::string ViewNamed(const std::string& name) {
  return Bytes(1, Bytes(1, name) + Bytes(3, "driver") + Bytes(7, Flag(1)) + Flag(8));
}

// Feast's Entity: spec=1 {name=1, join_key=4}.
std::string DriverEntity() { return Bytes(1, Bytes(1, "driver") + Bytes(4, "driver_id")); }

Json Task() {
  return {{"project", "demo"},
          {"kind", "feature_view"},
          {"view", Base64(ViewNamed("stats"))},
          {"aggregations", Json::array()},
          {"start_us", -5},
          {"end_us", 7},
          {"only_latest", true},
          {"disable_event_timestamp", false},
          {"version", nullptr}};
}

Json FrameOf(const Json& task) {
  return {{"banquet_tasks", 1},
          {"feature_store_yaml",
           R"({"project": "demo", "registry": {"registry_type": "snowflake.registry",
               "enable_online_feature_view_versioning": true},
               "online_store": {"type": "sqlite", "path": "x.db"},
               "batch_engine": {"type": "banquet.feast.BanquetEngine", "threads": 3}})"},
          {"repo_path", std::filesystem::temp_directory_path().string()},
          {"overrides", Json::array({Json::array({"retry_timeout", "7"})})},
          {"entities", Json::array({Base64(DriverEntity())})},
          {"tasks", Json::array({task})}};
}

EngineReach Files(const std::string& /*view*/) {
  return {.reads = "files", .sources = {SourceType::kFile}, .transformations = {}};
}

Result<SelectedTask> Select(const Json& task) {
  BANQUET_ASSIGN_OR_RETURN(const TasksFrame frame, TasksFrameFromJson(FrameOf(task).dump()));
  BANQUET_ASSIGN_OR_RETURN(const RepoConfig config, frame.Config());
  BANQUET_ASSIGN_OR_RETURN(const auto selected, SelectGivenTasks(frame, config, Files));
  return selected.at(0);
}

TEST(TasksFrameTest, ATaskIsWhatTheFrameSays) {
  Json task = Task();
  task["only_latest"] = false;
  task["disable_event_timestamp"] = true;
  ASSERT_OK_AND_ASSIGN(const SelectedTask selected, Select(task));
  ASSERT_OK(selected.refusal);
  EXPECT_EQ(selected.task.view.name, "stats");
  EXPECT_EQ(selected.task.view.project, "demo");
  EXPECT_EQ(selected.task.storage_name, "stats");
  EXPECT_EQ(selected.task.window, (TimeWindow{-5, 7}));
  EXPECT_FALSE(selected.task.only_latest);
  EXPECT_TRUE(selected.task.disable_event_timestamp);
  EXPECT_FALSE(selected.task.records_interval) << "the other program records";
}

TEST(TasksFrameTest, TheConfigurationIsTakenAsItIsGiven) {
  Json json = FrameOf(Task());
  json["feature_store_yaml"] = "project: demo\nregistry: $HOME/r.db\n";
  ASSERT_OK_AND_ASSIGN(const TasksFrame frame, TasksFrameFromJson(json.dump()));
  ASSERT_OK_AND_ASSIGN(const RepoConfig config, frame.Config());
  EXPECT_TRUE(config.registry.path.ends_with("$HOME/r.db")) << config.registry.path;
  EXPECT_EQ(config.options.retry_timeout, std::chrono::seconds(7));
}

TEST(TasksFrameTest, AVersionHasAStorageNameOfItsOwn) {
  Json task = Task();
  task["version"] = 2;
  ASSERT_OK_AND_ASSIGN(const SelectedTask selected, Select(task));
  EXPECT_EQ(selected.task.storage_name, "stats_v2");
}

TEST(TasksFrameTest, EntitiesAreOfTheTasksProject) {
  ASSERT_OK_AND_ASSIGN(const TasksFrame frame, TasksFrameFromJson(FrameOf(Task()).dump()));
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, frame.Contents());
  const Entity* entity = contents.FindEntity("demo", "driver");
  ASSERT_NE(entity, nullptr);
  EXPECT_EQ(entity->join_key, "driver_id");
}

TEST(TasksFrameTest, WhatTheVersionCannotDoIsTheViewsRefusal) {
  Json task = Task();
  task["aggregations"] = Json::array({Base64(Bytes(1, "trips"))});
  ASSERT_OK_AND_ASSIGN(const SelectedTask selected, Select(task));
  EXPECT_TRUE(selected.unsupported);
  EXPECT_FAULT(Fault::kUser, "aggregations are not supported", selected.refusal);
}

TEST(TasksFrameTest, AViewThatOnlyItsFunctionKeepsAwayIsKnown) {
  const EngineReach files = Files("");
  FeatureView view;
  view.batch_source = DataSource{};
  view.batch_source->type = SourceType::kFile;
  EXPECT_FALSE(LacksTransformationAlone(view, files)) << "nothing is lacking";
  view.has_transformation = true;
  view.mode = "pandas";
  EXPECT_TRUE(LacksTransformationAlone(view, files));
  view.aggregations.emplace_back();
  EXPECT_FALSE(LacksTransformationAlone(view, files)) << "nor are its aggregations known";
  view.aggregations.clear();
  view.batch_source->type = SourceType::kPush;
  EXPECT_FALSE(LacksTransformationAlone(view, files)) << "nor is its source";
}

TEST(TasksFrameTest, AnotherProjectIsRefused) {
  Json task = Task();
  task["project"] = "other";
  EXPECT_FAULT(Fault::kUser, "of project other, the configuration of demo", Select(task));
}

TEST(TasksFrameTest, WhatIsNoneIsToldAndNotRepeated) {
  for (const char* text : {"s3cret", "[]", "{}", R"({"banquet_sink": 1})"})
    EXPECT_FAULT(Fault::kData, "does not begin with a frame", TasksFrameFromJson(text));
  EXPECT_FAULT(Fault::kData, "format 9", TasksFrameFromJson(R"({"banquet_tasks": 9})"));
  EXPECT_FAULT(Fault::kData, "damaged", TasksFrameFromJson(R"({"banquet_tasks": 1})"));
  const Status status = TasksFrameFromJson("s3cret").status();
  EXPECT_EQ(MessageOf(status).find("s3cret"), std::string::npos);
}

TEST(TasksFrameTest, EveryKeyOfATaskIsNeeded) {
  const Json whole = Task();
  for (const auto& [key, value] : whole.items()) {
    SCOPED_TRACE(key);
    Json task = whole;
    task.erase(key);
    EXPECT_FAULT(Fault::kData, "damaged", TasksFrameFromJson(FrameOf(task).dump()));
    task[key] = Json::array({Json::object()});  // Of no key's kind.
    EXPECT_FAULT(Fault::kData, "damaged", TasksFrameFromJson(FrameOf(task).dump()));
  }
}

TEST(TasksFrameTest, DamagedProtobufsAreData) {
  Json task = Task();
  task["view"] = "!";
  EXPECT_FAULT(Fault::kData, "damaged", Select(task));
  task["view"] = Base64("\xff");
  EXPECT_FAULT(Fault::kData, "does not parse", Select(task));
  task = Task();
  task["kind"] = "label_view";
  EXPECT_FAULT(Fault::kData, "unknown kind: label_view", Select(task));
  task = Task();
  task["aggregations"] = Json::array({Base64("\xff")});
  EXPECT_FAULT(Fault::kData, "aggregation does not parse", Select(task));
  Json json = FrameOf(Task());
  json["entities"] = Json::array({Base64("\xff")});
  ASSERT_OK_AND_ASSIGN(const TasksFrame frame, TasksFrameFromJson(json.dump()));
  EXPECT_FAULT(Fault::kData, "entity does not parse", frame.Contents());
}

}  // namespace
}  // namespace banquet
