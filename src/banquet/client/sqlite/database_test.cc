#include "banquet/client/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "banquet/base/sql_name.h"
#include "banquet/base/testing.h"
#include "banquet/client/sqlite/lock_holders.h"

namespace banquet::sqlite {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/banquet-sqlite-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/x.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  DatabaseOptions Options() { return {.path = path_, .clock = &clock_}; }

  std::string folder_;
  std::string path_;
  ManualClock clock_{1'000'000};
};

TEST_F(DatabaseTest, BindsAndReadsBackEveryKind) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a BLOB, b TEXT, c INTEGER, d REAL, e)"));
  const std::string bytes("\0x\0", 3);
  {
    ASSERT_OK_AND_ASSIGN(Statement insert,
                         database->Prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)"));
    ASSERT_OK(insert.BindBlob(1, bytes));
    ASSERT_OK(insert.BindText(2, "text"));
    ASSERT_OK(insert.BindInt(3, INT64_MIN));
    ASSERT_OK(insert.BindReal(4, 0.5));
    ASSERT_OK(insert.BindNull(5));
    ASSERT_OK(insert.Run());
    ASSERT_OK(insert.BindBlob(1, {}));
    ASSERT_OK(insert.BindText(2, {}));
    ASSERT_OK(insert.BindIntOrNull(3, std::nullopt));
    ASSERT_OK(insert.BindIntOrNull(5, 7));
    ASSERT_OK(insert.Run());
  }
  ASSERT_OK_AND_ASSIGN(Statement select, database->Prepare("SELECT * FROM t ORDER BY rowid"));
  ASSERT_OK_AND_ASSIGN(bool row, select.Step());
  ASSERT_TRUE(row);
  EXPECT_EQ(select.Bytes(0), bytes);
  EXPECT_EQ(select.Bytes(1), "text");
  EXPECT_EQ(select.Int(2), INT64_MIN);
  EXPECT_TRUE(select.IsNumber(3));
  EXPECT_TRUE(select.IsNull(4));
  ASSERT_OK_AND_ASSIGN(row, select.Step());
  ASSERT_TRUE(row);
  EXPECT_FALSE(select.IsNull(0)) << "zero bytes are a value";
  EXPECT_EQ(select.Bytes(0), "");
  EXPECT_FALSE(select.IsNull(1));
  EXPECT_TRUE(select.IsNull(2));
  EXPECT_EQ(select.Int(4), 7);
  ASSERT_OK_AND_ASSIGN(row, select.Step());
  EXPECT_FALSE(row);
}

TEST_F(DatabaseTest, QuotesNames) {
  EXPECT_EQ(QuoteName("a b"), "\"a b\"");
  EXPECT_EQ(QuoteName("a\"; DROP"), "\"a\"\"; DROP\"");
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE " + QuoteName("it's \"it\"") + " (a, b)"));
  ASSERT_OK_AND_ASSIGN(const auto columns, database->ColumnsOf("it's \"it\""));
  EXPECT_EQ(columns, std::optional(std::vector<std::string>{"a", "b"}));
  ASSERT_OK_AND_ASSIGN(const auto none, database->ColumnsOf("other"));
  EXPECT_EQ(none, std::nullopt);
}

TEST_F(DatabaseTest, ATransactionDroppedBeforeItsCommitLeavesNothing) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a)"));
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(database.get()));
    ASSERT_OK(database->Execute("INSERT INTO t VALUES (1)"));
  }
  EXPECT_FALSE(database->in_transaction());
  ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(database.get()));
  ASSERT_OK(database->Execute("INSERT INTO t VALUES (2)"));
  ASSERT_OK(transaction.Commit());
  ASSERT_OK_AND_ASSIGN(Statement sum, database->Prepare("SELECT sum(a) FROM t"));
  ASSERT_OK(sum.Step());
  EXPECT_EQ(sum.Int(0), 2);
}

TEST_F(DatabaseTest, GivesUpOnAHeldLockAfterItsTimeout) {
  ASSERT_OK_AND_ASSIGN(auto holder, Database::Open(Options()));
  ASSERT_OK_AND_ASSIGN(auto waiter, Database::Open(Options()));
  ASSERT_OK_AND_ASSIGN(Transaction held, Transaction::Begin(holder.get()));
  const int64_t start_us = clock_.NowUs();
  const Status status = Transaction::Begin(waiter.get()).status();
  EXPECT_FAULT(Fault::kRemote, "locked by this process", status);
  EXPECT_THAT(status.message(), ::testing::HasSubstr(path_));
  EXPECT_TRUE(IsRetryable(status));
  EXPECT_GE(clock_.NowUs() - start_us, 60'000'000);
  ASSERT_OK(held.Commit());
  EXPECT_OK(Transaction::Begin(waiter.get()));
}

TEST_F(DatabaseTest, NamesTheProcessThatHoldsTheLock) {
  ASSERT_OK(Database::Open(Options()));
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto holder = Database::Open({.path = path_});
    const bool held = holder.ok() && (*holder)->Execute("BEGIN IMMEDIATE").ok();
    char byte = held ? '1' : '0';
    if (write(ready[1], &byte, 1) == 1) byte = static_cast<char>(read(done[0], &byte, 1));
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, '1');
  ASSERT_OK_AND_ASSIGN(auto waiter, Database::Open(Options()));
  EXPECT_FAULT(Fault::kRemote, fmt::format("process {}", child), Transaction::Begin(waiter.get()));
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  int outcome = 0;
  ASSERT_EQ(waitpid(child, &outcome, 0), child);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) close(end);
  EXPECT_OK(Transaction::Begin(waiter.get()));
}

TEST_F(DatabaseTest, AStopEndsTheWaitForALock) {
  std::stop_source stop;
  ASSERT_OK_AND_ASSIGN(auto holder, Database::Open(Options()));
  DatabaseOptions options = Options();
  options.stop = stop.get_token();
  ASSERT_OK_AND_ASSIGN(auto waiter, Database::Open(options));
  ASSERT_OK_AND_ASSIGN(Transaction held, Transaction::Begin(holder.get()));
  stop.request_stop();
  const int64_t start_us = clock_.NowUs();
  EXPECT_FAULT(Fault::kCancelled, "", Transaction::Begin(waiter.get()));
  EXPECT_EQ(clock_.NowUs(), start_us);
}

TEST_F(DatabaseTest, ACommitBlockedByAReaderCanBeTriedAgain) {
  ASSERT_OK_AND_ASSIGN(auto writer, Database::Open(Options()));
  ASSERT_OK(writer->Execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)"));
  ASSERT_OK_AND_ASSIGN(auto reader, Database::Open(Options()));
  ASSERT_OK_AND_ASSIGN(Statement select, reader->Prepare("SELECT a FROM t"));
  ASSERT_OK(select.Step());
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(writer.get()));
    ASSERT_OK(writer->Execute("INSERT INTO t VALUES (2)"));
    const Status status = transaction.Commit();
    EXPECT_FAULT(Fault::kRemote, "locked", status);
    EXPECT_TRUE(IsRetryable(status));
  }
  EXPECT_FALSE(writer->in_transaction());
  select.Reset();
  EXPECT_OK(writer->Execute("INSERT INTO t VALUES (2)"));
}

TEST_F(DatabaseTest, ReadOnlyIsAUserError) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a)"));
  DatabaseOptions options = Options();
  options.read_only = true;
  ASSERT_OK_AND_ASSIGN(auto reader, Database::Open(options));
  EXPECT_FAULT(Fault::kUser, "read-only", reader->Execute("INSERT INTO t VALUES (1)"));
  EXPECT_FAULT(Fault::kUser, path_, reader->Execute("INSERT INTO t VALUES (1)"));
}

// In a child that gives up root, which may write everything.
TEST_F(DatabaseTest, AFileWithoutWriteRightIsAUserError) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a)"));
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(2);
    const Status status = Database::Open(Options()).status();
    const bool told =
        FaultOf(status) == Fault::kUser && status.message().find("read-only") != std::string::npos;
    _exit(told ? 0 : 1);
  }
  int outcome = 0;
  ASSERT_EQ(waitpid(child, &outcome, 0), child);
  EXPECT_EQ(outcome, 0);
}

TEST_F(DatabaseTest, AFolderIsAUserError) {
  path_ = folder_;
  EXPECT_FAULT(Fault::kUser, "is a directory", Database::Open(Options()));
}

TEST_F(DatabaseTest, AMissingFolderIsAUserError) {
  path_ = folder_ + "/none/x.db";
  EXPECT_FAULT(Fault::kUser, "cannot be opened", Database::Open(Options()));
}

TEST_F(DatabaseTest, AMissingFileIsAUserErrorUnlessItMayBeMade) {
  DatabaseOptions options = Options();
  options.create = false;
  EXPECT_FAULT(Fault::kUser, path_, Database::Open(options));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DatabaseTest, AnotherKindOfFileIsAUserError) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_FAULT(Fault::kUser, "not a SQLite database", Database::Open(Options()));
}

TEST_F(DatabaseTest, ADamagedFileIsADataError) {
  {
    ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
    ASSERT_OK(database->Execute("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(20000))"));
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(8192, '\xff');
  }
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  EXPECT_FAULT(Fault::kData, "damaged", database->Execute("SELECT sum(length(a)) FROM t"));
}

TEST_F(DatabaseTest, AFullDiskIsARemoteError) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a); PRAGMA max_page_count = 5"));
  const Status status = database->Execute("INSERT INTO t VALUES (zeroblob(100000))");
  EXPECT_FAULT(Fault::kRemote, "full", status);
  EXPECT_FALSE(IsRetryable(status));
}

TEST_F(DatabaseTest, AWrongParameterIsABugAndWrongSqlNamesTheDatabase) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  EXPECT_FAULT(Fault::kRemote, path_, database->Prepare("SELECT * FROM missing"));
  ASSERT_OK_AND_ASSIGN(Statement select, database->Prepare("SELECT ?"));
  EXPECT_FAULT(Fault::kBug, path_, select.BindInt(2, 1));
}

TEST_F(DatabaseTest, OnlyAnErrorOfTheSqlIsOne) {
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(Options()));
  ASSERT_OK(database->Execute("CREATE TABLE t (a)"));
  EXPECT_FAULT(Fault::kRemote, "no such column", database->Prepare("SELECT b FROM t"));
  EXPECT_TRUE(database->last_error_is_of_sql());
  std::string sql = "SELECT a FROM t WHERE a = 0";
  for (int i = 0; i < 500; ++i) sql += " OR a = 'so long that it is not in memory yet'";
  const sqlite3_int64 limit = sqlite3_hard_heap_limit64(1);
  const Status status = database->Prepare(sql).status();
  const bool is_of_sql = database->last_error_is_of_sql();
  sqlite3_hard_heap_limit64(limit);
  EXPECT_FAULT(Fault::kRemote, "out of memory", status);
  EXPECT_FALSE(IsRetryable(status));
  EXPECT_FALSE(is_of_sql);
  ASSERT_OK(database->Execute("PRAGMA max_page_count = 2"));
  EXPECT_FAULT(Fault::kRemote, "full", database->Execute("INSERT INTO t VALUES (zeroblob(9999))"));
  EXPECT_FALSE(database->last_error_is_of_sql());
}

TEST_F(DatabaseTest, ReadsHoldersFromTheSystemsTable) {
  std::ofstream(path_) << "x";
  struct stat file = {};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  const std::string identity =
      fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  const std::string table = fmt::format(
      "1: POSIX  ADVISORY  WRITE {} {} 1 1\n"
      "2: POSIX  ADVISORY  READ  {} {} 2 2\n"
      "2: -> POSIX  ADVISORY  WRITE 77 {} 2 2\n"
      "3: FLOCK  ADVISORY  WRITE 78 {} 0 EOF\n"
      "4: POSIX  ADVISORY  WRITE 2147480000 {} 1 1\n"
      "5: POSIX  ADVISORY  WRITE 79 00:00:1 1 1\n\nnoise",
      getpid(), identity, getpid(), identity, identity, identity, identity);
  EXPECT_EQ(HoldersInTable(table, path_), "this process, process 2147480000");
  EXPECT_EQ(HoldersInTable("", path_), "another process");
  EXPECT_EQ(HoldersInTable(table, folder_ + "/none"), "another process");
}

}  // namespace
}  // namespace banquet::sqlite
