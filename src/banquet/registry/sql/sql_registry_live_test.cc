#include <functional>
#include <thread>

#include "banquet/base/testing.h"
#include "banquet/client/sqlite/database.h"
#include "banquet/registry/decode_registry.h"
#include "banquet/registry/materialization_splice.h"
#include "banquet/registry/sql/registry_homes_for_test.h"
#include "banquet/registry/sql/sql_registry.h"
#include "banquet/registry/sql/view_leases.h"

namespace banquet::sql_registry {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr int64_t kNowUs = 1'800'000'000'123'456;
constexpr char kProject[] = "golden_inc";

std::string TestBytes(const std::string& name) {
  return ReadWholeFile(std::string(BANQUET_REGISTRY_TESTDATA) + "/" + name).ValueOrDie();
}

MaterializationRecord Record(const std::string& view, int64_t start_us = 1'000'000) {
  return {.project = kProject,
          .view = view,
          .window = {.start_us = start_us, .end_us = start_us + 1'000'000}};
}

RegistryHome* HomeOf(const std::string& product) {
  static SqliteHome sqlite;
  if (product == "sqlite") return &sqlite;
  if (product == "postgres") {
    static PostgresHome postgres;
    return &postgres;
  }
  static MariadbHome mariadb;
  return &mariadb;
}

class SqlRegistryTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { Fill("incremental_after_apply.db"); }

  void Fill(const std::string& file) {
    url_ = home_->NewDatabase();
    session_ = SessionAt(url_);
    MakeFeastTables(session_.get(), home_->bytes_type());
    FillFeastTables(session_.get(), TestBytes(file));
  }

  std::unique_ptr<Registry> Open(milliseconds lease = milliseconds(60'000)) {
    return MakeSqlRegistry({.url = url_,
                            .repo_path = "/nowhere",
                            .project = kProject,
                            .connect_timeout = milliseconds(2'000),
                            .stall_timeout = milliseconds(20'000),
                            .lease_duration = lease},
                           clock_)
        .ValueOrDie();
  }
  // With waits that pass.
  std::unique_ptr<Registry> OpenInRealTime(milliseconds lease) {
    return MakeSqlRegistry({.url = url_, .project = kProject, .lease_duration = lease},
                           SystemClock())
        .ValueOrDie();
  }

  std::vector<SqlRow> Rows(const std::string& sql) { return session_->Run(sql).ValueOrDie().rows; }
  std::string ViewBytes(const std::string& view, const std::string& table = "feature_views") {
    return Rows("SELECT feature_view_proto FROM " + table + " WHERE feature_view_name = '" + view +
                "'")
        .at(0)
        .at(0)
        .value();
  }
  size_t IntervalsOf(const std::string& view) {
    const auto contents = Open()->Read().ValueOrDie();
    return contents->FindView(kProject, view)->materialization_intervals.size();
  }

  RegistryHome* const home_ = HomeOf(GetParam());
  std::string url_;
  std::unique_ptr<SqlSession> session_;
  ManualClock clock_{kNowUs};
};

INSTANTIATE_TEST_SUITE_P(Products, SqlRegistryTest,
                         ::testing::Values("sqlite", "postgres", "mariadb"),
                         [](const auto& of) { return std::string(of.param); });

// --- Reading ---

std::vector<std::string> NamesOf(const RegistryContents& contents) {
  std::vector<std::string> names;
  for (const FeatureView& view : contents.feature_views)
    names.push_back(fmt::format("view {} {} {} {} {} {}", view.name, view.project,
                                NameOf(view.kind), view.features.size(), view.ttl_us,
                                view.materialization_intervals.size()));
  for (const Entity& entity : contents.entities)
    names.push_back(fmt::format("entity {} {} {}", entity.name, entity.project, entity.join_key));
  for (const DataSource& source : contents.data_sources) names.push_back("source " + source.name);
  for (const FeatureService& service : contents.feature_services)
    names.push_back(fmt::format("service {} {}", service.name, service.projections.size()));
  for (const FeatureViewVersion& version : contents.versions)
    names.push_back(fmt::format("version {} {} {} {}", version.view, version.project,
                                version.number, version.definition.features.size()));
  for (const std::string& project : contents.projects) names.push_back("project " + project);
  std::ranges::sort(names);
  return names;
}

TEST_P(SqlRegistryTest, ReadsWhatAFileRegistryWithTheSameObjectsHolds) {
  for (const char* file : {"basic.db", "incremental.db", "types.db", "versioned.db"}) {
    Fill(file);
    feast::core::Registry message;
    ASSERT_TRUE(message.ParseFromString(TestBytes(file)));
    ASSERT_OK_AND_ASSIGN(const RegistryContents expected, DecodeRegistry(message));
    ASSERT_OK_AND_ASSIGN(
        const auto registry,
        MakeSqlRegistry({.url = url_, .project = expected.projects.at(0)}, clock_));
    ASSERT_OK_AND_ASSIGN(const auto contents, registry->Read());
    EXPECT_THAT(NamesOf(*contents), ElementsAreArray(NamesOf(expected))) << file;
  }
}

TEST_P(SqlRegistryTest, ReadsTheObjectsOfItsOwnProjectAndTheNamesOfAll) {
  ASSERT_OK(
      session_->Run("UPDATE feature_views SET project_id = 'other' WHERE feature_view_name = "
                    "'inc_new'"));
  ASSERT_OK(session_->Run("INSERT INTO projects VALUES ('other', 'other', 1, ?)",
                          std::vector<SqlValue>{SqlBytes{""}}));
  ASSERT_OK_AND_ASSIGN(const auto contents, Open()->Read());
  EXPECT_EQ(contents->FindView(kProject, "inc_new"), nullptr);
  EXPECT_EQ(contents->FindView("other", "inc_new"), nullptr);
  EXPECT_NE(contents->FindView(kProject, "inc_ttl"), nullptr);
  EXPECT_THAT(contents->projects, ::testing::ElementsAre(kProject, "other"));
}

// Feast writes a view's message without its project once it has recorded an interval.
TEST_P(SqlRegistryTest, AViewIsOfTheProjectOfItsRow) {
  feast::core::FeatureView view;
  ASSERT_TRUE(view.ParseFromString(ViewBytes("inc_ttl")));
  view.mutable_spec()->clear_project();
  ASSERT_OK(
      session_->Run("UPDATE feature_views SET feature_view_proto = ? WHERE feature_view_name "
                    "= 'inc_ttl'",
                    std::vector<SqlValue>{SqlBytes{view.SerializeAsString()}}));
  ASSERT_OK_AND_ASSIGN(const auto contents, Open()->Read());
  EXPECT_NE(contents->FindView(kProject, "inc_ttl"), nullptr);
}

TEST_P(SqlRegistryTest, TablesThatAnOlderFeastLacksAreEmpty) {
  for (const char* table : {"label_views", "feature_view_version_history", "projects"})
    ASSERT_OK(session_->Run(std::string("DROP TABLE ") + table));
  ASSERT_OK_AND_ASSIGN(const auto contents, Open()->Read());
  EXPECT_NE(contents->FindView(kProject, "inc_ttl"), nullptr);
  EXPECT_THAT(contents->versions, IsEmpty());
}

TEST_P(SqlRegistryTest, ADatabaseWithoutFeastsTablesIsAUserError) {
  url_ = home_->NewDatabase();
  EXPECT_FAULT(Fault::kUser, "run `feast apply`", Open()->Read());
}

TEST_P(SqlRegistryTest, ARowThatDoesNotParseIsNamed) {
  ASSERT_OK(
      session_->Run("UPDATE feature_views SET feature_view_proto = ? WHERE feature_view_name "
                    "= 'inc_ttl'",
                    std::vector<SqlValue>{SqlBytes{"\xff\xff"}}));
  EXPECT_FAULT(Fault::kData, "feature_views 'inc_ttl' does not parse", Open()->Read());
  EXPECT_FAULT(Fault::kData, "inc_ttl", Open()->RecordMaterialization(Record("inc_ttl")));
}

// --- Recording ---

TEST_P(SqlRegistryTest, RecordsBySplicingTheViewsRow) {
  const std::string before = ViewBytes("inc_ttl");
  const std::string other = ViewBytes("inc_plain");
  ASSERT_OK_AND_ASSIGN(const std::string expected,
                       SpliceViewMaterialization(before, Record("inc_ttl"), kNowUs));
  ASSERT_OK_AND_ASSIGN(const auto warning, Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(warning, std::nullopt);
  EXPECT_EQ(ViewBytes("inc_ttl"), expected);
  EXPECT_EQ(ViewBytes("inc_plain"), other);
  const std::string now_s = std::to_string(kNowUs / 1'000'000);
  EXPECT_THAT(Rows("SELECT last_updated_timestamp FROM feature_views WHERE feature_view_name = "
                   "'inc_ttl'")
                  .at(0)
                  .at(0),
              Optional(now_s));
  const SqlRow metadata =
      Rows("SELECT metadata_value, last_updated_timestamp FROM feast_metadata").at(0);
  EXPECT_THAT(metadata[0], Optional(now_s));
  EXPECT_THAT(metadata[1], Optional(now_s));
}

TEST_P(SqlRegistryTest, RecordsAStreamViewInItsOwnTable) {
  feast::core::StreamFeatureView view;
  view.mutable_spec()->set_name("stream");
  InsertObject(session_.get(), "stream_feature_views", "feature_view", "stream", kProject,
               view.SerializeAsString());
  ASSERT_OK(Open()->RecordMaterialization(Record("stream")));
  ASSERT_TRUE(view.ParseFromString(ViewBytes("stream", "stream_feature_views")));
  EXPECT_EQ(view.meta().materialization_intervals_size(), 1);
  EXPECT_EQ(view.meta().state(), feast::core::AVAILABLE_ONLINE);
}

TEST_P(SqlRegistryTest, AViewThatVanishedIsAUserError) {
  EXPECT_FAULT(Fault::kUser, "no longer there", Open()->RecordMaterialization(Record("gone")));
  MaterializationRecord record = Record("inc_ttl");
  record.project = "other";
  EXPECT_FAULT(Fault::kUser, "no longer there", Open()->RecordMaterialization(record));
}

TEST_P(SqlRegistryTest, WithoutMetadataOnlyTheViewIsWritten) {
  ASSERT_OK(session_->Run("DELETE FROM feast_metadata"));
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_THAT(Rows("SELECT * FROM feast_metadata"), IsEmpty());
}

// An answer to COMMIT that was lost makes the same record be tried again.
TEST_P(SqlRegistryTest, TheSameRecordTwiceIsOneInterval) {
  const size_t before = IntervalsOf("inc_ttl");
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  const std::string recorded = ViewBytes("inc_ttl");
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(ViewBytes("inc_ttl"), recorded);
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(IntervalsOf("inc_ttl"), before + 2);
}

TEST_P(SqlRegistryTest, RecordsAtTheSameTimeLoseNothing) {
  constexpr int kRuns = 4;
  constexpr int kEach = 5;
  const size_t before = IntervalsOf("inc_ttl");
  std::vector<std::thread> runs;
  for (int run = 0; run < kRuns; ++run) {
    runs.emplace_back([this, run] {
      const auto registry = OpenInRealTime(milliseconds(60'000));
      for (int i = 0; i < kEach; ++i)
        EXPECT_OK(registry->RecordMaterialization(Record("inc_ttl", 1'000 * (run * kEach + i))));
    });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(IntervalsOf("inc_ttl"), before + kRuns * kEach);
}

TEST_P(SqlRegistryTest, AChangeThatIsBeingMadeIsWaitedForAndKept) {
  feast::core::FeatureView view;
  ASSERT_TRUE(view.ParseFromString(ViewBytes("inc_ttl")));
  view.mutable_spec()->set_description("changed meanwhile");
  ASSERT_OK(session_->Run(session_->dialect().begin_write));
  ASSERT_OK(
      session_->Run("UPDATE feature_views SET feature_view_proto = ? WHERE feature_view_name "
                    "= 'inc_ttl'",
                    std::vector<SqlValue>{SqlBytes{view.SerializeAsString()}}));
  std::thread recording([this] {
    EXPECT_OK(OpenInRealTime(milliseconds(60'000))->RecordMaterialization(Record("inc_ttl")));
  });
  std::this_thread::sleep_for(milliseconds(300));
  ASSERT_OK(session_->Commit());
  recording.join();
  ASSERT_TRUE(view.ParseFromString(ViewBytes("inc_ttl")));
  EXPECT_EQ(view.spec().description(), "changed meanwhile");
  EXPECT_GE(view.meta().materialization_intervals_size(), 1);
}

// --- Leases ---

TEST_P(SqlRegistryTest, AViewIsHeldByOneRunAndFreeAfterIt) {
  const auto first = Open();
  const auto second = Open();
  ASSERT_OK_AND_ASSIGN(auto lock, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_FAULT(Fault::kHeld, fmt::format("pid {} on host", ::getpid()),
               second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_FAULT(Fault::kHeld, "unless it is renewed",
               second->LockView(kProject, "inc_ttl", milliseconds(1'000), {}));
  EXPECT_OK(second->LockView(kProject, "inc_plain", milliseconds(0), {}));
  EXPECT_OK(second->LockView("other", "inc_ttl", milliseconds(0), {}));
  lock.reset();
  EXPECT_OK(second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_THAT(Rows("SELECT * FROM banquet_view_leases"), IsEmpty());
}

TEST_P(SqlRegistryTest, OfRunsThatStartAtOnceOneHoldsTheView) {
  std::atomic<int> held = 0;
  std::atomic<int> at_once = 0;
  std::vector<std::thread> runs;
  for (int run = 0; run < 4; ++run) {
    runs.emplace_back([&] {
      const auto registry = OpenInRealTime(milliseconds(60'000));
      const auto lock = registry->LockView(kProject, "inc_ttl", milliseconds(15'000), {});
      ASSERT_OK(lock);
      EXPECT_EQ(++at_once, 1);
      std::this_thread::sleep_for(milliseconds(20));
      --at_once;
      ++held;
    });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(held, 4);
}

TEST_P(SqlRegistryTest, AnEndedWaitIsACancellation) {
  std::stop_source stop;
  ASSERT_OK_AND_ASSIGN(const auto lock, Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  stop.request_stop();
  EXPECT_FAULT(Fault::kCancelled, "",
               Open()->LockView(kProject, "inc_ttl", milliseconds(1'000), stop.get_token()));
}

TEST_P(SqlRegistryTest, ALeaseThatIsRenewedStays) {
  const auto first = OpenInRealTime(milliseconds(1'500));
  ASSERT_OK_AND_ASSIGN(const auto lock, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_EQ(lock->renew_every(), milliseconds(500));
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(lock->renew_every());
    ASSERT_OK(lock->Renew({}));
    EXPECT_FAULT(Fault::kHeld, "holds view inc_ttl",
                 Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  }
}

TEST_P(SqlRegistryTest, ALeaseThatRanOutIsTakenOverAndRecordsNothing) {
  const auto first = OpenInRealTime(milliseconds(1'200));
  ASSERT_OK_AND_ASSIGN(auto lost, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  const auto second = OpenInRealTime(milliseconds(60'000));
  ASSERT_OK_AND_ASSIGN(const auto lock,
                       second->LockView(kProject, "inc_ttl", milliseconds(5'000), {}));
  const std::string before = ViewBytes("inc_ttl");
  EXPECT_FAULT(Fault::kHeld, "ran out", lost->Renew({}));
  EXPECT_FAULT(Fault::kHeld, "ran out", first->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(ViewBytes("inc_ttl"), before);
  // Its end must not release what is now another's.
  lost.reset();
  EXPECT_FAULT(Fault::kHeld, "holds view",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_OK(second->RecordMaterialization(Record("inc_ttl")));
}

TEST_P(SqlRegistryTest, ALeaseThatRanOutUnnoticedStillRecords) {
  const auto registry = OpenInRealTime(milliseconds(1'200));
  ASSERT_OK_AND_ASSIGN(const auto lock,
                       registry->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  std::this_thread::sleep_for(milliseconds(1'300));
  EXPECT_OK(registry->RecordMaterialization(Record("inc_ttl")));
}

// --- Rights and faults ---

TEST_P(SqlRegistryTest, CheckingWritesNothing) {
  const std::string everything = "SELECT * FROM feature_views ORDER BY feature_view_name";
  const auto before = Rows(everything);
  ASSERT_OK(Open()->CheckWritable());
  EXPECT_THAT(Rows(session_->dialect().tables.data()),
              Not(::testing::Contains(SqlRow{std::string(kLeaseTable)})));
  ASSERT_OK(Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  ASSERT_OK(Open()->CheckWritable());
  EXPECT_EQ(Rows(everything), before);
}

// Two transactions that wait for each other: MySQL ends one of them.
TEST_P(SqlRegistryTest, ChecksAtTheSameTimeAreNotInEachOthersWay) {
  ASSERT_OK(Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));  // Makes the table.
  std::vector<std::jthread> runs;
  for (int i = 0; i < 4; ++i) {
    runs.emplace_back([registry = OpenInRealTime(milliseconds(60'000))] {
      for (int check = 0; check < 20; ++check) EXPECT_OK(registry->CheckWritable());
    });
  }
}

TEST_P(SqlRegistryTest, ADatabaseThatIsNotThereIsTold) {
  const SqlUrl url = ParseSqlUrl(url_).ValueOrDie();
  url_.replace(url_.find(url.database), url.database.size(), "no_such_database");
  const auto read = Open()->Read();
  EXPECT_FAULT(Fault::kUser, "no_such_database", read);
}

TEST(PostgresRegistryTest, WhoMayOnlyReadIsTold) {
  auto* home = static_cast<PostgresHome*>(HomeOf("postgres"));
  const std::string url = home->NewDatabase();
  const auto session = SessionAt(url);
  MakeFeastTables(session.get(), home->bytes_type());
  FillFeastTables(session.get(), TestBytes("incremental_after_apply.db"));
  ASSERT_OK(session->Run("CREATE USER reader PASSWORD 'reader'"));
  ASSERT_OK(session->Run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"));
  ManualClock clock(kNowUs);
  const std::string database = ParseSqlUrl(url).ValueOrDie().database;
  ASSERT_OK_AND_ASSIGN(
      const auto registry,
      MakeSqlRegistry({.url = home->UrlOf("reader", "reader", database), .project = kProject},
                      clock));
  EXPECT_OK(registry->Read());
  EXPECT_FAULT(Fault::kUser, "have it made: CREATE TABLE banquet_view_leases",
               registry->CheckWritable());
  EXPECT_FAULT(Fault::kUser, "have it made: CREATE TABLE banquet_view_leases",
               registry->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  ASSERT_OK(EnsureLeaseTable(session.get()));
  ASSERT_OK(session->Run("GRANT SELECT, INSERT, UPDATE, DELETE ON banquet_view_leases TO reader"));
  EXPECT_FAULT(Fault::kUser, "feature_views", registry->CheckWritable());
  EXPECT_FAULT(Fault::kUser, "feature_views", registry->RecordMaterialization(Record("inc_ttl")));
  // The least rights of docs/feast-differences.md.
  ASSERT_OK(
      session->Run("GRANT UPDATE ON feature_views, stream_feature_views, feast_metadata TO "
                   "reader"));
  ASSERT_OK(session->Run("REVOKE INSERT ON banquet_view_leases FROM reader"));
  EXPECT_FAULT(Fault::kUser, "banquet_view_leases", registry->CheckWritable());
  ASSERT_OK(session->Run("GRANT INSERT ON banquet_view_leases TO reader"));
  EXPECT_OK(registry->CheckWritable());
  EXPECT_OK(registry->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_OK(registry->RecordMaterialization(Record("inc_ttl")));
}

TEST(MariadbRegistryTest, WhoMayOnlyReadIsTold) {
  auto* home = static_cast<MariadbHome*>(HomeOf("mariadb"));
  const std::string url = home->NewDatabase();
  const auto session = SessionAt(url);
  MakeFeastTables(session.get(), home->bytes_type());
  FillFeastTables(session.get(), TestBytes("incremental_after_apply.db"));
  const std::string database = ParseSqlUrl(url).ValueOrDie().database;
  ASSERT_OK(session->Run("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'reader'"));
  ASSERT_OK(session->Run("GRANT SELECT ON " + database + ".* TO reader@'127.0.0.1'"));
  ManualClock clock(kNowUs);
  ASSERT_OK_AND_ASSIGN(
      const auto registry,
      MakeSqlRegistry({.url = home->UrlOf("reader", "reader", database), .project = kProject},
                      clock));
  EXPECT_OK(registry->Read());
  EXPECT_FAULT(Fault::kUser, "UPDATE command denied", registry->CheckWritable());
  EXPECT_FAULT(Fault::kUser, "have it made: CREATE TABLE banquet_view_leases",
               registry->LockView(kProject, "inc_ttl", milliseconds(0), {}));
}

// Does something at each wait.
class ActingClock final : public Clock {
 public:
  explicit ActingClock(std::function<void()> act) : act_(std::move(act)) {}
  int64_t NowUs() override { return kNowUs; }
  std::chrono::steady_clock::time_point Steady() override { return inner_.Steady(); }
  bool Wait(milliseconds duration, const std::stop_token& stop) override {
    act_();
    return inner_.Wait(duration, stop);
  }

 private:
  ManualClock inner_{kNowUs};
  std::function<void()> act_;
};

TEST(PostgresRegistryTest, ServerThatComesBackIsRecordedInAndOneThatDoesNotIsTold) {
  PostgresHome home;
  const std::string url = home.NewDatabase();
  {
    const auto session = SessionAt(url);
    MakeFeastTables(session.get(), home.bytes_type());
    FillFeastTables(session.get(), TestBytes("incremental_after_apply.db"));
  }
  home.server()->Kill();
  int waits = 0;
  ActingClock clock([&] {
    if (++waits == 2) ASSERT_OK(home.server()->Restart());
  });
  ASSERT_OK_AND_ASSIGN(const auto registry,
                       MakeSqlRegistry({.url = url, .project = kProject}, clock));
  EXPECT_OK(registry->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(waits, 2);
  home.server()->Kill();
  waits = 10;
  EXPECT_FAULT(Fault::kRemote, "Recording view inc_ttl",
               registry->RecordMaterialization(Record("inc_ttl")));
  EXPECT_GT(waits, 20);  // Five minutes of waits, at most ten seconds each.
}

TEST(MariadbRegistryTest, AViewThatFindsNoRoomIsRefusedNotCut) {
  auto* home = static_cast<MariadbHome*>(HomeOf("mariadb"));
  const std::string url = home->NewDatabase();
  const auto session = SessionAt(url);
  MakeFeastTables(session.get(), "BLOB");  // As older Feast made them: 64 KiB.
  ASSERT_OK(session->Run("SET sql_mode = ''"));
  feast::core::FeatureView view;
  view.mutable_spec()->set_name("wide");
  view.mutable_spec()->set_description(std::string(65'520, 'x'));
  const std::string bytes = view.SerializeAsString();
  InsertObject(session.get(), "feature_views", "feature_view", "wide", kProject, bytes);
  ManualClock clock(kNowUs);
  ASSERT_OK_AND_ASSIGN(const auto registry,
                       MakeSqlRegistry({.url = url, .project = kProject}, clock));
  EXPECT_FAULT(Fault::kData, "too long", registry->RecordMaterialization(Record("wide")));
  ASSERT_OK_AND_ASSIGN(const SqlAnswer left,
                       session->Run("SELECT feature_view_proto FROM feature_views"));
  EXPECT_EQ(left.rows.at(0).at(0), std::optional<std::string>(bytes));
}

TEST(MakeSqlRegistryTest, RefusesWhatItDoesNotKnowByName) {
  ManualClock clock(kNowUs);
  const auto refusal = [&clock](const std::string& url) -> Status {
    BANQUET_ASSIGN_OR_RETURN(const auto registry, MakeSqlRegistry({.url = url}, clock));
    return registry->Read().status();
  };
  EXPECT_FAULT(Fault::kUser, "no URL", refusal("data/registry.db"));
  EXPECT_FAULT(Fault::kUser, "'oracle'", refusal("oracle://h/d"));
  EXPECT_FAULT(Fault::kUser, "postgresql+asyncpg", refusal("postgresql+asyncpg://h/d"));
  EXPECT_FAULT(Fault::kUser, "sqlite+aiosqlite", refusal("sqlite+aiosqlite:///x.db"));
  EXPECT_FAULT(Fault::kUser, "sqlite:////folder", refusal("sqlite://"));
  EXPECT_FAULT(Fault::kUser, "sqlite:////folder", refusal("sqlite://host/x.db"));
  EXPECT_FAULT(Fault::kUser, "sqlite:////folder", refusal("sqlite:///:memory:"));
  EXPECT_FAULT(Fault::kUser, "'uri'", refusal("sqlite:///x.db?uri=true"));
  EXPECT_FAULT(Fault::kUser, "'ssl_capath'", refusal("mysql://h/d?ssl_capath=x"));
  EXPECT_FAULT(Fault::kUser, "name the database", refusal("mysql://h"));
  EXPECT_FAULT(Fault::kUser, "banquet_no_such_option",
               refusal("postgresql://127.0.0.1/d?banquet_no_such_option=1"));
}

TEST(MakeSqlRegistryTest, ARelativeSqliteFileIsInTheRepository) {
  const TemporaryDirectory folder;
  const std::string url = "sqlite:///" + folder.File("registry.db");
  ASSERT_OK(sqlite::Database::Open({.path = folder.File("registry.db")}));
  {
    const auto session = SessionAt(url);
    MakeFeastTables(session.get(), "BLOB");
    FillFeastTables(session.get(), TestBytes("incremental_after_apply.db"));
  }
  ManualClock clock(kNowUs);
  ASSERT_OK_AND_ASSIGN(const auto registry, MakeSqlRegistry({.url = "sqlite:///registry.db",
                                                             .repo_path = folder.path(),
                                                             .project = kProject},
                                                            clock));
  EXPECT_OK(registry->Read());
}

}  // namespace
}  // namespace banquet::sql_registry
