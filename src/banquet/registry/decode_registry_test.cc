#include "banquet/registry/decode_registry.h"

#include <fstream>
#include <limits>

#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "feast/core/Registry.pb.h"
#include "nlohmann/json.hpp"

namespace banquet {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kUsPerSecond = 1'000'000;

std::string TestFile(const std::string& name) {
  return std::string(BANQUET_REGISTRY_TESTDATA) + "/" + name;
}

// What Feast wrote, beside Feast's own JSON of the same message with the wall clock cut out.
class GoldenRegistryTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadWholeFile(TestFile(name + ".db")));
    feast::core::Registry message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    ASSERT_OK_AND_ASSIGN(contents_, DecodeRegistry(message));
    std::ifstream file(TestFile(name + ".json"));
    expected_ = json::parse(file);
  }

  const FeatureView& View(const json& spec) {
    const FeatureView* view =
        contents_.FindView(spec["project"].get<std::string>(), spec["name"].get<std::string>());
    EXPECT_NE(view, nullptr) << spec["name"];
    static const FeatureView kNone;
    return view == nullptr ? kNone : *view;
  }

  RegistryContents contents_;
  json expected_;
};

json TypeJson(ValueType type) {
  // Feast's enum lacks these two, so its JSON has their numbers.
  if (type == ValueType::kPdfBytes || type == ValueType::kImageBytes) return static_cast<int>(type);
  return std::string(NameOf(type));
}

json FieldsJson(const std::vector<Field>& fields) {
  json list = json::array();
  for (const Field& field : fields) {
    json one = {{"name", field.name}, {"value_type", TypeJson(field.type)}};
    if (!field.tags.empty()) one["tags"] = field.tags;
    list.push_back(one);
  }
  return list;
}

void ExpectSource(const json& expected, const DataSource& source) {
  EXPECT_EQ(source.name, expected["name"]);
  EXPECT_EQ(source.type, SourceType::kFile);
  EXPECT_EQ(source.uri, expected["file_options"]["uri"]);
  EXPECT_EQ(source.timestamp_field, expected["timestamp_field"]);
  EXPECT_EQ(source.created_timestamp_column, expected.value("created_timestamp_column", ""));
  EXPECT_EQ(json(source.field_mapping), expected.value("field_mapping", json::object()));
  EXPECT_EQ(source.class_type, expected.value("data_source_class_type", ""));
}

TEST_P(GoldenRegistryTest, DecodesEntitiesSourcesAndProjects) {
  ASSERT_EQ(contents_.entities.size(), expected_["entities"].size());
  for (size_t i = 0; i < contents_.entities.size(); ++i) {
    const json& spec = expected_["entities"][i]["spec"];
    const Entity& entity = contents_.entities[i];
    EXPECT_EQ(entity.name, spec["name"]);
    EXPECT_EQ(entity.join_key, spec["join_key"]);
    EXPECT_EQ(entity.project, spec["project"]);
    EXPECT_EQ(NameOf(entity.value_type), spec.value("value_type", "UNKNOWN"));
    EXPECT_EQ(contents_.FindEntity(entity.project, entity.name), &entity);
  }
  ASSERT_EQ(contents_.data_sources.size(), expected_["data_sources"].size());
  ASSERT_EQ(contents_.data_source_projects.size(), contents_.data_sources.size());
  for (size_t i = 0; i < contents_.data_sources.size(); ++i) {
    ExpectSource(expected_["data_sources"][i], contents_.data_sources[i]);
    EXPECT_EQ(contents_.data_source_projects[i], expected_["data_sources"][i]["project"]);
  }
  ASSERT_EQ(contents_.projects.size(), 1u);
  EXPECT_EQ(contents_.projects[0], expected_["projects"][0]["spec"]["name"]);
  EXPECT_EQ(contents_.version_id.size(), 36u);
}

TEST_P(GoldenRegistryTest, DecodesFeatureViews) {
  ASSERT_EQ(contents_.feature_views.size(), expected_["feature_views"].size());
  for (const json& entry : expected_["feature_views"]) {
    const json& spec = entry["spec"];
    SCOPED_TRACE(spec["name"].get<std::string>());
    const FeatureView& view = View(spec);
    EXPECT_EQ(view.kind, ViewKind::kPlain);
    EXPECT_EQ(json(view.entities), spec["entities"]);
    EXPECT_EQ(FieldsJson(view.features), spec["features"]);
    EXPECT_EQ(FieldsJson(view.entity_columns), spec["entity_columns"]);
    EXPECT_EQ(fmt::format("{}s", view.ttl_us / kUsPerSecond), spec["ttl"]);
    EXPECT_EQ(view.online, spec.value("online", false));
    EXPECT_EQ(view.version, spec["version"]);
    ASSERT_TRUE(view.batch_source.has_value());
    ExpectSource(spec["batch_source"], *view.batch_source);
    const json& meta = entry["meta"];
    EXPECT_EQ(view.state,
              meta.contains("state") ? ViewState::kAvailableOnline : ViewState::kUnspecified);
    EXPECT_EQ(view.current_version_number, meta.value("current_version_number", 0));
    EXPECT_GT(view.created_us, 0);
    EXPECT_GT(view.last_updated_us, 0);
    const json intervals = meta.value("materialization_intervals", json::array());
    ASSERT_EQ(view.materialization_intervals.size(), intervals.size());
    for (size_t i = 0; i < intervals.size(); ++i) {
      const TimeWindow& window = view.materialization_intervals[i];
      EXPECT_EQ(FormatRfc3339(window.end_us), intervals[i]["end_time"]);
      const std::string start = intervals[i]["start_time"];
      if (start[0] != '<') {
        EXPECT_EQ(FormatRfc3339(window.start_us), start);
      }
    }
  }
}

TEST_P(GoldenRegistryTest, DecodesTheVersionHistory) {
  const json& records = expected_["feature_view_version_history"]["records"];
  ASSERT_EQ(contents_.versions.size(), records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const FeatureViewVersion& version = contents_.versions[i];
    EXPECT_EQ(version.view, records[i]["feature_view_name"]);
    EXPECT_EQ(version.project, records[i]["project_id"]);
    EXPECT_EQ(version.number, records[i].value("version_number", 0));
    EXPECT_EQ(version.definition.name, version.view);
    EXPECT_FALSE(version.definition.features.empty());
    EXPECT_TRUE(version.definition.batch_source.has_value());
  }
}

TEST_P(GoldenRegistryTest, DecodesFeatureServices) {
  const json services = expected_.value("feature_services", json::array());
  ASSERT_EQ(contents_.feature_services.size(), services.size());
  for (size_t i = 0; i < services.size(); ++i) {
    const json& spec = services[i]["spec"];
    const FeatureService& service = contents_.feature_services[i];
    EXPECT_EQ(service.name, spec["name"]);
    EXPECT_EQ(service.project, spec["project"]);
    EXPECT_FALSE(service.precompute_online);
    ASSERT_EQ(service.projections.size(), spec["features"].size());
    for (size_t p = 0; p < service.projections.size(); ++p) {
      EXPECT_EQ(service.projections[p].view, spec["features"][p]["feature_view_name"]);
      const json& columns = spec["features"][p]["feature_columns"];
      ASSERT_EQ(service.projections[p].features.size(), columns.size());
      EXPECT_EQ(service.projections[p].features[0], columns[0]["name"]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Feast067, GoldenRegistryTest,
                         ::testing::Values("basic", "incremental", "types", "versioned"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(VersionedRegistryTest, TheFirstVersionKeepsItsFewerFeatures) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadWholeFile(TestFile("versioned.db")));
  feast::core::Registry message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  ASSERT_EQ(contents.versions.size(), 2u);
  EXPECT_EQ(contents.versions[0].definition.features.size(), 1u);
  EXPECT_EQ(contents.versions[1].definition.features.size(), 2u);
  EXPECT_EQ(contents.FindView("golden_ver", "vv")->current_version_number, 1);
}

TEST(DecodeRegistryTest, ATransformationMakesAFeatureViewABatchFeatureView) {
  feast::core::Registry message;
  auto* spec = message.add_feature_views()->mutable_spec();
  spec->set_name("b");
  spec->mutable_feature_transformation()->mutable_user_defined_function()->set_mode("pandas");
  spec->add_source_views()->set_name("parent");
  spec->set_offline(true);
  spec->set_disabled(true);
  spec->set_enable_validation(true);
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  const FeatureView& view = contents.feature_views.at(0);
  EXPECT_EQ(view.kind, ViewKind::kBatch);
  EXPECT_TRUE(view.has_transformation);
  EXPECT_EQ(view.mode, "pandas");
  EXPECT_EQ(view.source_view_count, 1);
  EXPECT_TRUE(view.offline && view.disabled && view.enable_validation);
}

TEST(DecodeRegistryTest, StreamViewsHaveTheirOwnNumbers) {
  feast::core::Registry message;
  auto* view_message = message.add_stream_feature_views();
  auto* spec = view_message->mutable_spec();
  spec->set_name("s");
  spec->set_project("p");
  spec->set_online(true);
  spec->set_mode("spark");
  spec->set_enable_tiling(true);
  spec->mutable_user_defined_function()->set_name("f");
  spec->mutable_ttl()->set_seconds(7);
  auto* aggregation = spec->add_aggregations();
  aggregation->set_column("c");
  aggregation->set_function("sum");
  aggregation->mutable_time_window()->set_seconds(60);
  aggregation->mutable_slide_interval()->set_nanos(5000);
  auto* push = spec->mutable_stream_source();
  push->set_type(feast::core::DataSource::PUSH_SOURCE);
  push->set_name("push");
  push->mutable_batch_source()->set_name("nested");
  auto* meta = view_message->mutable_meta();
  meta->set_state(feast::core::MATERIALIZING);
  meta->mutable_created_timestamp()->set_seconds(-1);
  meta->mutable_created_timestamp()->set_nanos(999'999'999);
  ASSERT_OK_AND_ASSIGN(RegistryContents contents, DecodeRegistry(message));
  const FeatureView& view = *contents.FindView("p", "s");
  EXPECT_EQ(view.kind, ViewKind::kStream);
  EXPECT_TRUE(view.online && view.has_transformation && view.enable_tiling);
  EXPECT_FALSE(view.offline);
  EXPECT_EQ(view.mode, "spark");
  EXPECT_EQ(view.ttl_us, 7 * kUsPerSecond);
  ASSERT_EQ(view.aggregations.size(), 1u);
  EXPECT_EQ(view.aggregations[0].time_window_us, 60 * kUsPerSecond);
  EXPECT_EQ(view.aggregations[0].slide_interval_us, 5);
  EXPECT_EQ(view.stream_source->type, SourceType::kPush);
  EXPECT_EQ(view.batch_source->name, "nested");
  EXPECT_EQ(view.state, ViewState::kMaterializing);
  EXPECT_EQ(view.created_us, -1);
  // The view's own batch source wins over the one inside its push source.
  spec->mutable_batch_source()->set_name("own");
  ASSERT_OK_AND_ASSIGN(contents, DecodeRegistry(message));
  EXPECT_EQ(contents.FindView("p", "s")->batch_source->name, "own");
}

TEST(DecodeRegistryTest, OnDemandAndLabelViewsAreListedLast) {
  feast::core::Registry message;
  auto* on_demand = message.add_on_demand_feature_views();
  on_demand->mutable_spec()->set_name("o");
  on_demand->mutable_spec()->set_mode("python");
  on_demand->mutable_spec()->set_write_to_online_store(true);
  on_demand->mutable_spec()->add_features()->set_name("f");
  on_demand->mutable_meta()->set_current_version_number(3);
  on_demand->mutable_meta()->set_state(feast::core::AVAILABLE_ONLINE);
  auto* label = message.add_label_views()->mutable_spec();
  label->set_name("l");
  label->mutable_source()->set_name("plain source");
  auto* pushed = message.add_label_views()->mutable_spec();
  pushed->mutable_source()->mutable_batch_source()->set_name("nested");
  message.add_feature_views()->mutable_spec()->set_name("v");
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  ASSERT_EQ(contents.feature_views.size(), 4u);
  EXPECT_EQ(contents.feature_views[0].name, "v");
  const FeatureView& decoded = contents.feature_views[1];
  EXPECT_EQ(decoded.kind, ViewKind::kOnDemand);
  EXPECT_TRUE(decoded.write_to_online_store);
  EXPECT_FALSE(decoded.online || decoded.has_transformation);
  EXPECT_EQ(decoded.mode, "python");
  EXPECT_EQ(decoded.features.at(0).name, "f");
  EXPECT_EQ(decoded.current_version_number, 3);
  EXPECT_EQ(decoded.state, ViewState::kAvailableOnline);
  EXPECT_EQ(contents.feature_views[2].kind, ViewKind::kLabel);
  EXPECT_EQ(contents.feature_views[2].batch_source->name, "plain source");
  EXPECT_EQ(contents.feature_views[3].batch_source->name, "nested");
  EXPECT_TRUE(contents.feature_views[3].stream_source.has_value());
}

TEST(DecodeRegistryTest, ServicesKeepAliasJoinKeysAndVersion) {
  feast::core::Registry message;
  auto* spec = message.add_feature_services()->mutable_spec();
  spec->set_precompute_online(true);
  auto* projection = spec->add_features();
  projection->set_feature_view_name("v");
  projection->set_feature_view_name_alias("a");
  (*projection->mutable_join_key_map())["id"] = "other";
  projection->set_version_tag(0);
  spec->add_features();
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  const FeatureService& service = contents.feature_services.at(0);
  EXPECT_TRUE(service.precompute_online);
  EXPECT_EQ(service.projections[0].alias, "a");
  EXPECT_THAT(service.projections[0].join_key_map, ElementsAre(Pair("id", "other")));
  EXPECT_EQ(service.projections[0].version_tag, 0);
  EXPECT_FALSE(service.projections[1].version_tag.has_value());
}

TEST(DecodeRegistryTest, SourcesOfEveryKindKeepTableAndQuery) {
  feast::core::Registry message;
  message.add_data_sources()->mutable_bigquery_options()->set_table("bigquery");
  message.add_data_sources()->mutable_redshift_options()->set_table("redshift");
  message.add_data_sources()->mutable_snowflake_options()->set_table("snowflake");
  message.add_data_sources()->mutable_trino_options()->set_table("trino");
  message.add_data_sources()->mutable_athena_options()->set_table("athena");
  message.add_data_sources()->mutable_spark_options()->set_table("spark");
  message.add_data_sources()->mutable_custom_options()->set_configuration(
      R"({"name": "x", "table": "postgres", "query": "select 1"})");
  ASSERT_OK_AND_ASSIGN(RegistryContents contents, DecodeRegistry(message));
  std::vector<std::string> tables;
  for (const DataSource& source : contents.data_sources) tables.push_back(source.table);
  EXPECT_THAT(tables, ElementsAre("bigquery", "redshift", "snowflake", "trino", "athena", "spark",
                                  "postgres"));
  EXPECT_EQ(contents.data_sources.back().query, "select 1");

  message.Clear();
  for (const char* name : {"postgres_source.PostgreSQLSource", "mssql.MsSqlServerSource"}) {
    auto* custom = message.add_data_sources();
    custom->set_type(feast::core::DataSource::CUSTOM_SOURCE);
    custom->set_data_source_class_type(std::string("feast.") + name);
  }
  ASSERT_OK_AND_ASSIGN(contents, DecodeRegistry(message));
  EXPECT_EQ(contents.data_sources[0].type, SourceType::kPostgres);
  EXPECT_EQ(contents.data_sources[1].type, SourceType::kCustom);

  message.Clear();
  message.add_data_sources()->mutable_custom_options()->set_configuration("\x80 no JSON {");
  message.add_data_sources()->mutable_custom_options()->set_configuration(R"({"table": null})");
  auto* file = message.add_data_sources()->mutable_file_options();
  file->mutable_file_format()->mutable_delta_format();
  file->set_s3_endpoint_override("http://h");
  message.add_data_sources()
      ->mutable_file_options()
      ->mutable_file_format()
      ->mutable_parquet_format();
  message.add_data_sources()->set_type(static_cast<feast::core::DataSource::SourceType>(99));
  ASSERT_OK_AND_ASSIGN(contents, DecodeRegistry(message));
  EXPECT_EQ(contents.data_sources[0].table, "");
  EXPECT_EQ(contents.data_sources[1].table, "");
  EXPECT_EQ(contents.data_sources[2].file_format, "delta");
  EXPECT_EQ(contents.data_sources[2].s3_endpoint_override, "http://h");
  EXPECT_EQ(contents.data_sources[3].file_format, "parquet");
  EXPECT_EQ(static_cast<int>(contents.data_sources[4].type), 99);
}

TEST(DecodeRegistryTest, ProjectsOfOlderFeastAreFoundToo) {
  feast::core::Registry message;
  message.add_projects()->mutable_spec()->set_name("new");
  message.add_project_metadata()->set_project("new");
  message.add_project_metadata()->set_project("old");
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  EXPECT_THAT(contents.projects, ElementsAre("new", "old"));
}

TEST(DecodeRegistryTest, SnapshotsOfEveryKindAreDecodedAndUnknownKindsLeftOut) {
  feast::core::Registry message;
  const auto add = [&](const std::string& kind, const std::string& bytes) {
    auto* record = message.mutable_feature_view_version_history()->add_records();
    record->set_feature_view_name("v");
    record->set_version_number(4);
    record->set_feature_view_type(kind);
    record->set_feature_view_proto(bytes);
  };
  add("feature_view", feast::core::FeatureView().SerializeAsString());
  add("stream_feature_view", feast::core::StreamFeatureView().SerializeAsString());
  add("on_demand_feature_view", feast::core::OnDemandFeatureView().SerializeAsString());
  add("view_of_tomorrow", "");
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  ASSERT_EQ(contents.versions.size(), 3u);
  EXPECT_EQ(contents.versions[1].definition.kind, ViewKind::kStream);
  EXPECT_EQ(contents.versions[2].definition.kind, ViewKind::kOnDemand);
  add("feature_view", "\xff\xff");
  EXPECT_FAULT(Fault::kData, "Version 4 of view v", DecodeRegistry(message));
}

TEST(DecodeRegistryTest, TimesBeyondTheRangeStayAtItsEnd) {
  feast::core::Registry message;
  auto* spec = message.add_feature_views()->mutable_spec();
  spec->mutable_ttl()->set_seconds(std::numeric_limits<int64_t>::max());
  message.add_feature_views()->mutable_spec()->mutable_ttl()->set_seconds(
      std::numeric_limits<int64_t>::min());
  ASSERT_OK_AND_ASSIGN(const RegistryContents contents, DecodeRegistry(message));
  EXPECT_EQ(contents.feature_views[0].ttl_us, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(contents.feature_views[1].ttl_us, std::numeric_limits<int64_t>::min());
  EXPECT_THAT(contents.feature_views[0].materialization_intervals, IsEmpty());
}

}  // namespace
}  // namespace banquet
