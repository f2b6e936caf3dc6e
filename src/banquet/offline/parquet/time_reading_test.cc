// Event and created times of every stored form.

#include "banquet/offline/parquet/parquet_fixtures.h"

namespace banquet::parquet_store {
namespace {

// The times of a source with this one column, as event time.
Result<std::shared_ptr<arrow::Table>> ReadTimes(const TempFolder& folder,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                const std::string& json,
                                                const WriteOptions& options = {}) {
  WriteParquet(folder.Make("t.parquet"), {{"event_timestamp", type, json}}, options);
  return ReadSource(RequestOf(folder.path() + "/t.parquet", {}));
}

TEST(Times, UnitsAndZonesGiveTheSameInstants) {
  for (const std::string zone : {"", "UTC", "America/New_York", "+05:30"}) {
    SCOPED_TRACE(zone);
    const TempFolder folder;
    ASSERT_OK_AND_ASSIGN(
        auto table,
        ReadTimes(folder, arrow::timestamp(arrow::TimeUnit::SECOND, zone), "[-1, null, 0]"));
    ExpectColumn(*table, kEventTimeColumn, Micros(), "[-1000000, null, 0]");
    ASSERT_OK_AND_ASSIGN(
        table, ReadTimes(folder, arrow::timestamp(arrow::TimeUnit::MILLI, zone), "[-1, null, 7]"));
    ExpectColumn(*table, kEventTimeColumn, Micros(), "[-1000, null, 7000]");
    ASSERT_OK_AND_ASSIGN(table, ReadTimes(folder, Micros(zone), "[-1, null, 7]"));
    ExpectColumn(*table, kEventTimeColumn, Micros(), "[-1, null, 7]");
    EXPECT_EQ(table->num_columns(), 1);
  }
}

TEST(Times, NanosecondsAreFlooredAndTheRestIsKept) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadTimes(folder, arrow::timestamp(arrow::TimeUnit::NANO),
                                 "[1999, -1, null, 0, -9223372036854775808, 9223372036854775807]"));
  ExpectColumn(*table, kEventTimeColumn, Micros(),
               "[1, -1, null, 0, -9223372036854776, 9223372036854775]");
  EXPECT_EQ(table->GetColumnByName(kEventNanosColumn)->null_count(), 0);
  ASSERT_OK_AND_ASSIGN(const auto batch, table->CombineChunksToBatch());
  const auto nanos = batch->GetColumnByName(kEventNanosColumn);
  EXPECT_TRUE(nanos->Slice(0, 2)->Equals(FromJson(arrow::uint16(), "[999, 999]")));
  EXPECT_TRUE(nanos->Slice(3)->Equals(FromJson(arrow::uint16(), "[0, 192, 807]")));
}

TEST(Times, NanosColumnIsThereIfSomeFileKeepsThem) {
  const TempFolder folder;
  WriteIds(folder.Make("s/1.parquet"), "[1]");
  WriteParquet(folder.Make("s/2.parquet"),
               {{"id", arrow::int64(), "[2]"},
                {"event_timestamp", arrow::timestamp(arrow::TimeUnit::NANO), "[2003]"}});
  ScanRequest request = RequestOf(folder.path() + "/s");
  request.source.created_timestamp_column = "event_timestamp";
  ASSERT_OK_AND_ASSIGN(const auto table, ReadSource(request));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[1, 2]");
  ExpectColumn(*table, kEventNanosColumn, arrow::uint16(), "[0, 3]");
  ExpectColumn(*table, kCreatedTimeColumn, Micros(), "[1, 2]");
  ExpectColumn(*table, kCreatedNanosColumn, arrow::uint16(), "[0, 3]");
}

TEST(Times, Int96KeepsItsNanoseconds) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadTimes(folder, arrow::timestamp(arrow::TimeUnit::NANO),
                                 "[1767225600123456789, null, -1]", {.int96 = true}));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[1767225600123456, null, -1]");
  ASSERT_OK_AND_ASSIGN(const auto batch, table->CombineChunksToBatch());
  const auto nanos = batch->GetColumnByName(kEventNanosColumn);
  EXPECT_TRUE(nanos->Slice(0, 1)->Equals(FromJson(arrow::uint16(), "[789]")));
  EXPECT_TRUE(nanos->Slice(2)->Equals(FromJson(arrow::uint16(), "[999]")));
}

TEST(Times, Int96ReachesTheYear9999) {
  const TempFolder folder;
  WriteParquet(folder.Make("t.parquet"),
               {{"event_timestamp", Micros(), "[253402300799000001, 9300000000000000]"},
                {"created", Micros(), "[1, 253402300799000002]"}},
               {.int96 = true});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
  request.source.created_timestamp_column = "created";
  ASSERT_OK_AND_ASSIGN(const auto table, ReadSource(request));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[253402300799000001, 9300000000000000]");
  ExpectColumn(*table, kEventNanosColumn, arrow::uint16(), "[0, 0]");
  ExpectColumn(*table, kCreatedTimeColumn, Micros(), "[1, 253402300799000002]");
}

TEST(Times, DatesAreMidnightInUtc) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(auto table, ReadTimes(folder, arrow::date32(), "[-1, null, 1]"));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[-86400000000, null, 86400000000]");
  ASSERT_OK_AND_ASSIGN(table, ReadTimes(folder, arrow::date64(), "[-86400000, null, 86400000]"));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[-86400000000, null, 86400000000]");
}

TEST(Times, TextIsReadAsIso8601) {
  const std::string json =
      R"(["1970-01-01T00:00:01Z", null, "1970-01-01 00:00:01.000000002", "1970-01-01T01:00:00+01:00"])";
  for (const auto& type :
       arrow::DataTypeVector{arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(),
                             arrow::dictionary(arrow::int32(), arrow::utf8())}) {
    SCOPED_TRACE(type->ToString());
    const TempFolder folder;
    ASSERT_OK_AND_ASSIGN(const auto table, ReadTimes(folder, type, json));
    ExpectColumn(*table, kEventTimeColumn, Micros(), "[1000000, null, 1000000, 0]");
    ExpectColumn(*table, kEventNanosColumn, arrow::uint16(), "[0, 0, 2, 0]");
  }
}

TEST(Times, TextThatIsNoTimeNamesItsPlace) {
  const TempFolder folder;
  const auto read = ReadTimes(folder, arrow::utf8(), R"(["1970-01-01", "1970-01-02", "soon"])",
                              {.row_group_rows = 2});
  for (const std::string part : {"'soon'", "column event_timestamp", "/t.parquet", "row 3"}) {
    EXPECT_FAULT(Fault::kData, part, read);
  }
}

TEST(Times, OtherTypesAreRefusedWithTheTypesThatWork) {
  const TempFolder folder;
  EXPECT_FAULT(Fault::kData, "event_timestamp is int64", ReadTimes(folder, arrow::int64(), "[1]"));
  EXPECT_FAULT(Fault::kData, "timestamp, date and ISO 8601 text can be read",
               ReadTimes(folder, arrow::float64(), "[1]"));
  EXPECT_FAULT(Fault::kData, "no time", ReadTimes(folder, arrow::list(Micros()), "[[1]]"));
  WriteParquet(folder.Make("t.parquet"),
               {{"event_timestamp", Micros(), "[1]"}, {"created", arrow::int32(), "[1]"}});
  ScanRequest request = RequestOf(folder.path() + "/t.parquet", {});
  request.source.created_timestamp_column = "created";
  EXPECT_FAULT(Fault::kData, "created is int32", ReadSource(request));
}

TEST(Times, YearsOutside1To9999AreDataErrors) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(const auto table,
                       ReadTimes(folder, Micros(), "[-62135596800000000, 253402300799999999]"));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[-62135596800000000, 253402300799999999]");
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI);
  for (const auto& [type, json] :
       std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>>{
           {Micros(), "[1, 253402300800000000]"},
           {Micros(), "[1, -62135596800000001]"},
           {Micros(), "[1, -9223372036854775808]"},
           {millis, "[1, 9223372036854775807]"},
           {millis, "[1, 253402300800000]"},
           {arrow::date32(), "[1, 2932897]"},
           {arrow::date32(), "[1, -2147483648]"}}) {
    SCOPED_TRACE(json);
    EXPECT_FAULT(Fault::kData, "row 2", ReadTimes(folder, type, json));
  }
}

TEST(Times, ColumnOfTypeNullIsNoTimeAtAll) {
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(const auto table, ReadTimes(folder, arrow::null(), "[null, null]"));
  ExpectColumn(*table, kEventTimeColumn, Micros(), "[null, null]");
}

}  // namespace
}  // namespace banquet::parquet_store
