// What a scan gives: columns, types over several files, fragments, pruning, and its summary.

#include "arrow/extension/uuid.h"
#include "banquet/offline/column_types.h"
#include "banquet/offline/parquet/parquet_fixtures.h"

namespace banquet::parquet_store {
namespace {

TEST(Columns, OnlyTheRequestedOnesAndTheTimesInOrder) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"), {{"a", arrow::int32(), "[1, null]"},
                                          {"event_timestamp", Micros(), "[5, 6]"},
                                          {"b", arrow::utf8(), R"(["x", "y"])"},
                                          {"created", Micros(), "[null, 8]"},
                                          {"c", arrow::boolean(), "[true, false]"}});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {"c", "a"});
  request.source.created_timestamp_column = "created";
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  EXPECT_EQ(scan.schema->field_names(),
            (std::vector<std::string>{"c", "a", kEventTimeColumn, kCreatedTimeColumn}));
  EXPECT_EQ(scan.summary.pushed_down,
            (std::vector<std::string>{"columns: c, a, event_timestamp, created",
                                      "row groups by event_timestamp"}));
  ASSERT_OK_AND_ASSIGN(const auto table, ReadScan(scan));
  ExpectColumn(*table, "a", arrow::int32(), "[1, null]");
  ExpectColumn(*table, "c", arrow::boolean(), "[true, false]");
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[5, 6]");
  ExpectColumn(*table, kCreatedTimeColumn, Micros(), "[null, 8]");
}

TEST(Columns, TimeColumnsMayAlsoBeRequestedAsTheyAre) {
  const TempFolder folder;
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI);
  WriteParquet(folder.Make("t.parquet"), {{"event_timestamp", millis, "[5, null]"}});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {"event_timestamp"});
  request.source.created_timestamp_column = "event_timestamp";
  ASSERT_OK_AND_ASSIGN(const auto table, ReadSource(request));
  ExpectColumn(*table, "event_timestamp", millis, "[5, null]");
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[5000, null]");
  ExpectColumn(*table, kCreatedTimeColumn, Micros(), "[5000, null]");
}

TEST(Columns, TimeFieldsAreFoundThroughTheFieldMapping) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"), {{"at", Micros(), "[5]"}});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
  request.source.field_mapping = {{"at", "event_timestamp"}};
  ASSERT_OK_AND_ASSIGN(const auto table, ReadSource(request));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[5]");
}

TEST(Columns, MissingOneIsNamedWithFileAndNearestName) {
  const TempFolder folder;
  WriteIds(folder.Make("t.parquet"), "[1]");
  const ScanRequest request = RequestOf(folder.path() + "/t.parquet", {"event_timestmp"});
  EXPECT_FAULT(Fault::kData, "event_timestmp, file " + folder.path() + "/t.parquet",
               OpenScan(request));
  EXPECT_FAULT(Fault::kData, "Did you mean 'event_timestamp'?", OpenScan(request));
  ScanRequest created = RequestOf(folder.path() + "/t.parquet");
  created.source.created_timestamp_column = "created";
  EXPECT_FAULT(Fault::kData, "missing in the source: created", OpenScan(created));
  ScanRequest event = RequestOf(folder.path() + "/t.parquet");
  event.source.timestamp_field = "ts";
  EXPECT_FAULT(Fault::kData, "missing in the source: ts", OpenScan(event));
}

TEST(Columns, ReservedDoubledAndForeignOnesAreRefused) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"), {{"id", arrow::int64(), "[1]"},
                                          {"id", arrow::int64(), "[1]"},
                                          {"event_timestamp", Micros(), "[1]"}});
  EXPECT_FAULT(Fault::kData, "Two columns have one name: id",
               OpenScan(RequestOf(folder.path() + "/t.parquet")));
  EXPECT_FAULT(Fault::kUser, "rename it in the source: __event_time",
               OpenScan(RequestOf(folder.path() + "/t.parquet", {kEventTimeColumn})));
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
  request.source.type = SourceType::kBigQuery;
  EXPECT_FAULT(Fault::kUser, "BigQuerySource", OpenScan(request));
  request = RequestOf(folder.path() + "/t.parquet", {});
  request.source.timestamp_field = "";
  EXPECT_FAULT(Fault::kUser, "no timestamp_field", OpenScan(request));
}

TEST(Columns, NestedOnesComeWhole) {
  const TempFolder folder;
  const auto list = arrow::list(arrow::field("element", arrow::float64()));
  const auto record = arrow::struct_(
      {arrow::field("x", arrow::int64()), arrow::field("tags", arrow::list(arrow::utf8()))});
  const auto map = arrow::map(arrow::utf8(), arrow::int64());
  const std::string lists = "[[1.5, null], [], null]";
  const std::string records = R"([{"x": 1, "tags": ["a"]}, {"x": null, "tags": null}, null])";
  const std::string maps = R"([[["k", 1]], [], null])";
  WriteParquet(folder.Make("t.parquet"), {{"l", list, lists},
                                          {"r", record, records},
                                          {"event_timestamp", Micros(), "[1, 2, 3]"},
                                          {"m", map, maps}});
  ASSERT_OK_AND_ASSIGN(const Scan scan,
                       OpenScan(RequestOf(folder.path() + "/t.parquet", {"m", "r", "l"})));
  ASSERT_OK_AND_ASSIGN(const auto table, ReadScan(scan));
  ExpectColumn(*table, "m", table->GetColumnByName("m")->type(), maps);
  ExpectColumn(*table, "r", table->GetColumnByName("r")->type(), records);
  ExpectColumn(*table, "l", list, lists);
}

TEST(Columns, DictionariesAndViewsBecomePlain) {
  const TempFolder folder;
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  WriteParquet(folder.Make("t.parquet"), {{"d", dictionary, R"(["x", null, "y", "x"])"},
                                          {"v", arrow::utf8_view(), R"(["a", null, "b", "c"])"},
                                          {"u", arrow::uint64(), "[1, 2, 3, 18446744073709551615]"},
                                          {"event_timestamp", Micros(), "[1, 2, 3, 4]"}});
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadSource(RequestOf(folder.path() + "/t.parquet", {"d", "v", "u"})));
  ExpectColumn(*table, "d", arrow::utf8(), R"(["x", null, "y", "x"])");
  ExpectColumn(*table, "v", arrow::utf8(), R"(["a", null, "b", "c"])");
  ExpectColumn(*table, "u", arrow::uint64(), "[1, 2, 3, 18446744073709551615]");
}

TEST(Columns, ExtensionTypesBecomeTheirStorage) {
  const TempFolder folder;
  const auto bytes = arrow::fixed_size_binary(16);
  const auto stored = FromJson(bytes, R"(["0123456789abcdef", null])");
  const auto uuids = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), stored);
  const auto schema =
      arrow::schema({arrow::field("u", uuids->type()), arrow::field("event_timestamp", Micros())});
  WriteParquet(folder.Make("t.parquet"),
               *arrow::Table::Make(schema, {uuids, FromJson(Micros(), "[1, 2]")}));
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadSource(RequestOf(folder.path() + "/t.parquet", {"u"})));
  ExpectColumn(*table, "u", bytes, R"(["0123456789abcdef", null])");
}

// Two files with one column of two types.
struct TwoTypes {
  JsonColumn first;
  JsonColumn second;
};

Result<std::shared_ptr<arrow::Table>> ReadBoth(const TempFolder& folder, const TwoTypes& types) {
  WriteParquet(folder.Make("both/1.parquet"),
               {{"c", types.first.type, types.first.json}, {"event_timestamp", Micros(), "[1]"}});
  WriteParquet(folder.Make("both/2.parquet"),
               {{"c", types.second.type, types.second.json}, {"event_timestamp", Micros(), "[2]"}});
  return ReadSource(RequestOf(folder.path() + "/both", {"c"}));
}

TEST(DifferingFiles, TypesAreUnifiedWhereNothingIsLost) {
  struct Case {
    TwoTypes types;
    std::shared_ptr<arrow::DataType> type;
    std::string json;
  };
  const auto seconds = arrow::timestamp(arrow::TimeUnit::SECOND, "UTC");
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI);
  const auto dictionary = arrow::dictionary(arrow::int16(), arrow::utf8());
  const auto nanos = arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin");
  const std::vector<Case> cases = {
      {{{"", arrow::int8(), "[-1]"}, {"", arrow::int64(), "[2]"}}, arrow::int64(), "[-1, 2]"},
      {{{"", arrow::int32(), "[1]"}, {"", arrow::int16(), "[2]"}}, arrow::int32(), "[1, 2]"},
      {{{"", arrow::uint32(), "[4294967295]"}, {"", arrow::int32(), "[-1]"}},
       arrow::int64(),
       "[4294967295, -1]"},
      {{{"", arrow::uint8(), "[255]"}, {"", arrow::int8(), "[-1]"}}, arrow::int16(), "[255, -1]"},
      {{{"", arrow::float32(), "[0.5]"}, {"", arrow::float64(), "[0.1]"}},
       arrow::float64(),
       "[0.5, 0.1]"},
      {{{"", arrow::utf8(), R"(["a"])"}, {"", arrow::large_utf8(), R"(["b"])"}},
       arrow::large_utf8(),
       R"(["a", "b"])"},
      {{{"", arrow::utf8(), R"(["a"])"}, {"", dictionary, R"(["b"])"}},
       arrow::utf8(),
       R"(["a", "b"])"},
      {{{"", arrow::null(), "[null]"}, {"", arrow::float64(), "[0.5]"}},
       arrow::float64(),
       "[null, 0.5]"},
      {{{"", arrow::list(arrow::int64()), "[[1]]"}, {"", arrow::null(), "[null]"}},
       arrow::list(arrow::field("element", arrow::int64())),
       "[[1], null]"},
      {{{"", arrow::list(arrow::int32()), "[[1]]"}, {"", arrow::list(arrow::int64()), "[[2]]"}},
       arrow::list(arrow::field("element", arrow::int64())),
       "[[1], [2]]"},
      {{{"", arrow::decimal128(5, 2), R"(["1.25"])"}, {"", arrow::decimal128(9, 2), R"(["2.50"])"}},
       arrow::decimal128(9, 2),
       R"(["1.25", "2.50"])"},
      {{{"", seconds, "[1]"}, {"", seconds, "[2]"}},
       arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
       "[1000, 2000]"},
      {{{"", seconds, "[1]"}, {"", millis, "[2]"}},
       arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
       "[1000, 2]"},
      {{{"", nanos, "[1]"}, {"", millis, "[2]"}},
       arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
       "[1, 2000000]"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const TempFolder folder;
    ASSERT_OK_AND_ASSIGN(const auto table, ReadBoth(folder, cases[i].types));
    ExpectColumn(*table, "c", cases[i].type, cases[i].json);
  }
}

TEST(DifferingFiles, OtherTypesAreRefusedWithBothFiles) {
  const std::vector<TwoTypes> cases = {
      {{"", arrow::int64(), "[1]"}, {"", arrow::utf8(), R"(["x"])"}},
      {{"", arrow::int64(), "[1]"}, {"", arrow::float64(), "[1.5]"}},
      {{"", arrow::uint64(), "[1]"}, {"", arrow::int64(), "[1]"}},
      {{"", arrow::date32(), "[1]"}, {"", Micros(), "[1]"}},
      {{"", arrow::decimal128(5, 2), R"(["1.25"])"}, {"", arrow::decimal128(5, 1), R"(["1.2"])"}},
      {{"", arrow::list(arrow::int64()), "[[1]]"}, {"", arrow::int64(), "[1]"}},
      {{"", arrow::struct_({arrow::field("x", arrow::int64())}), R"([{"x": 1}])"},
       {"", arrow::struct_({arrow::field("y", arrow::int64())}), R"([{"y": 1}])"}},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const TempFolder folder;
    const auto read = ReadBoth(folder, cases[i]);
    EXPECT_FAULT(Fault::kData, "/both/1.parquet", read);
    EXPECT_FAULT(Fault::kData, "/both/2.parquet", read);
  }
}

TEST(DifferingFiles, TimeThatTheFinerUnitCannotHoldIsADataError) {
  const TempFolder folder;
  EXPECT_FAULT(Fault::kData, "1.parquet",
               ReadBoth(folder, {{"", Micros(), "[253402300799999999]"},
                                 {"", arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), "[1]"}}));
}

TEST(DifferingFiles, ColumnMissingInOneNamesThatFile) {
  const TempFolder folder;
  WriteIds(folder.Make("s/1.parquet"), "[1]");
  WriteParquet(folder.Make("s/2.parquet"), {{"event_timestamp", Micros(), "[1]"}});
  EXPECT_FAULT(Fault::kData, "missing in the source: id, file " + folder.path() + "/s/2.parquet",
               OpenScan(RequestOf(folder.path() + "/s")));
}

TEST(Fragments, AreRowGroupsThatCountRowsOverAllFiles) {
  const TempFolder folder;
  WriteIds(folder.Make("s/1.parquet"), "[1, 2, 3, 4, 5]", {.row_group_rows = 2});
  WriteIds(folder.Make("s/2.parquet"), "[]");
  WriteIds(folder.Make("s/3.parquet"), "[6, 7, 8]", {.row_group_rows = 2});
  ScanRequest request = RequestOf(folder.path() + "/s");
  request.window = {.start_us = 5, .end_us = 6};
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  ASSERT_EQ(scan.fragments.size(), 2u);
  EXPECT_EQ(scan.fragments[0]->first_row(), 4);
  EXPECT_EQ(scan.fragments[0]->rows(), 1);
  EXPECT_EQ(scan.fragments[1]->first_row(), 5);
  EXPECT_EQ(scan.fragments[1]->rows(), 2);
  EXPECT_EQ(scan.summary.rows, 8);
  EXPECT_EQ(scan.summary.rows_pruned, 5);
  ASSERT_EQ(scan.summary.files.size(), 3u);
  EXPECT_EQ(scan.summary.files[0].row_groups, 3);
  EXPECT_EQ(scan.summary.files[0].row_groups_pruned, 2);
  EXPECT_EQ(scan.summary.files[1].rows, 0);
  EXPECT_EQ(scan.summary.files[2].row_groups_pruned, 1);
  ASSERT_OK_AND_ASSIGN(const auto table, ReadScan(scan));
  ExpectColumn(*table, "id", arrow::int64(), "[5, 6, 7]");
}

TEST(Fragments, AreReadInBatchesMoreThanOnceAndCountTheirBytes) {
  const TempFolder folder;
  std::string ids = "[0";
  for (int i = 1; i < 150'000; ++i) ids += "," + std::to_string(i);
  WriteIds(folder.Make("t.parquet"), ids + "]");
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(RequestOf(folder.path() + "/t.parquet")));
  ASSERT_EQ(scan.fragments.size(), 1u);
  for (int time = 0; time < 2; ++time) {
    ASSERT_OK_AND_ASSIGN(const auto reader, scan.fragments[0]->Open(scan.AllColumns()));
    std::vector<int64_t> rows;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
      if (batch == nullptr) break;
      rows.push_back(batch->num_rows());
    }
    EXPECT_EQ(rows, (std::vector<int64_t>{65536, 65536, 18928}));
    EXPECT_GT(reader->bytes_read(), 1000);
    EXPECT_LT(reader->bytes_read(),
              static_cast<int64_t>(std::filesystem::file_size(folder.path() + "/t.parquet")));
    ASSERT_OK_AND_ASSIGN(const auto after_the_end, reader->Next());
    EXPECT_EQ(after_the_end, nullptr);
  }
}

TEST(Fragments, GiveSomeColumnsInTheOrderAskedForAndTheTimes) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"), {{"a", arrow::int32(), "[1, 2]"},
                                          {"event_timestamp", Micros(), "[5, 6]"},
                                          {"b", arrow::utf8(), R"(["x", "y"])"},
                                          {"created", Micros(), "[null, 8]"},
                                          {"c", arrow::boolean(), "[true, false]"}});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {"c", "a", "b"});
  request.source.created_timestamp_column = "created";
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  ASSERT_EQ(scan.columns, 3);
  for (const std::vector<int>& columns :
       {std::vector<int>{2, 0}, std::vector<int>{1}, std::vector<int>{}}) {
    ASSERT_OK_AND_ASSIGN(const auto reader, scan.fragments[0]->Open(columns));
    ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
    std::vector<std::string> names;
    for (const int column : columns) names.push_back(scan.schema->field(column)->name());
    names.insert(names.end(), {kEventTimeColumn, kCreatedTimeColumn});
    EXPECT_EQ(batch->schema()->field_names(), names);
    ASSERT_OK(batch->ValidateFull());
    EXPECT_EQ(batch->column(batch->num_columns() - 1)->null_count(), 1);
  }
}

TEST(Fragments, TellTheBoundsOfTimesAndOfWholeNumbersWithoutNulls) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"),
               {{"id", arrow::int64(), "[5, -3, 9, 1]"},
                {"narrow", arrow::int16(), "[7, 8, 1, 2]"},
                {"holes", arrow::int64(), "[1, null, 3, 4]"},
                {"real", arrow::float64(), "[1, 2, 3, 4]"},
                {"unsigned", arrow::uint32(), "[1, 2, 3, 4]"},
                {"event_timestamp", arrow::timestamp(arrow::TimeUnit::MILLI), "[4, 2, 1, 3]"}},
               {.row_group_rows = 2});
  const ScanRequest request =
      RequestOf(folder.path() + "/t.parquet", {"id", "narrow", "holes", "real", "unsigned"});
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  const ScanFragment& first = *scan.fragments[0];
  EXPECT_EQ(first.time_bounds()->least_us, 2000);
  EXPECT_EQ(first.time_bounds()->greatest_us, 4000);
  EXPECT_EQ(first.BoundsOf(0)->least, -3);
  EXPECT_EQ(first.BoundsOf(0)->greatest, 5);
  EXPECT_EQ(first.BoundsOf(1)->greatest, 8);
  EXPECT_FALSE(first.BoundsOf(2).has_value());
  EXPECT_EQ(scan.fragments[1]->BoundsOf(2)->least, 3);
  EXPECT_FALSE(first.BoundsOf(3).has_value());
  EXPECT_FALSE(first.BoundsOf(4).has_value());
}

TEST(Fragments, TellNoBoundsWithoutStatistics) {
  const TempFolder folder;
  WriteIds(folder.Make("t.parquet"), "[1, 2]", {.statistics = false});
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(RequestOf(folder.path() + "/t.parquet")));
  EXPECT_FALSE(scan.fragments[0]->time_bounds().has_value());
  EXPECT_FALSE(scan.fragments[0]->BoundsOf(0).has_value());
}

TEST(Dictionaries, ComeAsSuchWhereAskedForAndEveryPageHasThem) {
  const TempFolder folder;
  const auto write = [&](const std::string& name) {
    WriteParquet(folder.Make(name),
                 {{"word", arrow::utf8(), R"(["a", null, "b", "a"])"},
                  {"number", arrow::int64(), "[1, 2, 3, 4]"},
                  {"event_timestamp", Micros(), "[1, 2, 3, 4]"}},
                 {.row_group_rows = 3});
  };
  write("x/1.parquet");
  write("x/2.parquet");
  ScanRequest request = RequestOf(folder.path() + "/x", {"word", "number"});
  ASSERT_OK_AND_ASSIGN(const Scan plain, OpenScan(request));
  EXPECT_EQ(plain.schema->field(0)->type()->id(), arrow::Type::STRING);
  request.keep_dictionaries = true;
  ASSERT_OK_AND_ASSIGN(const Scan kept, OpenScan(request));
  EXPECT_TRUE(
      kept.schema->field(0)->type()->Equals(arrow::dictionary(arrow::int32(), arrow::utf8())));
  EXPECT_EQ(kept.schema->field(1)->type()->id(), arrow::Type::INT64);
  ASSERT_OK_AND_ASSIGN(const auto reader, kept.fragments[0]->Open(kept.AllColumns()));
  ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
  ASSERT_OK(batch->ValidateFull());
  ASSERT_OK_AND_ASSIGN(const auto words, offline::ConvertArray(batch->column(0), arrow::utf8()));
  EXPECT_TRUE(words->Equals(FromJson(arrow::utf8(), R"(["a", null, "b"])"))) << words->ToString();
}

TEST(Dictionaries, AreReadAsPlainWhereAFileHasNone) {
  const TempFolder folder;
  WriteParquet(folder.Make("x/1.parquet"),
               {{"word", arrow::utf8(), R"(["a", "b"])"}, {"event_timestamp", Micros(), "[1, 2]"}});
  WriteParquet(folder.Make("x/2.parquet"),
               {{"word", arrow::utf8(), R"(["a", "b"])"}, {"event_timestamp", Micros(), "[1, 2]"}},
               {.dictionaries = false});
  ScanRequest request = RequestOf(folder.path() + "/x", {"word"});
  request.keep_dictionaries = true;
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  EXPECT_EQ(scan.schema->field(0)->type()->id(), arrow::Type::STRING);
}

TEST(Pruning, UsesBoundsOfEveryUnitAndKeepsTheEdges) {
  for (const auto& type : arrow::DataTypeVector{
           arrow::timestamp(arrow::TimeUnit::SECOND), arrow::timestamp(arrow::TimeUnit::MILLI),
           Micros(""), arrow::timestamp(arrow::TimeUnit::NANO, "Asia/Tokyo")}) {
    SCOPED_TRACE(type->ToString());
    const TempFolder folder;
    constexpr int64_t kPerSecond[] = {1, 1000, 1000000, 1000000000};
    const int64_t unit =
        kPerSecond[static_cast<int>(static_cast<const arrow::TimestampType&>(*type).unit())];
    std::string times = "[";
    for (int64_t i = -4; i < 4; ++i) times += (i > -4 ? "," : "") + std::to_string(i * unit);
    WriteParquet(folder.Make("t.parquet"), {{"event_timestamp", type, times + "]"}},
                 {.row_group_rows = 2});
    ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
    request.window = {.start_us = -1000000, .end_us = 0};
    ASSERT_OK_AND_ASSIGN(Scan scan, OpenScan(request));
    EXPECT_EQ(scan.summary.rows_pruned, 4);
    EXPECT_EQ(scan.fragments.front()->first_row(), 2);
    request.window = {.start_us = -999999, .end_us = -1};
    ASSERT_OK_AND_ASSIGN(scan, OpenScan(request));
    EXPECT_EQ(scan.summary.rows_pruned, 8);
  }
}

TEST(Pruning, UsesDatesButNotTextNorInt96NorMissingStatistics) {
  const TempFolder folder;
  const auto pruned = [&](const std::shared_ptr<arrow::DataType>& type, const std::string& json,
                          const WriteOptions& options) {
    WriteParquet(folder.Make("t.parquet"), {{"event_timestamp", type, json}}, options);
    ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
    request.window = {.start_us = 86400000000 * 3, .end_us = 86400000000 * 4};
    Result<Scan> scan = OpenScan(request);
    EXPECT_OK(scan);
    return scan->summary.rows_pruned;
  };
  EXPECT_EQ(pruned(arrow::date32(), "[1, 2, 3, 4]", {.row_group_rows = 2}), 2);
  EXPECT_EQ(pruned(arrow::utf8(), R"(["1970-01-01", "1970-01-02"])", {}), 0);
  EXPECT_EQ(pruned(Micros(), "[1, 2]", {}), 2);
  EXPECT_EQ(pruned(Micros(), "[1, 2]", {.int96 = true}), 0);
  EXPECT_EQ(pruned(Micros(), "[1, 2]", {.statistics = false}), 0);
}

TEST(Pruning, ReadsRowGroupsOfNothingButNulls) {
  const TempFolder folder;
  WriteIds(folder.Make("t.parquet"), "[null, null, 1, null]", {.row_group_rows = 2});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet");
  request.window = {.start_us = 5, .end_us = 6};
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(request));
  EXPECT_EQ(scan.summary.rows_pruned, 2);
  ASSERT_EQ(scan.fragments.size(), 1u);
  EXPECT_EQ(scan.fragments[0]->first_row(), 0);
}

}  // namespace
}  // namespace banquet::parquet_store
