#include "banquet/staging/staging_area.h"

#include <filesystem>
#include <fstream>

#include "arrow/builder.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "parquet/file_reader.h"
#include "parquet/metadata.h"

namespace banquet {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) EXPECT_OK(builder.Append(i));
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), count,
                                  {builder.Finish().ValueOrDie()});
}

class StagingAreaTest : public ::testing::Test {
 protected:
  StagingFolder Begin(const std::string& view, const std::string& run) {
    return area_.Begin("demo", view, run).ValueOrDie();
  }
  StagedFile WriteFile(const StagingFolder& folder, const std::string& name, int64_t rows) {
    const auto batch = Numbers(rows);
    auto writer = StagedFileWriter::Open(folder, name, batch->schema()).ValueOrDie();
    EXPECT_OK(writer->Write(*batch));
    return writer->Close().ValueOrDie();
  }
  static StagedManifest ManifestOf(std::vector<StagedFile> files) {
    return {.run_id = "run",
            .project = "demo",
            .views = {{.view = "stats", .version = {}, .storage_name = "stats"}},
            .files = std::move(files)};
  }

  const TemporaryDirectory scratch_;
  const std::shared_ptr<objects::ObjectStore> store_ =
      std::make_shared<objects::ObjectStore>(objects::StoreSettings{});
  StagingArea area_{store_, scratch_.File("staging") + "/", "data/registry.db"};
};

TEST_F(StagingAreaTest, AManifestTellsWhatLiesInItsFolder) {
  StagingFolder folder = Begin("stats", "run-1");
  const StagedFile file = WriteFile(folder, "part-0.parquet", 3);
  EXPECT_EQ(file.rows, 3);
  EXPECT_EQ(file.bytes, static_cast<int64_t>(fs::file_size(folder.uri() + "/part-0.parquet")));
  const StagedManifest manifest = ManifestOf({file});
  ASSERT_OK(folder.WriteManifest(manifest));
  ASSERT_OK_AND_ASSIGN(FoundManifest found, ReadManifest(store_, folder.ManifestUri()));
  EXPECT_EQ(found.manifest, manifest);
  EXPECT_EQ(found.folder.uri(), folder.uri());
  EXPECT_OK(found.folder.CheckFiles(found.manifest));
  ASSERT_OK(folder.Remove());
  EXPECT_FALSE(fs::exists(folder.uri()));
  EXPECT_OK(folder.Remove());
}

TEST_F(StagingAreaTest, FilesThatAreNotThoseOfTheManifestAreFound) {
  StagingFolder folder = Begin("stats", "run-1");
  const StagedManifest manifest = ManifestOf({WriteFile(folder, "part-0.parquet", 3)});
  const std::string path = folder.uri() + "/part-0.parquet";
  fs::copy(path, folder.uri() + "/part-1.parquet");
  EXPECT_FAULT(Fault::kData, "does not name", folder.CheckFiles(manifest));
  fs::remove(folder.uri() + "/part-1.parquet");
  std::ofstream(path, std::ios::app) << "x";
  EXPECT_FAULT(Fault::kData, "the manifest says", folder.CheckFiles(manifest));
  fs::remove(path);
  EXPECT_FAULT(Fault::kData, "not there", folder.CheckFiles(manifest));
}

TEST_F(StagingAreaTest, ANewFolderTakesAwayWhatEarlierRunsOfTheViewLeft) {
  StagingFolder old = Begin("stats", "run-1");
  WriteFile(old, "part-0.parquet", 3);
  StagingFolder others = Begin("other", "run-2");
  WriteFile(others, "part-0.parquet", 3);
  StagingArea elsewhere(store_, scratch_.File("staging"), "another/registry.db");
  StagingFolder foreign = elsewhere.Begin("demo", "stats", "run-3").ValueOrDie();
  WriteFile(foreign, "part-0.parquet", 3);
  const StagingFolder next = Begin("stats", "run-4");
  EXPECT_FALSE(fs::exists(old.uri()));
  EXPECT_TRUE(fs::exists(others.uri()));
  EXPECT_TRUE(fs::exists(foreign.uri()));
  EXPECT_NE(next.uri(), old.uri());
}

// What Spark leaves: checksums of local files, marks of success, folders of attempts.
TEST_F(StagingAreaTest, FilesOfAnotherProgramAreTaken) {
  const StagingFolder folder = Begin("stats", "run-1");
  WriteFile(folder, "part-00001.parquet", 3);
  WriteFile(folder, "part-00000.parquet", 0);
  for (const char* name : {"_SUCCESS", ".part-00001.parquet.crc", "_metadata.parquet", "notes.txt"})
    std::ofstream(folder.uri() + "/" + name) << "x";
  fs::create_directories(folder.uri() + "/_temporary/0");
  std::ofstream(folder.uri() + "/_temporary/0/part-1.parquet") << "x";
  ASSERT_OK_AND_ASSIGN(const std::vector<StagedFile> files, folder.TakeParquetFiles());
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "part-00000.parquet");
  EXPECT_EQ(files[0].rows, 0);
  EXPECT_EQ(files[1].rows, 3);
  EXPECT_EQ(files[1].bytes,
            static_cast<int64_t>(fs::file_size(folder.uri() + "/part-00001.parquet")));
  EXPECT_OK(StagingFolder(folder).CheckFiles(ManifestOf(files)));
  std::ofstream(folder.uri() + "/part-00002.parquet") << "no parquet";
  EXPECT_FAULT(Fault::kData, "part-00002.parquet", folder.TakeParquetFiles());
}

// A writer keeps no more in memory than some rows, however wide they are.
TEST_F(StagingAreaTest, RowGroupsAreBoundedInBytes) {
  const StagingFolder folder = Begin("stats", "run-1");
  const auto batch = Numbers(100'000);  // 800 kB.
  ASSERT_OK_AND_ASSIGN(const auto writer,
                       StagedFileWriter::Open(folder, "part-0.parquet", batch->schema()));
  for (int i = 0; i < 25; ++i) ASSERT_OK(writer->Write(*batch->Slice(0, 50'000 + i)));
  ASSERT_OK(writer->Close());
  const auto metadata =
      parquet::ParquetFileReader::OpenFile(folder.uri() + "/part-0.parquet")->metadata();
  int64_t rows = 0;
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    EXPECT_LE(metadata->RowGroup(i)->num_rows() * 8, 8 << 20);
    rows += metadata->RowGroup(i)->num_rows();
  }
  EXPECT_GE(metadata->num_row_groups(), 2);
  EXPECT_EQ(rows, 25 * 50'000 + 300);
}

TEST_F(StagingAreaTest, AFileThatIsNotClosedIsNoneOfTheManifests) {
  const StagingFolder folder = Begin("stats", "run-1");
  const auto batch = Numbers(3);
  {
    ASSERT_OK_AND_ASSIGN(const auto writer,
                         StagedFileWriter::Open(folder, "part-0.parquet", batch->schema()));
    ASSERT_OK(writer->Write(*batch));
  }
  EXPECT_OK(Begin("stats", "run-2").Remove());
}

TEST_F(StagingAreaTest, WhatIsNoManifestIsTold) {
  EXPECT_FAULT(Fault::kUser, "Name the _manifest.json",
               ReadManifest(store_, scratch_.File("x.parquet")));
  EXPECT_FAULT(Fault::kUser, "does not exist",
               ReadManifest(store_, scratch_.File("_manifest.json")));
  std::ofstream(scratch_.File("_manifest.json")) << "PAR1";
  EXPECT_FAULT(Fault::kData, "no manifest", ReadManifest(store_, scratch_.File("_manifest.json")));
}

TEST_F(StagingAreaTest, AFolderThatMayNotBeWrittenIsTheUsers) {
  std::ofstream(scratch_.File("staging")) << "a file";
  const auto folder = area_.Begin("demo", "stats", "run-1");
  const Status status =
      folder.ok() ? StagedFileWriter::Open(*folder, "part-0.parquet", Numbers(1)->schema()).status()
                  : folder.status();
  EXPECT_FAULT(Fault::kUser, scratch_.File("staging"), status);
}

}  // namespace
}  // namespace banquet
