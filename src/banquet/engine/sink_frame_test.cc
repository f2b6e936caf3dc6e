#include "banquet/engine/sink_frame.h"

#include "banquet/base/testing.h"
#include "banquet/engine/sink_run.h"

namespace banquet {
namespace {

SinkFrame Whole() {
  SinkFrame frame{.feature_store_yaml =
                      "project: demo\nprovider: local\nregistry: r.db\n"
                      "online_store: {type: sqlite, path: x.db}\n",
                  .repo_path = "/",
                  .overrides = {{"retry_timeout", "7"}},
                  .views = {}};
  frame.views.push_back(
      {.project = "demo",
       .view = "stats_v2",
       .join_keys = {{.name = "id", .type = ValueType::kInt64, .tags = {}, .description = {}}},
       .features = {{.name = "x",
                     .type = ValueType::kStruct,
                     .tags = {{"feast:struct_schema", "{}"}},
                     .description = {}}},
       .has_created_time = true,
       .ttl_us = 17,
       .entity_key_version = 2,
       .tags = {{"team", "a"}},
       .overwrite = Overwrite::kFeast,
       .guard = Guard::kStrict});
  return frame;
}

TEST(SinkFrameTest, ReadsWhatItWrites) {
  const SinkFrame frame = Whole();
  ASSERT_OK_AND_ASSIGN(const SinkFrame read, SinkFrameFromJson(SinkFrameToJson(frame)));
  EXPECT_EQ(SinkFrameToJson(read), SinkFrameToJson(frame));
  EXPECT_EQ(read.overrides, frame.overrides);
  const ViewColumns& view = read.views.at(0);
  EXPECT_EQ(view.view, "stats_v2");
  EXPECT_EQ(view.join_keys, frame.views[0].join_keys);
  EXPECT_EQ(view.features, frame.views[0].features);
  EXPECT_EQ(view.ttl_us, 17);
  EXPECT_EQ(view.entity_key_version, 2);
  EXPECT_EQ(view.tags, frame.views[0].tags);
  EXPECT_EQ(view.overwrite, Overwrite::kFeast);
  EXPECT_EQ(view.guard, Guard::kStrict);
  ASSERT_OK_AND_ASSIGN(const RepoConfig config, read.Config());
  EXPECT_EQ(config.project, "demo");
  EXPECT_EQ(config.options.retry_timeout, std::chrono::seconds(7));
}

TEST(SinkFrameTest, WhatIsNoneIsTold) {
  EXPECT_FAULT(Fault::kData, "does not begin with a frame", SinkFrameFromJson("s3cret"));
  EXPECT_FAULT(Fault::kData, "format 9", SinkFrameFromJson(R"({"banquet_sink": 9})"));
  EXPECT_FAULT(Fault::kData, "damaged", SinkFrameFromJson(R"({"banquet_sink": 1})"));
}

TEST(SinkReportTest, ReadsWhatItWrites) {
  const SinkReport report{
      .rows = 6,
      .counts = {
          {.store = "redis", .view = "v", .written = 3, .stale = 2, .unchanged = 1, .bytes = 99}}};
  ASSERT_OK_AND_ASSIGN(const SinkReport read, SinkReportFromJson(SinkReportToJson(report)));
  EXPECT_EQ(read.rows, 6);
  EXPECT_EQ(read.counts, report.counts);
  EXPECT_FAULT(Fault::kData, "another format", SinkReportFromJson(R"({"banquet_sink": 2})"));
  for (const char* text : {"", "[]", R"({"banquet_sink": 1})"})
    EXPECT_FAULT(Fault::kData, "no report", SinkReportFromJson(text));
}

}  // namespace
}  // namespace banquet
