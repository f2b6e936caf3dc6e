#include "banquet/client/sqlite/feed_table.h"

#include <sys/mman.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/client/sqlite/database.h"

namespace banquet::sqlite {
namespace {

// As many rows as asked for, each made by a function.
class MadeRows final : public FeedRows {
 public:
  using Maker = std::function<void(size_t row, int column, FeedCell cell)>;
  MadeRows(size_t count, Maker make) : count_(count), make_(std::move(make)) {}
  void Resize(size_t count) { count_ = count; }
  Shape shape() const override { return {.groups = count_}; }
  void Give(size_t group, size_t, int column, FeedCell cell) const override {
    make_(group, column, cell);
  }

 private:
  size_t count_;
  Maker make_;
};

class FeedTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/banquet-feed-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    database_ = Open();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Database> Open() {
    auto database = Database::Open({.path = folder_ + "/x.db"});
    EXPECT_OK(database);
    return database.ok() ? std::move(*database) : nullptr;
  }
  // The rows of a statement with one column, each with a blank behind it.
  Result<std::string> Ask(const std::string& sql) {
    BANQUET_ASSIGN_OR_RETURN(Statement statement, database_->Prepare(sql));
    std::string rows;
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const bool row, statement.Step());
      if (!row) return rows;
      rows += std::string(statement.Bytes(0)) + " ";
    }
  }

  std::string folder_;
  MadeRows numbers_{
      3, [](size_t row, int, FeedCell cell) { cell.SetInt(static_cast<int64_t>(row) * 10); }};
  std::unique_ptr<Database> database_;
};

TEST_F(FeedTableTest, AStopEndsAStatementInItsMiddle) {
  std::stop_source stop;
  ASSERT_OK_AND_ASSIGN(auto database,
                       Database::Open({.path = folder_ + "/x.db", .stop = stop.get_token()}));
  ASSERT_OK(database->Execute("CREATE TABLE t (a)"));
  constexpr size_t kStopAt = 5000;
  size_t given = 0;
  MadeRows rows(1'000'000, [&](size_t row, int, FeedCell cell) {
    given = row;
    if (row == kStopAt) stop.request_stop();
    cell.SetInt(1);
  });
  ASSERT_OK(database->AddFeed("sqlite_feed", "a", &rows));
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(database.get()));
    EXPECT_FAULT(Fault::kCancelled, "",
                 database->Execute("INSERT INTO t SELECT a FROM sqlite_feed"));
  }
  EXPECT_GE(given, kStopAt);
  EXPECT_LT(given, kStopAt + 1000);
  EXPECT_FALSE(database->in_transaction());
  EXPECT_EQ(*Ask("SELECT count(*) FROM t"), "0 ");
}

TEST_F(FeedTableTest, GivesItsRowsInOrderAsOftenAsAsked) {
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &numbers_));
  ASSERT_OK_AND_ASSIGN(const std::string rows, Ask("SELECT n FROM sqlite_feed"));
  EXPECT_EQ(rows, "0 10 20 ");
  ASSERT_OK_AND_ASSIGN(const std::string ids, Ask("SELECT rowid FROM sqlite_feed"));
  EXPECT_EQ(ids, "0 1 2 ");
  ASSERT_OK_AND_ASSIGN(const std::string pairs,
                       Ask("SELECT a.n + b.n FROM sqlite_feed a CROSS JOIN sqlite_feed b"));
  EXPECT_EQ(pairs, "0 10 20 10 20 30 20 30 40 ");
}

TEST_F(FeedTableTest, GivesGroupAfterGroup) {
  class Grid final : public FeedRows {
   public:
    explicit Grid(Shape shape) : shape_(shape) {}
    Shape shape() const override { return shape_; }
    void Give(size_t group, size_t row, int, FeedCell cell) const override {
      cell.SetInt(static_cast<int64_t>(group * 10 + row));
    }

   private:
    const Shape shape_;
  };
  const Grid grid({.groups = 2, .group_rows = 3});
  const Grid no_rows({.groups = 2, .group_rows = 0});
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &grid));
  ASSERT_OK(database_->AddFeed("sqlite_none", "n INTEGER", &no_rows));
  ASSERT_OK_AND_ASSIGN(const std::string rows, Ask("SELECT n FROM sqlite_feed"));
  EXPECT_EQ(rows, "0 1 2 10 11 12 ");
  ASSERT_OK_AND_ASSIGN(const std::string ids, Ask("SELECT rowid FROM sqlite_feed"));
  EXPECT_EQ(ids, "0 1 2 3 4 5 ");
  ASSERT_OK_AND_ASSIGN(const std::string none, Ask("SELECT n FROM sqlite_none"));
  EXPECT_EQ(none, "");
}

TEST_F(FeedTableTest, APreparedStatementSeesTheRowsOfItsRun) {
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &numbers_));
  ASSERT_OK_AND_ASSIGN(Statement sum, database_->Prepare("SELECT sum(n) FROM sqlite_feed"));
  ASSERT_OK(sum.Step());
  EXPECT_EQ(sum.Int(0), 30);
  sum.Reset();
  numbers_.Resize(5);
  ASSERT_OK(sum.Step());
  EXPECT_EQ(sum.Int(0), 100);
  sum.Reset();
  numbers_.Resize(0);
  ASSERT_OK(sum.Step());
  EXPECT_TRUE(sum.IsNull(0));
}

TEST_F(FeedTableTest, KeepsEveryStorageClassAndZeroBytes) {
  const std::string bytes("\0\xff", 2);
  const MadeRows row(1, [&](size_t, int column, FeedCell cell) {
    if (column == 0) cell.SetBlob(bytes);
    if (column == 1) cell.SetBlob({});
    if (column == 2) cell.SetText({});
    if (column == 3) cell.SetText("é");
    if (column == 4) cell.SetInt(-1);
    if (column == 5) cell.SetReal(1);
  });
  ASSERT_OK(database_->AddFeed("sqlite_feed", "a, b, c, d, e, f, g", &row));
  ASSERT_OK_AND_ASSIGN(const std::string quoted,
                       Ask("SELECT quote(a) || quote(b) || quote(c) || quote(d) || quote(e) || "
                           "quote(f) || quote(g) FROM sqlite_feed"));
  EXPECT_EQ(quoted, "X'00FF'X'''''é'-11.0NULL ");
}

TEST_F(FeedTableTest, NoOtherConnectionSeesItAndTheFileDoesNotHoldIt) {
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &numbers_));
  ASSERT_OK(database_->Execute("CREATE TABLE t (n); INSERT INTO t SELECT n FROM sqlite_feed"));
  ASSERT_OK_AND_ASSIGN(const std::string tables, Ask("SELECT name FROM sqlite_master"));
  EXPECT_EQ(tables, "t ");
  EXPECT_FAULT(Fault::kRemote, "no such table", Open()->Prepare("SELECT * FROM sqlite_feed"));
}

TEST_F(FeedTableTest, NoTableOfTheFileCanHaveItsName) {
  EXPECT_FAULT(Fault::kRemote, "reserved", database_->Execute("CREATE TABLE sqlite_feed (n)"));
}

TEST_F(FeedTableTest, NoTriggerOfTheFileReadsIt) {
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &numbers_));
  ASSERT_OK(database_->Execute(
      "CREATE TABLE t (n); CREATE TRIGGER spy AFTER INSERT ON t BEGIN INSERT INTO t SELECT n FROM "
      "sqlite_feed; END"));
  EXPECT_FAULT(Fault::kRemote, "unsafe use", database_->Execute("INSERT INTO t VALUES (1)"));
}

TEST_F(FeedTableTest, AddingItAnewReplacesTheRows) {
  const MadeRows other(1, [](size_t, int, FeedCell cell) { cell.SetText("other"); });
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER", &numbers_));
  ASSERT_OK(Ask("SELECT n FROM sqlite_feed"));
  ASSERT_OK(database_->AddFeed("sqlite_feed", "a TEXT", &other));
  ASSERT_OK_AND_ASSIGN(const std::string rows, Ask("SELECT a FROM sqlite_feed"));
  EXPECT_EQ(rows, "other ");
}

TEST_F(FeedTableTest, ColumnsThatAreNoSqlAreRefusedAtTheFirstUse) {
  ASSERT_OK(database_->AddFeed("sqlite_feed", "n INTEGER,", &numbers_));
  EXPECT_FAULT(Fault::kRemote, "syntax error", database_->Prepare("SELECT * FROM sqlite_feed"));
}

// Memory that is reserved but cannot be read: SQLite must refuse by the length alone.
TEST_F(FeedTableTest, AValueBeyondSqlitesLimitIsADataError) {
  constexpr size_t kBytes = 1'000'000'001;
  void* memory =
      mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::string_view huge(static_cast<const char*>(memory), kBytes);
  const MadeRows rows(3, [&](size_t row, int, FeedCell cell) {
    cell.SetBlob(row < 2 ? std::string_view("small") : huge);
  });
  ASSERT_OK(database_->AddFeed("sqlite_feed", "a", &rows));
  ASSERT_OK(database_->Execute("CREATE TABLE t (a)"));
  EXPECT_FAULT(Fault::kData, "larger than SQLite takes",
               database_->Execute("INSERT INTO t SELECT a FROM sqlite_feed"));
  ASSERT_OK_AND_ASSIGN(const std::string count, Ask("SELECT count(*) FROM t"));
  EXPECT_EQ(count, "0 ");
  munmap(memory, kBytes);
}

}  // namespace
}  // namespace banquet::sqlite
