#include "banquet/online/sqlite/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "banquet/client/sqlite/database.h"
#include "banquet/online/contract/online_store_contract.h"

namespace banquet {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

constexpr int64_t kNoonUs = 1'700'000'000'000'000;

using Entries = std::vector<std::pair<std::string, std::string>>;

ConfigNode BlockOf(Entries entries) {
  ConfigNode block;
  block.kind = ConfigNode::Kind::kMap;
  for (auto& [key, value] : entries) {
    ConfigNode node;
    node.kind = ConfigNode::Kind::kScalar;
    node.scalar = std::move(value);
    block.entries.push_back({key, std::move(node)});
  }
  return block;
}

struct SqliteVariant {
  std::string name;
  Entries options;
  std::string provider = "local";
  bool utc = false;
  bool feed = true;
};

StoreUnderTest Sqlite(SqliteVariant variant) {
  StoreUnderTest store;
  store.name = variant.name;
  store.keeps_seconds = true;
  store.make = [variant](const std::string& scratch) {
    // In another zone fractions before 1970 are cut in local time (stored_time_test.cc).
    setenv("TZ", "UTC0", 1);
    OnlineStoreContext context;
    context.repo_path = scratch;
    context.project = "demo";
    context.provider = variant.provider;
    context.sqlite_ts_utc = variant.utc;
    context.sqlite_feed = variant.feed;
    return sqlite::MakeStore(BlockOf(variant.options), context);
  };
  return store;
}

const Entries kNumbers = {{"path", "o.db"}, {"enable_openai_compatible_store", "true"}};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, OnlineStoreContract,
    ::testing::Values(
        Sqlite({.name = "local", .options = {{"type", "sqlite"}}}),
        Sqlite({.name = "numbers", .options = kNumbers, .provider = "aws", .utc = true}),
        Sqlite({.name = "local_by_row", .options = {{"type", "sqlite"}}, .feed = false}),
        Sqlite({.name = "numbers_by_row",
                .options = kNumbers,
                .provider = "aws",
                .utc = true,
                .feed = false})),
    StoreUnderTest::NameOf);

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/banquet-sqlite-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    context_.repo_path = pattern;
    context_.project = "demo";
    context_.sqlite_ts_utc = true;
    context_.clock = &clock_;
    path_ = pattern + "/o.db";
  }
  void TearDown() override { std::filesystem::remove_all(context_.repo_path); }

  Result<std::unique_ptr<OnlineStore>> Make(Entries options = {}) {
    options.emplace_back("path", "o.db");
    return sqlite::MakeStore(BlockOf(std::move(options)), context_);
  }
  Status Prepare(OnlineStore* store) { return store->Prepare(std::span(&view_, 1)); }
  Result<RowOutcomes> Write(OnlineStore* store, std::shared_ptr<const EncodedBatch> batch) {
    BANQUET_ASSIGN_OR_RETURN(auto writer, store->OpenWriter(std::span(&view_, 1), 0));
    BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), RowSelection::All()));
    return writer->Flush();
  }
  // The only column of the only row.
  std::string Ask(const std::string& sql) {
    auto database = Database::Open({.path = path_, .read_only = true});
    EXPECT_OK(database);
    if (!database.ok()) return "";
    auto statement = (*database)->Prepare(sql);
    EXPECT_OK(statement);
    if (!statement.ok()) return "";
    const auto row = statement->Step();
    EXPECT_OK(row);
    return row.ok() && *row ? std::string(statement->Bytes(0)) : "no row";
  }
  std::string SqlOf(const std::string& name) {
    return Ask("SELECT sql FROM sqlite_master WHERE name = '" + name + "'");
  }
  void Tell(const std::string& sql) {
    ASSERT_OK_AND_ASSIGN(auto database, Database::Open({.path = path_}));
    ASSERT_OK(database->Execute(sql));
  }

  ManualClock clock_{1'000'000};
  OnlineStoreContext context_;
  std::string path_;
  ViewColumns view_ = MakeTestView("stats", {"a", "b"});
};

TEST_F(SqliteStoreTest, CheckingChangesNothingAndNamesWhatIsMissing) {
  ASSERT_OK_AND_ASSIGN(const auto store, Make());
  EXPECT_OK(store->Check(std::span(&view_, 1)));
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_OK(Prepare(store.get()));
  ViewColumns other = view_;
  other.view = "other";
  EXPECT_OK(store->Check(std::span(&other, 1)));
  EXPECT_EQ(Ask("SELECT count(*) FROM sqlite_master WHERE name LIKE '%other'"), "0");
  context_.repo_path += "/missing/and/more";
  ASSERT_OK_AND_ASSIGN(const auto nowhere, Make());
  EXPECT_FAULT(Fault::kUser, "online_store.path", nowhere->Check(std::span(&view_, 1)));
  context_.repo_path = std::filesystem::path(path_).parent_path();
}

TEST_F(SqliteStoreTest, MakesTheTableAsFeastsLocalProviderDoes) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  EXPECT_EQ(SqlOf("demo_stats"),
            "CREATE TABLE demo_stats (\n                entity_key BLOB,\n                "
            "feature_name TEXT,\n                value BLOB,\n                value_text TEXT,\n  "
            "              \n                vector_value BLOB,\n                event_ts "
            "timestamp,\n                created_ts timestamp,\n                PRIMARY "
            "KEY(entity_key, feature_name)\n            )");
  EXPECT_EQ(SqlOf("demo_stats_ek"), "CREATE INDEX demo_stats_ek ON demo_stats (entity_key)");
}

TEST_F(SqliteStoreTest, MakesTheTableAsFeastsOtherProvidersDo) {
  context_.provider = "aws";
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  EXPECT_EQ(SqlOf("demo_stats"),
            "CREATE TABLE \"demo_stats\" (entity_key BLOB, feature_name TEXT, value BLOB, "
            "value_text TEXT,  vector_value BLOB, event_ts timestamp, created_ts timestamp,  "
            "PRIMARY KEY(entity_key, feature_name))");
  EXPECT_EQ(SqlOf("demo_stats_ek"),
            "CREATE INDEX \"demo_stats_ek\" ON \"demo_stats\" (entity_key)");
}

TEST_F(SqliteStoreTest, MakesTheNumberColumnWhenAsked) {
  ASSERT_OK_AND_ASSIGN(auto store, Make({{"enable_openai_compatible_store", "true"}}));
  ASSERT_OK(Prepare(store.get()));
  EXPECT_THAT(SqlOf("demo_stats"),
              ::testing::HasSubstr("value_text TEXT,\n                value_num REAL,\n            "
                                   "    vector_value BLOB,"));
  context_.provider = "gcp";
  view_.view = "other";
  ASSERT_OK_AND_ASSIGN(store, Make({{"enable_openai_compatible_store", "true"}}));
  ASSERT_OK(Prepare(store.get()));
  EXPECT_THAT(SqlOf("demo_other"),
              ::testing::HasSubstr("value_text TEXT, value_num REAL, vector_value BLOB,"));
}

TEST_F(SqliteStoreTest, QuotesALocalNameOnlyWhereItMust) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  for (const char* name : {"a-b", "q\"q"}) {
    view_.view = name;
    ASSERT_OK(Prepare(store.get()));
  }
  EXPECT_THAT(SqlOf("demo_a-b"), ::testing::HasSubstr("CREATE TABLE \"demo_a-b\" (\n"));
  EXPECT_THAT(SqlOf("demo_q\"q"), ::testing::HasSubstr("CREATE TABLE \"demo_q\"\"q\" (\n"));
  view_.project = "CURRENT";
  view_.view = "DATE";
  EXPECT_OK(Prepare(store.get()));
  view_.view = std::string("x\0y", 3);
  EXPECT_FAULT(Fault::kUser, "NUL", Prepare(store.get()));
}

TEST_F(SqliteStoreTest, WritesEveryColumnAsFeastDoes) {
  ASSERT_OK_AND_ASSIGN(auto store, Make({{"enable_openai_compatible_store", "true"}}));
  EXPECT_EQ(store->needs().lanes, 1);
  EXPECT_EQ(store->needs().order, WriteOrder::kByKey);
  EXPECT_TRUE(store->needs().encode.value_text);
  EXPECT_TRUE(store->needs().encode.value_num);
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(Write(store.get(), BatchBuilder(view_)
                                   .Row("k1", kNoonUs + 999'999, kNoonUs - 1, {"abc", ""})
                                   .Row("k2", -500'000, std::nullopt, {"", "x"})
                                   .Build()));
  EXPECT_EQ(Ask("SELECT group_concat(r, ' | ') FROM (SELECT quote(entity_key) || quote("
                "feature_name) || quote(value) || quote(value_text) || quote(value_num) || "
                "quote(vector_value) || ' ' || quote(event_ts) || ' ' || quote(created_ts) r FROM "
                "demo_stats ORDER BY entity_key, feature_name)"),
            "X'6B31''a'X'616263''text of abc'3.0NULL 1700000000 1699999999 | "
            "X'6B31''b'X''NULLNULLNULL 1700000000 1699999999 | "
            "X'6B32''a'X''NULLNULLNULL 0 NULL | "
            "X'6B32''b'X'78''text of x'1.0NULL 0 NULL");
  EXPECT_EQ(Ask("SELECT DISTINCT typeof(entity_key) || typeof(feature_name) || typeof(value) || "
                "typeof(event_ts) FROM demo_stats"),
            "blobtextblobinteger");
}

TEST_F(SqliteStoreTest, AddsTheColumnsOfANewerFeast) {
  Tell(
      "CREATE TABLE demo_stats (entity_key BLOB, feature_name TEXT, value BLOB, vector_value "
      "BLOB, event_ts timestamp, created_ts timestamp, PRIMARY KEY(entity_key, feature_name)); "
      "INSERT INTO demo_stats VALUES (x'6b', 'a', x'01', NULL, 1, 2)");
  ASSERT_OK_AND_ASSIGN(auto store, Make({{"enable_openai_compatible_store", "true"}}));
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  EXPECT_EQ(Ask("SELECT group_concat(name) FROM pragma_table_info('demo_stats')"),
            "entity_key,feature_name,value,vector_value,event_ts,created_ts,value_text,value_num");
  EXPECT_EQ(Ask("SELECT count(*) FROM demo_stats WHERE value_num = 1 AND value_text LIKE 'text%'"),
            "2");
}

TEST_F(SqliteStoreTest, RefusesATableThatIsNotFeasts) {
  Tell("CREATE TABLE demo_stats (entity_key, feature_name, value, event_ts)");
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  EXPECT_FAULT(Fault::kUser, "no column created_ts", Prepare(store.get()));
  Tell(
      "DROP TABLE demo_stats; CREATE TABLE demo_stats (entity_key, feature_name, value, "
      "value_text, event_ts, created_ts)");
  EXPECT_FAULT(Fault::kUser, "cannot be upserted", Prepare(store.get()));
}

TEST_F(SqliteStoreTest, LeavesTheJournalModeOfTheFile) {
  Tell("PRAGMA journal_mode = WAL; CREATE TABLE other (a)");
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  EXPECT_EQ(Ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(Ask("SELECT count(*) FROM demo_stats"), "2");
}

TEST_F(SqliteStoreTest, ALockHeldTooLongUndoesTheWholeFlush) {
  context_.stall_timeout = std::chrono::milliseconds(1500);
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view_, 1), 0));
  ASSERT_OK_AND_ASSIGN(auto other, Database::Open({.path = path_}));
  {
    ASSERT_OK_AND_ASSIGN(Transaction held, Transaction::Begin(other.get()));
    ASSERT_OK(writer->Write(BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build(),
                            RowSelection::All()));
    const Status status = writer->Flush().status();
    EXPECT_FAULT(Fault::kRemote, "waited 1500 ms", status);
    EXPECT_TRUE(IsRetryable(status));
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM demo_stats"), "0");
  ASSERT_OK(Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  EXPECT_EQ(Ask("SELECT count(*) FROM demo_stats"), "2");
}

TEST_F(SqliteStoreTest, AReaderBlocksACommitAndNothingIsHalfWritten) {
  context_.stall_timeout = std::chrono::milliseconds(1500);
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  ASSERT_OK_AND_ASSIGN(auto reader, Database::Open({.path = path_}));
  ASSERT_OK_AND_ASSIGN(Statement select, reader->Prepare("SELECT * FROM demo_stats"));
  ASSERT_OK(select.Step());
  EXPECT_FAULT(
      Fault::kRemote, "locked",
      Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs + 1'000'000, {"n", "n"}).Build()));
  select.Reset();
  EXPECT_EQ(Ask("SELECT group_concat(value) FROM demo_stats"), "x,y");
}

TEST_F(SqliteStoreTest, AnErrorInTheMiddleUndoesTheFlush) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  Tell(
      "CREATE TRIGGER refuse BEFORE INSERT ON demo_stats WHEN NEW.feature_name = 'b' BEGIN SELECT "
      "RAISE(ABORT, 'no more'); END");
  EXPECT_FAULT(Fault::kRemote, "no more",
               Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  EXPECT_EQ(Ask("SELECT count(*) FROM demo_stats"), "0");
}

TEST_F(SqliteStoreTest, NoticesThatTheFileWasReplaced) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(store->ConfirmWritten());
  ASSERT_OK(Prepare(store.get()));
  ASSERT_OK(store->ConfirmWritten());
  std::filesystem::rename(path_, path_ + ".away");
  EXPECT_FAULT(Fault::kRemote, "removed or replaced", store->ConfirmWritten());
  EXPECT_FAULT(Fault::kUser, path_, store->OpenWriter(std::span(&view_, 1), 0));
}

TEST_F(SqliteStoreTest, TimesThatAreNoNumbersDoNotGuard) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  Tell(
      "INSERT INTO demo_stats (entity_key, feature_name, value, event_ts) VALUES (x'6b', 'a', "
      "x'01', '2030-01-01 00:00:00')");
  const std::string key = "k";
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store->Read(view_, std::span(&key, 1)));
  ASSERT_TRUE(rows[0].has_value());
  EXPECT_EQ(rows[0]->event_us, std::nullopt);
  ASSERT_OK_AND_ASSIGN(
      const RowOutcomes outcomes,
      Write(store.get(), BatchBuilder(view_).Row("k", kNoonUs, {"x", "y"}).Build()));
  EXPECT_EQ(outcomes.written, 1);
}

TEST_F(SqliteStoreTest, ReadingAndRemovingMakeNoFile) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  const std::string key = "k";
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store->Read(view_, std::span(&key, 1)));
  EXPECT_FALSE(rows[0].has_value());
  ASSERT_OK(store->Remove(view_));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteStoreTest, MakesOneLevelOfFolders) {
  ASSERT_OK_AND_ASSIGN(auto store, sqlite::MakeStore({}, context_));
  EXPECT_THAT(store->Describe(), ::testing::EndsWith("/data/online.db"));
  ASSERT_OK(Prepare(store.get()));
  EXPECT_TRUE(std::filesystem::exists(context_.repo_path + "/data/online.db"));
  ASSERT_OK_AND_ASSIGN(store, sqlite::MakeStore(BlockOf({{"path", "x/y/o.db"}}), context_));
  EXPECT_FAULT(Fault::kUser, "online_store.path", Prepare(store.get()));
  ASSERT_OK_AND_ASSIGN(store, sqlite::MakeStore(BlockOf({{"path", "data"}}), context_));
  EXPECT_FAULT(Fault::kUser, "directory", Prepare(store.get()));
}

TEST_F(SqliteStoreTest, AnAbsolutePathIsTakenAsItIs) {
  ASSERT_OK_AND_ASSIGN(auto store, sqlite::MakeStore(BlockOf({{"path", path_}}), context_));
  EXPECT_EQ(store->Describe(), "sqlite at " + path_);
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(5000, 'x');
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  EXPECT_FAULT(Fault::kUser, "not a SQLite database", Prepare(store.get()));
  const std::string key = "k";
  EXPECT_FAULT(Fault::kUser, "not a SQLite database", store->Read(view_, std::span(&key, 1)));
}

TEST_F(SqliteStoreTest, RefusesOptionsItDoesNotKnow) {
  EXPECT_FAULT(Fault::kUser, "pth", Make({{"pth", "x"}}));
  EXPECT_FAULT(Fault::kUser, "vector_enabled", Make({{"vector_enabled", "true"}}));
  EXPECT_FAULT(Fault::kUser, "path", sqlite::MakeStore(BlockOf({{"path", ""}}), context_));
  EXPECT_OK(Make({{"similarity", "l2"}, {"text_search_enabled", "true"}}));
  EXPECT_FALSE(sqlite::StoreOptions().empty());
}

TEST_F(SqliteStoreTest, ABatchOfOtherViewsIsABug) {
  ASSERT_OK_AND_ASSIGN(auto store, Make());
  ASSERT_OK(Prepare(store.get()));
  EXPECT_FAULT(Fault::kBug, "views",
               Write(store.get(), BatchBuilder(std::vector<ViewColumns>()).Build()));
}

}  // namespace
}  // namespace banquet
