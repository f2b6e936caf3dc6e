// Both ways of writing, row by row and by the feed, over databases of the test's own: what they
// leave, and what an error in their middle leaves.
#include "banquet/online/sqlite/view_writer.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

#include "banquet/base/sql_name.h"
#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/sqlite/sqlite_writer.h"

namespace banquet::sqlite {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNoonUs = 1'700'000'000 * kSecond;
constexpr int64_t kPageBytes = 4096;

// A database in a folder that goes with it.
class Scratch {
 public:
  Scratch() {
    std::string pattern = ::testing::TempDir() + "/banquet-writer-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(folder_); }
  Scratch(const Scratch&) = delete;

  std::string path() const { return folder_ + "/o.db"; }
  Status Execute(const std::string& sql) const {
    BANQUET_ASSIGN_OR_RETURN(auto database, Database::Open({.path = path()}));
    return database->Execute(sql);
  }
  Status MakeTables(std::span<const ViewColumns> views, const TableForm& form) const {
    BANQUET_ASSIGN_OR_RETURN(auto database, Database::Open({.path = path()}));
    for (const ViewColumns& view : views) {
      BANQUET_RETURN_NOT_OK(EnsureTable(database.get(), TableNameOf(view), form));
    }
    return Status::OK();
  }
  // Every row of a statement, its columns quoted.
  std::string Ask(const std::string& sql) const {
    auto database = Database::Open({.path = path()});
    EXPECT_OK(database);
    if (!database.ok()) return "";
    auto statement = (*database)->Prepare(sql);
    EXPECT_OK(statement);
    std::string rows;
    while (statement.ok()) {
      const auto row = statement->Step();
      EXPECT_OK(row);
      if (!row.ok() || !*row) break;
      rows += std::string(statement->Bytes(0)) + "\n";
    }
    return rows;
  }
  std::string RowsOf(const ViewColumns& view, const std::string& order) const {
    std::string cells;
    for (const char* column : {"entity_key", "feature_name", "value", "value_text", "value_num",
                               "vector_value", "event_ts", "created_ts"}) {
      cells += std::string(cells.empty() ? "" : " || ' ' || ") + "quote(" + column + ")";
    }
    return Ask("SELECT " + cells + " FROM " + QuoteName(TableNameOf(view)) + " ORDER BY " + order);
  }
  std::string Bytes() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string folder_;
};

constexpr TableForm kForm = {.local_provider = true, .value_num = true};

struct WriterMode {
  bool feed = true;
  std::string pragmas;
  bool read_only = false;
  std::stop_token stop = {};
};

Result<std::unique_ptr<OnlineWriter>> Open(const Scratch& scratch,
                                           std::span<const ViewColumns> views,
                                           const WriterMode& mode) {
  BANQUET_ASSIGN_OR_RETURN(
      auto database,
      Database::Open({.path = scratch.path(), .read_only = mode.read_only, .stop = mode.stop}));
  BANQUET_RETURN_NOT_OK(database->Execute(mode.pragmas));
  return MakeWriter(std::move(database), views,
                    {.form = kForm, .times = TimeRule::kUtc, .feed = mode.feed});
}

// Flushes of random rows: few keys and times, so that they meet again and again, also in one flush.
class RandomFlushes {
 public:
  RandomFlushes(std::span<const ViewColumns> views, unsigned seed) : views_(views), random_(seed) {}

  // Batches of one flush; the rows taken of each are in selections().
  std::vector<std::shared_ptr<const EncodedBatch>> Next() {
    std::vector<std::shared_ptr<const EncodedBatch>> batches;
    selections_.clear();
    const int count = 1 + Below(3);
    for (int i = 0; i < count; ++i) {
      batches.push_back(NextBatch());
      std::vector<uint32_t>& rows = selections_.emplace_back();
      for (uint32_t row = 0; row < batches.back()->rows; ++row) {
        if (Below(4) > 0) rows.push_back(row);
      }
    }
    return batches;
  }
  const std::vector<std::vector<uint32_t>>& selections() const { return selections_; }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  std::shared_ptr<const EncodedBatch> NextBatch() {
    BatchBuilder builder(views_);
    const bool has_created = Below(2) > 0;
    const int rows = Below(40);
    for (int i = 0; i < rows; ++i) {
      std::vector<std::string> values;
      for (const ViewColumns& view : views_) {
        for (size_t f = 0; f < view.features.size(); ++f) {
          values.push_back(
              std::string(static_cast<size_t>(Below(3)), static_cast<char>(Below(256))));
        }
      }
      const std::string key(static_cast<size_t>(Below(3)), static_cast<char>(Below(4) * 80));
      const int64_t event_us = kNoonUs + Below(5) * kSecond;
      if (has_created) {
        const bool null = Below(3) == 0;
        builder.Row(key, event_us, null ? std::nullopt : std::optional(event_us + kSecond), values);
      } else {
        builder.Row(key, event_us, values);
      }
    }
    return builder.Build();
  }

  const std::span<const ViewColumns> views_;
  std::mt19937 random_;
  std::vector<std::vector<uint32_t>> selections_;
};

// What an older program may have left: times as text and as fractions, a feature that is gone, a
// key that is text, a name that is a blob.
std::string Leftovers(const ViewColumns& view) {
  return "INSERT INTO " + QuoteName(TableNameOf(view)) +
         " (entity_key, feature_name, value, event_ts) VALUES (x'', 'gone', x'01', '2030-01-01'), "
         "(x'50', 'gone', x'02', 1700000003), (x'a0', 'a', x'03', 1700000002.5), ('P', 'a', x'04', "
         "1800000000), (x'5050', 'a', x'05', NULL), (x'50', x'61', x'06', 1700000001)";
}

// Forms of the first view's table that are not Feast's, but are taken.
std::string OtherForm(unsigned form) {
  const std::string table =
      "CREATE TABLE demo_newest (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, "
      "value_num REAL, vector_value BLOB, event_ts timestamp, created_ts timestamp, PRIMARY "
      "KEY(entity_key, feature_name))";
  if (form == 0) return table + " WITHOUT ROWID";
  if (form == 1) {
    return table +
           "; CREATE TABLE log (a); CREATE TRIGGER t AFTER INSERT ON Demo_Newest BEGIN INSERT INTO "
           "log VALUES (NEW.value); END";
  }
  return "";
}

TEST(ViewWriterTest, BothWaysLeaveTheSameRowsAndCounts) {
  const std::vector<ViewColumns> views = {MakeTestView("newest", {"b", "a", "ä"}),
                                          MakeTestView("always", {"z"}, Overwrite::kAlways),
                                          MakeTestView("feast", {"q", "p"}, Overwrite::kFeast)};
  const unsigned first_seed = std::random_device{}() % 1'000'000;
  for (unsigned seed = first_seed; seed < first_seed + 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Scratch by_feed;
    Scratch by_row;
    std::vector<std::unique_ptr<OnlineWriter>> writers;
    for (const Scratch* scratch : {&by_feed, &by_row}) {
      ASSERT_OK(scratch->Execute(OtherForm(seed % 4)));
      ASSERT_OK(scratch->MakeTables(views, kForm));
      if (seed / 4 % 2 == 0) ASSERT_OK(scratch->Execute(Leftovers(views[0])));
      const WriterMode mode{.feed = scratch == &by_feed, .pragmas = "PRAGMA synchronous = OFF"};
      ASSERT_OK_AND_ASSIGN(writers.emplace_back(), Open(*scratch, views, mode));
    }
    RandomFlushes flushes(views, seed);
    for (int round = 0; round < 8; ++round) {
      const auto batches = flushes.Next();
      std::vector<RowOutcomes> outcomes;
      for (const auto& writer : writers) {
        for (size_t i = 0; i < batches.size(); ++i) {
          ASSERT_OK(writer->Write(batches[i], RowSelection::Of(flushes.selections()[i])));
        }
        ASSERT_OK_AND_ASSIGN(outcomes.emplace_back(), writer->Flush());
      }
      EXPECT_EQ(outcomes[0].written, outcomes[1].written);
      EXPECT_EQ(outcomes[0].stale, outcomes[1].stale);
      EXPECT_EQ(outcomes[0].bytes, outcomes[1].bytes);
      EXPECT_EQ(outcomes[0].views, outcomes[1].views);
      for (const ViewColumns& view : views) {
        ASSERT_EQ(by_feed.RowsOf(view, "1"), by_row.RowsOf(view, "1")) << view.view;
      }
    }
  }
}

TEST(ViewWriterTest, TheFeedFillsTheTableInTheOrderOfItsKey) {
  const ViewColumns view = MakeTestView("stats", {"b", "ä", "a"});
  Scratch scratch;
  ASSERT_OK(scratch.MakeTables(std::span(&view, 1), kForm));
  ASSERT_OK_AND_ASSIGN(auto writer, Open(scratch, std::span(&view, 1), {}));
  for (const char* keys : {"cab",
                           "e\xff"
                           "d"}) {
    BatchBuilder builder(view);
    for (const char* key = keys; *key != 0; ++key) {
      builder.Row(std::string(1, *key), kNoonUs, {"1", "2", "3"});
    }
    ASSERT_OK(writer->Write(builder.Build(), RowSelection::All()));
  }
  ASSERT_OK(writer->Flush());
  EXPECT_EQ(scratch.RowsOf(view, "rowid"), scratch.RowsOf(view, "entity_key, feature_name"));
  EXPECT_EQ(scratch.Ask("SELECT count(*) FROM demo_stats"), "18\n");
}

TEST(ViewWriterTest, AnOverwrittenRowKeepsItsRowId) {
  const ViewColumns view = MakeTestView("stats", {"b", "a"});
  Scratch scratch;
  ASSERT_OK(scratch.MakeTables(std::span(&view, 1), kForm));
  ASSERT_OK(scratch.Execute(
      "INSERT INTO demo_stats (rowid, entity_key, feature_name, event_ts) VALUES (7, x'6b', 'b', "
      "1), (9, x'6b', 'gone', 2), (-3, x'6c', 'a', 3), (8, x'6b', 'a', 4)"));
  ASSERT_OK_AND_ASSIGN(auto writer, Open(scratch, std::span(&view, 1), {}));
  ASSERT_OK(writer->Write(
      BatchBuilder(view).Row("l", kNoonUs, {"1", "2"}).Row("k", kNoonUs, {"3", "4"}).Build(),
      RowSelection::All()));
  ASSERT_OK(writer->Flush());
  EXPECT_EQ(scratch.Ask("SELECT rowid || entity_key || feature_name || ifnull(value, '') || "
                        "event_ts FROM demo_stats ORDER BY rowid"),
            "-3la21700000000\n7kb31700000000\n8ka41700000000\n9kgone2\n10lb11700000000\n");
}

TEST(ViewWriterTest, TheFeedWritesThroughATriggerOfTheTable) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  Scratch scratch;
  ASSERT_OK(scratch.MakeTables(std::span(&view, 1), kForm));
  ASSERT_OK(scratch.Execute(
      "CREATE TABLE log (a); CREATE TRIGGER t AFTER INSERT ON demo_stats BEGIN INSERT INTO log "
      "VALUES (NEW.value); END"));
  ASSERT_OK_AND_ASSIGN(auto writer, Open(scratch, std::span(&view, 1), {}));
  ASSERT_OK(
      writer->Write(BatchBuilder(view).Row("k", kNoonUs, {"x", "y"}).Build(), RowSelection::All()));
  ASSERT_OK(writer->Flush());
  EXPECT_EQ(scratch.Ask("SELECT a FROM log"), "x\ny\n");
}

// The trigger gives the rowid of the second row to a row of another entity.
TEST(ViewWriterTest, TheFeedHeedsATriggerMadeAfterItWasOpened) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  Scratch scratch;
  ASSERT_OK(scratch.MakeTables(std::span(&view, 1), kForm));
  ASSERT_OK_AND_ASSIGN(auto writer, Open(scratch, std::span(&view, 1), {}));
  for (const char* key : {"k", "l", "z"}) {
    ASSERT_OK(
        writer->Write(BatchBuilder(view).Row(key, kNoonUs, {"old"}).Build(), RowSelection::All()));
    ASSERT_OK(writer->Flush());
  }
  ASSERT_OK(scratch.Execute(
      "CREATE TRIGGER t AFTER UPDATE ON demo_stats WHEN NEW.rowid = 1 BEGIN UPDATE demo_stats SET "
      "rowid = 9 WHERE rowid = 2; UPDATE demo_stats SET rowid = 2 WHERE rowid = 3; END"));
  ASSERT_OK(writer->Write(
      BatchBuilder(view).Row("k", kNoonUs, {"new"}).Row("l", kNoonUs, {"new"}).Build(),
      RowSelection::All()));
  ASSERT_OK(writer->Flush());
  EXPECT_EQ(scratch.Ask("SELECT entity_key || value FROM demo_stats ORDER BY entity_key"),
            "knew\nlnew\nzold\n");
}

// More feature rows than one statement takes, over a table that holds some of them.
TEST(ViewWriterTest, AWideFlushIsWrittenInSlices) {
  std::vector<std::string> features;
  for (int i = 0; i < 700; ++i) features.push_back("f" + std::to_string(i));
  const ViewColumns view = MakeTestView("wide", features);
  const auto batch_of = [&](int step, int64_t event_us) {
    BatchBuilder builder(view);
    for (int i = 0; i < 150; i += step) {
      std::vector<std::string> values(features.size());
      for (size_t f = 0; f < values.size(); ++f) values[f] = std::to_string(f + event_us / kSecond);
      builder.Row("key " + std::to_string(1000 + i), event_us + i % 9 * kSecond, values);
    }
    return builder.Build();
  };
  Scratch by_feed;
  Scratch by_row;
  std::vector<RowOutcomes> outcomes;
  for (const Scratch* scratch : {&by_feed, &by_row}) {
    ASSERT_OK(scratch->MakeTables(std::span(&view, 1), kForm));
    const WriterMode mode{.feed = scratch == &by_feed, .pragmas = "PRAGMA synchronous = OFF"};
    ASSERT_OK_AND_ASSIGN(auto writer, Open(*scratch, std::span(&view, 1), mode));
    ASSERT_OK(writer->Write(batch_of(7, kNoonUs + 4 * kSecond), RowSelection::All()));
    ASSERT_OK(writer->Flush());
    ASSERT_OK(writer->Write(batch_of(1, kNoonUs), RowSelection::All()));
    ASSERT_OK_AND_ASSIGN(outcomes.emplace_back(), writer->Flush());
  }
  EXPECT_GT(outcomes[0].stale, 0);
  EXPECT_EQ(outcomes[0].views, outcomes[1].views);
  EXPECT_EQ(outcomes[0].bytes, outcomes[1].bytes);
  EXPECT_TRUE(by_feed.RowsOf(view, "1") == by_row.RowsOf(view, "1"));
}

// With each way: a table of 300 entities, and a flush that overwrites them and adds 300.
class ViewWriterErrorTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_OK(scratch_.MakeTables(std::span(&view_, 1), kForm));
    ASSERT_OK(Write(MakeBatch(0, 300, kNoonUs)));
    batch_ = MakeBatch(150, 600, kNoonUs + kSecond);
    rows_ = Rows();
  }

  std::shared_ptr<const EncodedBatch> MakeBatch(int begin, int end, int64_t event_us) {
    BatchBuilder builder(view_);
    for (int i = begin; i < end; ++i) {
      builder.Row("key " + std::to_string(10'000 + i), event_us,
                  {std::string(40, 'x'), std::to_string(i + event_us)});
    }
    return builder.Build();
  }
  Result<RowOutcomes> Write(std::shared_ptr<const EncodedBatch> batch, WriterMode mode = {}) {
    mode.feed = GetParam();
    BANQUET_ASSIGN_OR_RETURN(auto writer, Open(scratch_, std::span(&view_, 1), mode));
    BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), RowSelection::All()));
    return writer->Flush();
  }
  std::string Rows() const { return scratch_.RowsOf(view_, "1"); }
  int64_t Pages() const {
    return static_cast<int64_t>(std::filesystem::file_size(scratch_.path())) / kPageBytes;
  }

  const ViewColumns view_ = MakeTestView("stats", {"b", "a"});
  const Scratch scratch_;
  std::shared_ptr<const EncodedBatch> batch_;
  std::string rows_;  // Before the flush.
};

INSTANTIATE_TEST_SUITE_P(Ways, ViewWriterErrorTest, ::testing::Values(true, false),
                         [](const auto& way) { return way.param ? "Feed" : "RowByRow"; });

TEST_P(ViewWriterErrorTest, AFullDiskAtAnyPageUndoesTheFlush) {
  int failures = 0;
  for (int64_t pages = Pages();; ++pages) {
    const Result<RowOutcomes> outcomes =
        Write(batch_, {.pragmas = "PRAGMA max_page_count = " + std::to_string(pages)});
    if (outcomes.ok()) {
      EXPECT_EQ(outcomes->written, 450);
      break;
    }
    ++failures;
    EXPECT_FAULT(Fault::kRemote, "disk or quota is full", outcomes);
    ASSERT_EQ(Rows(), rows_) << "limit of " << pages << " pages";
  }
  EXPECT_GT(failures, 10);
}

// Writes beyond the process's file size limit fail as a disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(int64_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(bytes);
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_ = {};
  void (*handler_)(int) = nullptr;
};

// The small cache makes pages go to the file, and into the journal, while rows are still coming.
TEST_P(ViewWriterErrorTest, AnIoErrorAtAnyWriteUndoesTheFlush) {
  const WriterMode mode{.pragmas = "PRAGMA cache_size = 10"};
  int failures = 0;
  for (int64_t bytes = 1000;; bytes += kPageBytes) {
    Result<RowOutcomes> outcomes = Status::Invalid("not run");
    {
      FileSizeLimit limit(bytes);
      outcomes = Write(batch_, mode);
    }
    if (outcomes.ok()) {
      EXPECT_EQ(outcomes->written, 450);
      break;
    }
    ++failures;
    EXPECT_FAULT(Fault::kRemote, scratch_.path(), outcomes);
    ASSERT_EQ(Rows(), rows_) << "limit of " << bytes << " bytes";
  }
  EXPECT_GT(failures, 10);
}

TEST_P(ViewWriterErrorTest, ADamagedPageUndoesTheFlush) {
  const std::string whole = scratch_.Bytes();
  int failures = 0;
  for (int64_t page = 1; page < Pages(); ++page) {
    std::string damaged = whole;
    damaged.replace(static_cast<size_t>(page * kPageBytes), kPageBytes, kPageBytes, '\xff');
    std::ofstream(scratch_.path(), std::ios::binary) << damaged;
    const Result<RowOutcomes> outcomes = Write(batch_);
    if (!outcomes.ok()) {
      ++failures;
      EXPECT_FAULT(Fault::kData, "damaged", outcomes);
      EXPECT_TRUE(scratch_.Bytes() == damaged) << "page " << page << " was damaged";
    }
    std::ofstream(scratch_.path(), std::ios::binary) << whole;
  }
  EXPECT_GT(failures, 5);
}

// The journal appears with the first page written, that is in the middle of the flush.
TEST_P(ViewWriterErrorTest, AStopInTheMiddleUndoesTheFlush) {
  std::stop_source stop;
  std::jthread stopper([&stop, journal = scratch_.path() + "-journal"](std::stop_token ended) {
    while (!ended.stop_requested() && !std::filesystem::exists(journal)) std::this_thread::yield();
    stop.request_stop();
  });
  const auto batch = MakeBatch(150, 60'000, kNoonUs + kSecond);
  EXPECT_FAULT(Fault::kCancelled, "",
               Write(batch, {.pragmas = "PRAGMA synchronous = OFF", .stop = stop.get_token()}));
  EXPECT_TRUE(Rows() == rows_);
}

TEST_P(ViewWriterErrorTest, AReadOnlyDatabaseIsTheUsers) {
  EXPECT_FAULT(Fault::kUser, "read-only", Write(batch_, {.read_only = true}));
  EXPECT_EQ(Rows(), rows_);
}

TEST_P(ViewWriterErrorTest, ATriggerThatRefusesALateRowUndoesTheFlush) {
  ASSERT_OK(
      scratch_.Execute("CREATE TRIGGER refuse BEFORE INSERT ON demo_stats WHEN NEW.entity_key = "
                       "CAST('key 10599' AS BLOB) BEGIN SELECT RAISE(ABORT, 'no more'); END"));
  EXPECT_FAULT(Fault::kRemote, "no more", Write(batch_));
  EXPECT_EQ(Rows(), rows_);
}

TEST_P(ViewWriterErrorTest, ATableThatIsGoneIsNamed) {
  ASSERT_OK(scratch_.Execute("DROP TABLE demo_stats"));
  EXPECT_FAULT(Fault::kRemote, "no such table", Write(batch_));
}

}  // namespace
}  // namespace banquet::sqlite
