#include "banquet/staging/manifest.h"

#include "banquet/base/testing.h"

namespace banquet {
namespace {

StagedManifest Whole() {
  return {.run_id = "stats-0123",
          .project = "demo",
          .window = {.start_us = 1'704'067'200'000'001, .end_us = 1'704'153'600'000'000},
          .records_interval = false,
          .has_created_time = true,
          .views = {{.view = "stats", .version = "v2", .storage_name = "stats_v2"}},
          .files = {{.name = "part-0.parquet", .rows = 7, .bytes = 1234},
                    {.name = "part-1.parquet", .rows = 0, .bytes = 99}}};
}

TEST(ManifestTest, ReadsWhatItWrites) {
  const StagedManifest manifest = Whole();
  ASSERT_OK_AND_ASSIGN(const StagedManifest read, ManifestFromJson(ManifestToJson(manifest), "m"));
  EXPECT_EQ(read, manifest);
  EXPECT_EQ(read.rows(), 7);
}

TEST(ManifestTest, WhatIsNoneOrOfAnotherFormatIsTold) {
  for (const char* text : {"", "[]", "{}", "{\"banquet_manifest\": 1", "PAR1"})
    EXPECT_FAULT(Fault::kData, "m.json", ManifestFromJson(text, "m.json"));
  EXPECT_FAULT(Fault::kData, "format 2", ManifestFromJson(R"({"banquet_manifest": 2})", "m"));
}

// Every key is needed, and of its own kind.
TEST(ManifestTest, DamageIsFound) {
  const std::string whole = ManifestToJson(Whole());
  for (const char* key : {"run_id", "project", "window", "start", "records_interval",
                          "has_created_time", "views", "storage_name", "files", "rows"}) {
    std::string damaged = whole;
    damaged.replace(damaged.find(std::string("\"") + key + "\""), 2, "\"_");
    SCOPED_TRACE(key);
    EXPECT_FAULT(Fault::kData, "damaged", ManifestFromJson(damaged, "m"));
  }
  std::string of_text = whole;
  of_text.replace(of_text.find(": 7"), 3, ": \"7\"");
  EXPECT_FAULT(Fault::kData, "damaged", ManifestFromJson(of_text, "m"));
  StagedManifest empty = Whole();
  empty.views.clear();
  EXPECT_FAULT(Fault::kData, "damaged", ManifestFromJson(ManifestToJson(empty), "m"));
}

}  // namespace
}  // namespace banquet
