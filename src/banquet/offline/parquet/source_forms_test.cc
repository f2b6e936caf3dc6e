// Which files a source's path names: files, folders, globs, partitions, and what is refused.

#include <sys/stat.h>

#include <filesystem>

#include "banquet/offline/parquet/parquet_fixtures.h"

namespace banquet::parquet_store {
namespace {

TEST(SourceForms, ReadsAFileRelativeToTheRepository) {
  const TempFolder folder;
  WriteIds(folder.Make("data/trips.parquet"), "[1, 2]");
  ExpectIds(RequestOf("data/trips.parquet"), "[1, 2]", folder.path());
}

TEST(SourceForms, ReadsAbsolutePathsAndFileUris) {
  const TempFolder folder;
  const std::string path = folder.Make("my trips.bin");
  WriteIds(path, "[7]");
  ExpectIds(RequestOf(path), "[7]", "elsewhere");
  ExpectIds(RequestOf("file://" + folder.path() + "/my%20trips.bin"), "[7]", "elsewhere");
  ExpectIds(RequestOf("file://localhost" + path), "[7]", "elsewhere");
}

TEST(SourceForms, ReadsAFolderAtAnyDepthInTheOrderOfPaths) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/b.parquet"), "[4]");
  WriteIds(folder.Make("trips/a/z.pq"), "[2, 3]");
  WriteIds(folder.Make("trips/a/part-0000"), "[1]");
  WriteIds(folder.Make("trips/c.parq"), "[5]");
  ExpectIds(RequestOf("trips"), "[1, 2, 3, 4, 5]", folder.path());
  ExpectIds(RequestOf("trips/"), "[1, 2, 3, 4, 5]", folder.path());
}

TEST(SourceForms, IgnoresNamesThatBeginWithUnderscoreOrDot) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/a.parquet"), "[1]");
  WriteIds(folder.Make("trips/_b.parquet"), "[2]");
  WriteIds(folder.Make("trips/.c.parquet"), "[3]");
  WriteIds(folder.Make("trips/_temporary/d.parquet"), "[4]");
  folder.WriteText("trips/_SUCCESS", "");
  folder.WriteText("trips/.a.parquet.crc", "crc");
  ExpectIds(RequestOf("trips"), "[1]", folder.path());
}

TEST(SourceForms, NamesTheFirstFileThatIsNoParquet) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/a.parquet"), "[1]");
  folder.WriteText("trips/z/readme.md", "text");
  folder.WriteText("trips/part-1", "text");
  EXPECT_FAULT(Fault::kData, "trips/part-1", OpenScan(RequestOf("trips"), folder.path()));
}

TEST(SourceForms, MissingPathIsAUserErrorWithTheResolvedPath) {
  const TempFolder folder;
  EXPECT_FAULT(Fault::kUser, folder.path() + "/data/none.parquet",
               OpenScan(RequestOf("data/none.parquet"), folder.path()));
  EXPECT_FAULT(Fault::kUser, "names no path", OpenScan(RequestOf(""), folder.path()));
}

TEST(SourceForms, EmptyFolderIsAUserError) {
  const TempFolder folder;
  folder.WriteText("trips/_SUCCESS", "");
  EXPECT_FAULT(Fault::kUser, "holds no Parquet file", OpenScan(RequestOf("trips"), folder.path()));
}

TEST(SourceForms, PipeIsRefused) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo(folder.Make("pipe").c_str(), 0600), 0);
  EXPECT_FAULT(Fault::kUser, "neither a file nor a folder",
               OpenScan(RequestOf("pipe"), folder.path()));
}

TEST(SourceForms, OtherSchemesAreNamed) {
  for (const std::string scheme : {"hdfs", "abfss", "https"}) {
    EXPECT_FAULT(Fault::kUser, "not " + scheme + "://",
                 OpenScan(RequestOf(scheme + "://bucket/trips.parquet")));
  }
}

TEST(SourceForms, GlobsTakeWhatTheyMatchAndNoHiddenNames) {
  const TempFolder folder;
  for (const auto& [name, ids] :
       std::vector<std::pair<std::string, std::string>>{{"a1.parquet", "[1]"},
                                                        {"a2.parquet", "[2]"},
                                                        {"b1.parquet", "[3]"},
                                                        {"_a3.parquet", "[4]"},
                                                        {"deep/er/a1.parquet", "[5]"},
                                                        {"deep/_x/a1.parquet", "[6]"}}) {
    WriteIds(folder.Make("trips/" + name), ids);
  }
  folder.WriteText("trips/a.csv", "id\n1\n");
  const auto expect = [&](const std::string& uri, const std::string& ids) {
    SCOPED_TRACE(uri);
    ExpectIds(RequestOf(uri), ids, folder.path());
  };
  expect("trips/a*.parquet", "[1, 2]");
  expect("trips/?1.parquet", "[1, 3]");
  expect("trips/[ab]2.parquet", "[2]");
  expect("trips/[!a]1.parquet", "[3]");
  expect("trips/_*.parquet", "[4]");
  expect("trips/**/a1.parquet", "[1, 5]");
  expect("trips/**/**/a1.parquet", "[1, 5]");
  expect("trips/de*", "[5]");
  expect("trips/*/er/a1.parquet", "[5]");
  EXPECT_FAULT(Fault::kUser, folder.path() + "/trips/q*.parquet",
               OpenScan(RequestOf("trips/q*.parquet"), folder.path()));
  EXPECT_FAULT(Fault::kUser, "matches no file", OpenScan(RequestOf("none/*"), folder.path()));
}

TEST(SourceForms, PathThatExistsIsNoGlob) {
  const TempFolder folder;
  WriteIds(folder.Make("trips[1].parquet"), "[1]");
  WriteIds(folder.Make("trips1.parquet"), "[2]");
  ExpectIds(RequestOf("trips[1].parquet"), "[1]", folder.path());
}

TEST(SourceForms, CircleOfLinksIsADataError) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/a.parquet"), "[1]");
  std::filesystem::create_directory_symlink(folder.path() + "/trips", folder.Make("trips/again"));
  EXPECT_FAULT(Fault::kData, "circle of links", OpenScan(RequestOf("trips"), folder.path()));
}

TEST(SourceForms, TableFormatsAreRefusedByName) {
  const TempFolder folder;
  WriteIds(folder.Make("delta/day=1/a.parquet"), "[1]");
  folder.WriteText("delta/_delta_log/0.json", "{}");
  WriteIds(folder.Make("iceberg/data/a.parquet"), "[1]");
  folder.WriteText("iceberg/metadata/v1.metadata.json", "{}");
  WriteIds(folder.Make("hudi/a.parquet"), "[1]");
  folder.MakeFolder("hudi/.hoodie");
  for (const auto& [uri, name] : std::vector<std::pair<std::string, std::string>>{
           {"delta", "Delta Lake table"},
           {"delta/day=1", "Delta Lake table"},
           {"delta/*/*.parquet", "Delta Lake table"},
           {"delta/day=1/a.parquet", "Delta Lake table"},
           {"iceberg", "Iceberg table"},
           {"**/data/*", "table"},
           {"hudi", "Hudi table"},
           {"hudi/a*", "Hudi table"}}) {
    SCOPED_TRACE(uri);
    EXPECT_FAULT(Fault::kUser, name, OpenScan(RequestOf(uri), folder.path()));
  }
  ScanRequest request = RequestOf("hudi");
  request.source.file_format = "delta";
  EXPECT_FAULT(Fault::kUser, "Delta Lake table", OpenScan(request, folder.path()));
  request.source.file_format = "orc";
  EXPECT_FAULT(Fault::kUser, "orc", OpenScan(request, folder.path()));
}

TEST(SourceForms, FolderNamedMetadataIsNoIcebergByItself) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/metadata/a.parquet"), "[1]");
  ExpectIds(RequestOf("trips"), "[1]", folder.path());
}

TEST(Partitions, KeysBecomeColumnsOfIntegersOrText) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/ds=2026-01-01/hour=07/city=New%20York/a.parquet"), "[1, 2]");
  WriteIds(folder.Make("trips/ds=2026-01-02/hour=-8/city=__HIVE_DEFAULT_PARTITION__/a.parquet"),
           "[3]");
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadSource(RequestOf("trips", {"hour", "id", "ds", "city"}), folder.path()));
  ExpectColumn(*table, "id", arrow::int64(), "[1, 2, 3]");
  ExpectColumn(*table, "hour", arrow::int64(), "[7, 7, -8]");
  ExpectColumn(*table, "ds", arrow::utf8(), R"(["2026-01-01", "2026-01-01", "2026-01-02"])");
  ExpectColumn(*table, "city", arrow::utf8(), R"(["New York", "New York", null])");
}

TEST(Partitions, ColumnAloneAndEventTimeFromAFolder) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/ds=1970-01-02/a.parquet"), "[1, 2]");
  ScanRequest request = RequestOf("trips", {"ds"});
  request.source.timestamp_field = "ds";
  ASSERT_OK_AND_ASSIGN(const auto table, ReadSource(request, folder.path()));
  ExpectColumn(*table, "ds", arrow::utf8(), R"(["1970-01-02", "1970-01-02"])");
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[86400000000, 86400000000]");
}

TEST(Partitions, GlobsKeepTheKeysBelowTheirFixedPart) {
  const TempFolder folder;
  WriteIds(folder.Make("x=1/trips/ds=5/a.parquet"), "[1]");
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadSource(RequestOf("x=1/trips/ds=*/*.parquet", {"ds"}), folder.path()));
  ExpectColumn(*table, "ds", arrow::int64(), "[5]");
  EXPECT_FAULT(Fault::kData, "missing in the source: x",
               OpenScan(RequestOf("x=1/trips/ds=*/*.parquet", {"x"}), folder.path()));
}

TEST(Partitions, StoredColumnWinsOverTheFolder) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/id=9/a.parquet"), "[1, 2]");
  ExpectIds(RequestOf("trips"), "[1, 2]", folder.path());
}

TEST(Partitions, DaysOutsideTheWindowAreNotOpened) {
  const TempFolder folder;
  constexpr int64_t kDayUs = 86400000000;
  folder.WriteText("trips/ds=1970-01-01/a.parquet", "damaged, but never opened");
  WriteIds(folder.Make("trips/ds=1970-01-02/a.parquet"), "[86400000000]");
  WriteIds(folder.Make("trips/ds=1970-01-03/a.parquet"), "[172800000000]");
  WriteIds(folder.Make("trips/ds=1970-13-01/a.parquet"), "[172800000001]");
  WriteIds(folder.Make("trips/ds=__HIVE_DEFAULT_PARTITION__/a.parquet"), "[172800000000]");
  folder.WriteText("trips/ds=1970-01-04/a.parquet", "damaged, but never opened");
  ScanRequest request = RequestOf("trips");
  request.source.date_partition_column = "ds";
  request.window = {.start_us = 2 * kDayUs - 1, .end_us = 2 * kDayUs};
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request, folder.path()));
  EXPECT_EQ(scan.summary.files_pruned, 2);
  EXPECT_EQ(scan.summary.files.size(), 4u);
  EXPECT_THAT(scan.summary.pushed_down, testing::Contains("files by ds"));
  ASSERT_OK_AND_ASSIGN(const auto table, ReadScan(scan));
  ExpectColumn(*table, "id", arrow::int64(), "[172800000000, 172800000000]");
}

TEST(Partitions, WindowOutsideAllDaysGivesAnEmptyScanWithASchema) {
  const TempFolder folder;
  WriteIds(folder.Make("trips/ds=1970-01-02/a.parquet"), "[86400000000]");
  ScanRequest request = RequestOf("trips");
  request.source.date_partition_column = "ds";
  request.window = {.start_us = 0, .end_us = 86399999999};
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request, folder.path()));
  EXPECT_TRUE(scan.fragments.empty());
  EXPECT_EQ(scan.summary.files_pruned, 1);
  EXPECT_EQ(scan.schema->field_names(), (std::vector<std::string>{"id", kEventTimeColumn}));
  request.window.end_us = 86400000000;
  ExpectIds(request, "[86400000000]", folder.path());
}

ConfigNode Block(const std::vector<std::string>& keys, const std::string& type) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  block.entries.emplace_back("type", ConfigNode{.kind = ConfigNode::Kind::kScalar, .scalar = type});
  for (const std::string& key : keys) {
    block.entries.emplace_back(key, ConfigNode{.kind = ConfigNode::Kind::kScalar, .scalar = "x"});
  }
  return block;
}

TEST(OfflineBlock, RefusesKeysThatFeastRefuses) {
  EXPECT_OK(MakeStore(Block({}, "file"), {}));
  EXPECT_OK(MakeStore(Block({}, "dask"), {}));
  EXPECT_OK(
      MakeStore(Block({"staging_location", "staging_location_endpoint_override"}, "duckdb"), {}));
  EXPECT_FAULT(Fault::kUser, "staging_location",
               MakeStore(Block({"staging_location"}, "dask"), {}));
  EXPECT_FAULT(Fault::kUser, "stagin_location",
               MakeStore(Block({"stagin_location"}, "duckdb"), {}));
}

}  // namespace
}  // namespace banquet::parquet_store
