// The store over SQLite's driver, in this process.

#include "arrow/array/array_binary.h"
#include "arrow/array/array_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/offline/adbc/adbc_store.h"
#include "banquet/offline/adbc/connection.h"

namespace banquet::adbc {
namespace {

const std::string kDriver = BANQUET_ADBC_DRIVERS "/libadbc_driver_sqlite.so";

ConfigNode Scalar(const std::string& text) {
  return {.kind = ConfigNode::Kind::kScalar, .scalar = text};
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/rows.db"; }

  void Execute(const std::string& sql) {
    ASSERT_OK_AND_ASSIGN(const auto database,
                         Database::Open({.drivers = {kDriver},
                                         .how_to_get = {},
                                         .options = {{"uri", path()}},
                                         .server = {.product = SqlProduct::kSqlite},
                                         .stop = {}}));
    ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(database));
    ASSERT_OK(connection->Run(sql));
  }

  void SetUp() override {
    Execute("CREATE TABLE rows (k INTEGER, event_ts TEXT, created TEXT, v REAL, t TEXT, b BLOB)");
    Execute(
        "INSERT INTO rows VALUES (1, '2024-01-01T00:00:00', NULL, 1, 'a', x'00'),"
        "(1, '2024-01-02 00:00:00.000001+00:00', NULL, NULL, 'b', NULL),"
        "(2, '2024-01-01T10:00:00+02:00', '2024-01-03', 2.5, NULL, x''),"
        "(2, '2024-01-01T08:00:00Z', '2024-01-03', 3, NULL, NULL),"
        "(NULL, '2024-01-01', NULL, 4, 'n', NULL), (3, NULL, NULL, 5, 'n', NULL),"
        "(4, '2023-01-01', NULL, 6, 'old', NULL)");
  }

  Result<std::unique_ptr<OfflineStore>> Store(const std::string& driver = kDriver,
                                              std::stop_token stop = {}) const {
    ConfigNode options{.kind = ConfigNode::Kind::kMap};
    options.entries.push_back({"uri", Scalar("file:" + path() + "?mode=ro")});
    ConfigNode block{.kind = ConfigNode::Kind::kMap};
    block.entries = {{"type", Scalar("adbc")},
                     {"dialect", Scalar("sqlite")},
                     {"driver", Scalar(driver)},
                     {"options", options}};
    return MakeAdbcStore(block, {.stop = std::move(stop)});
  }

  static ScanRequest Request(std::vector<std::string> columns = {"k", "v", "t", "b"}) {
    ScanRequest request;
    request.source.name = "source";
    request.source.table = "rows";
    request.source.timestamp_field = "event_ts";
    request.source.created_timestamp_column = "created";
    request.columns = std::move(columns);
    request.window = {1'704'067'200'000'000, 1'704'240'000'000'000};  // Three days from 2024.
    return request;
  }

  // All rows of the scan, in one batch.
  Result<std::shared_ptr<arrow::RecordBatch>> Read(const ScanRequest& request) const {
    BANQUET_ASSIGN_OR_RETURN(const auto store, Store());
    BANQUET_ASSIGN_OR_RETURN(Scan scan, store->OpenScan(request));
    EXPECT_TRUE(scan.fragments.empty());
    arrow::RecordBatchVector batches;
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(auto rows, scan.stream->Next());
      if (rows == nullptr) break;
      batches.push_back(std::move(rows));
    }
    if (batches.empty()) return arrow::RecordBatch::MakeEmpty(scan.schema);
    EXPECT_GT(scan.stream->bytes_read(), 0);
    return arrow::ConcatenateRecordBatches(batches);
  }

  const TemporaryDirectory folder_;
};

TEST_F(SqliteStoreTest, GivesTheNewestRowsWithTheirTiesAndWhatLacksAKeyOrTime) {
  ScanRequest request = Request();
  request.newest_of = std::vector<std::string>{"k"};
  ASSERT_OK_AND_ASSIGN(const auto rows, Read(request));
  // One of key 1, two that tie of key 2, one without a key, one without a time.
  EXPECT_EQ(rows->num_rows(), 5);
  EXPECT_EQ(rows->schema()->field(0)->type()->id(), arrow::Type::INT64);
  EXPECT_EQ(rows->schema()->field(1)->type()->id(), arrow::Type::DOUBLE);
  EXPECT_EQ(rows->schema()->field(2)->type()->id(), arrow::Type::STRING);
  EXPECT_EQ(rows->schema()->field(3)->type()->id(), arrow::Type::BINARY);
  const auto& keys = static_cast<const arrow::Int64Array&>(*rows->column(0));
  const auto& times =
      static_cast<const arrow::TimestampArray&>(*rows->GetColumnByName(kEventTimeColumn));
  int found = 0;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    if (keys.IsNull(row) || keys.Value(row) != 1) continue;
    EXPECT_EQ(times.Value(row), 1'704'153'600'000'001);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST_F(SqliteStoreTest, GivesEveryRowOfTheWindowWhereNoneIsToBeNewest) {
  ASSERT_OK_AND_ASSIGN(const auto rows, Read(Request()));
  EXPECT_EQ(rows->num_rows(), 6);
  EXPECT_EQ(rows->GetColumnByName(kEventTimeColumn)->null_count(), 1);
}

TEST_F(SqliteStoreTest, AColumnWithoutAValueHasNoType) {
  ScanRequest request = Request();
  request.window = {0, 1};
  request.source.query = "SELECT * FROM rows WHERE k > 100";
  request.source.table.clear();
  ASSERT_OK_AND_ASSIGN(const auto rows, Read(request));
  EXPECT_EQ(rows->num_rows(), 0);
  EXPECT_EQ(rows->schema()->field(0)->type()->id(), arrow::Type::NA);
  request.source.query = "SELECT 3 AS k, v, t, b, event_ts, NULL AS created FROM rows";
  request.window = Request().window;
  ASSERT_OK_AND_ASSIGN(const auto nulls, Read(request));
  EXPECT_EQ(nulls->GetColumnByName(kCreatedTimeColumn)->null_count(), nulls->num_rows());
}

TEST_F(SqliteStoreTest, MistakesAreTheUsersAndAreNamed) {
  ScanRequest request = Request({"k", "no_column"});
  EXPECT_FAULT(Fault::kUser, "no_column", Read(request));
  request = Request();
  request.source.table = "no_table";
  EXPECT_FAULT(Fault::kUser, "no_table", Read(request));
  request.source.table = "no table";
  EXPECT_FAULT(Fault::kUser, "not a name in SQLite", Read(request));
  request = Request();
  request.source.timestamp_field = "k";
  EXPECT_FAULT(Fault::kUser, "column k, which is int64", Read(request));
  EXPECT_FAULT(Fault::kUser, "needs an engine", Read(Request({})));
}

TEST_F(SqliteStoreTest, ValuesThatDoNotFitAreDataErrors) {
  ScanRequest request = Request({"k", "v"});
  request.source.table.clear();
  request.source.query =
      "SELECT k, CASE k WHEN 1 THEN 'x' ELSE 2 END AS v, event_ts, created FROM rows";
  EXPECT_FAULT(Fault::kData, "casts it: column v", Read(request));
  request.source.query = "SELECT k, v, 'soon' AS event_ts, created FROM rows";
  EXPECT_FAULT(Fault::kData, "'soon', column event_ts, data source source, row 1", Read(request));
}

TEST_F(SqliteStoreTest, ADriverThatIsNotThereIsTold) {
  ASSERT_OK_AND_ASSIGN(const auto store, Store("driver_of_nobody"));
  EXPECT_FAULT(Fault::kUser, "name it in offline_store.driver", store->OpenScan(Request()));
  ASSERT_OK_AND_ASSIGN(const auto none, Store(BANQUET_ADBC_DRIVERS "/libduckdb.so"));
  EXPECT_FAULT(Fault::kUser, "cannot be used", none->OpenScan(Request()));
}

TEST_F(SqliteStoreTest, AStopEndsTheStream) {
  std::stop_source stop;
  ASSERT_OK_AND_ASSIGN(const auto store, Store(kDriver, stop.get_token()));
  ASSERT_OK_AND_ASSIGN(Scan scan, store->OpenScan(Request()));
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "Stopped", scan.stream->Next());
  EXPECT_FAULT(Fault::kCancelled, "Stopped", store->OpenScan(Request()));
}

}  // namespace
}  // namespace banquet::adbc
