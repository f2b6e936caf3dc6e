#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "banquet/base/hex_text.h"
#include "banquet/client/postgres/live_postgres.h"
#include "banquet/client/process/certificates_for_test.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/postgres/postgres_store.h"

namespace banquet::postgres {
namespace {

constexpr int64_t kNoonUs = 1'700'000'000'000'000;
constexpr int64_t kSecond = 1'000'000;

using Entries = std::map<std::string, std::string>;

Result<std::unique_ptr<OnlineStore>> StoreOn(const LivePostgres& server, Entries changed = {},
                                             OnlineStoreContext context = {}) {
  Entries entries = {
      {"type", "postgres"},  {"host", "127.0.0.1"}, {"port", std::to_string(server.port())},
      {"database", "feast"}, {"user", "feast"},     {"password", "feast"},
      {"sslmode", "disable"}};
  for (const auto& [key, value] : changed) entries[key] = value;
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : entries) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  return MakeStore(block, context);
}

// One server for all tests; each has its own schema.
LivePostgres* Server() {
  static const Result<std::unique_ptr<LivePostgres>> server = LivePostgres::Start();
  EXPECT_OK(server);
  return server.ok() ? server->get() : nullptr;
}

StoreUnderTest Postgres(std::string name, Entries options) {
  return {.name = std::move(name),
          .make = [options](const std::string& scratch) -> Result<std::unique_ptr<OnlineStore>> {
            LivePostgres* server = Server();
            if (server == nullptr) return RemoteError({}, "no Postgres");
            static std::map<std::string, std::string> schemas;
            const auto [schema, added] =
                schemas.try_emplace(scratch, "contract_" + std::to_string(schemas.size()));
            Entries changed = options;
            changed["db_schema"] = schema->second;
            return StoreOn(*server, changed);
          }};
}

INSTANTIATE_TEST_SUITE_P(Postgres, OnlineStoreContract,
                         ::testing::Values(Postgres("plain", {}),
                                           Postgres("numbers",
                                                    {{"enable_openai_compatible_store", "true"}})),
                         StoreUnderTest::NameOf);

class PostgresStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(Server(), nullptr);
    static int schemas = 0;
    schema_ = "schema_" + std::to_string(schemas++);
    ASSERT_OK_AND_ASSIGN(admin_, Server()->Connect());
    ASSERT_OK_AND_ASSIGN(store_, Make());
  }

  Result<std::unique_ptr<OnlineStore>> Make(Entries changed = {}, OnlineStoreContext context = {}) {
    changed.try_emplace("db_schema", schema_);
    return StoreOn(*Server(), changed, context);
  }

  Result<std::unique_ptr<OnlineWriter>> Writer(const ViewColumns& view) {
    BANQUET_RETURN_NOT_OK(store_->Prepare(std::span(&view, 1)));
    return store_->OpenWriter(std::span(&view, 1), 0);
  }

  Result<RowOutcomes> WriteRow(const ViewColumns& view, const std::string& key, int64_t event_us,
                               const std::vector<std::string>& values) {
    BANQUET_ASSIGN_OR_RETURN(auto writer, Writer(view));
    return WriteBy(writer.get(), view, key, event_us, values);
  }
  static Result<RowOutcomes> WriteBy(OnlineWriter* writer, const ViewColumns& view,
                                     const std::string& key, int64_t event_us,
                                     const std::vector<std::string>& values) {
    BANQUET_RETURN_NOT_OK(
        writer->Write(BatchBuilder(view).Row(key, event_us, values).Build(), RowSelection::All()));
    return writer->Flush();
  }

  // The first column of every row, as text.
  std::vector<std::string> Ask(const std::string& sql) {
    const auto rows = admin_->Run(sql);
    EXPECT_OK(rows);
    std::vector<std::string> cells;
    for (int i = 0; rows.ok() && i < rows->size(); ++i) {
      cells.push_back(rows->At(i, 0).has_value() ? std::string(rows->Bytes(i, 0)) : "NULL");
    }
    return cells;
  }
  void Do(const std::string& sql) { ASSERT_OK(admin_->Run(sql)); }
  std::string Table(const std::string& name) const { return schema_ + ".\"" + name + "\""; }
  // An account of this test with no rights but those that the test grants.
  std::string MakeUser() {
    const std::string user = schema_ + "_user";
    Do("CREATE USER " + user + " PASSWORD 'own'");
    return user;
  }

  std::string schema_;
  std::unique_ptr<Connection> admin_;
  std::unique_ptr<OnlineStore> store_;
};

TEST_F(PostgresStoreTest, MakesTheTableThatFeastMakes) {
  ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  EXPECT_THAT(
      Ask("SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM "
          "information_schema.columns WHERE table_schema = '" +
          schema_ + "' ORDER BY ordinal_position"),
      ::testing::ElementsAre("entity_key bytea NO", "feature_name text NO", "value bytea YES",
                             "value_text text YES", "vector_value bytea YES",
                             "event_ts timestamp with time zone YES",
                             "created_ts timestamp with time zone YES"));
  EXPECT_THAT(
      Ask("SELECT indexdef FROM pg_indexes WHERE schemaname = '" + schema_ + "' ORDER BY 1"),
      ::testing::ElementsAre(
          "CREATE INDEX demo_stats_ek ON " + schema_ + ".demo_stats USING btree (entity_key)",
          "CREATE INDEX demo_stats_fts_idx ON " + schema_ +
              ".demo_stats USING gin (to_tsvector('english'::regconfig, value_text))",
          "CREATE UNIQUE INDEX demo_stats_pkey ON " + schema_ +
              ".demo_stats USING btree (entity_key, feature_name)"));
}

TEST_F(PostgresStoreTest, WritesTextsNumbersAndTimesBesideTheValues) {
  ASSERT_OK_AND_ASSIGN(store_, Make({{"enable_openai_compatible_store", "true"}}));
  ViewColumns view = MakeTestView("stats", {"a", "b"});
  view.has_created_time = true;
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  ASSERT_OK(writer->Write(BatchBuilder(view)
                              .Row("k", kNoonUs + 123'456, kNoonUs - 1, {"12", ""})
                              .Row("l", kNoonUs, std::nullopt, {"", "7"})
                              .Build(),
                          RowSelection::All()));
  ASSERT_OK(writer->Flush());
  EXPECT_THAT(Ask("SELECT concat_ws('|', convert_from(entity_key, 'UTF8'), feature_name, "
                  "encode(value, 'hex'), coalesce(value_text, 'null'), coalesce(value_num::text, "
                  "'null'), event_ts AT TIME ZONE 'UTC', coalesce((created_ts AT TIME ZONE "
                  "'UTC')::text, 'null')) FROM " +
                  Table("demo_stats") + " ORDER BY 1"),
              ::testing::ElementsAre(
                  "k|a|3132|text of 12|2|2023-11-14 22:13:20.123456|2023-11-14 22:13:19.999999",
                  "k|b||null|null|2023-11-14 22:13:20.123456|2023-11-14 22:13:19.999999",
                  "l|a||null|null|2023-11-14 22:13:20|null",
                  "l|b|37|text of 7|1|2023-11-14 22:13:20|null"));
}

TEST_F(PostgresStoreTest, FillsANumberColumnThatIsThereUnasked) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  Do("ALTER TABLE " + Table("demo_stats") + " ADD COLUMN value_num double precision");
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"123"}));
  EXPECT_THAT(Ask("SELECT value_num::text FROM " + Table("demo_stats")),
              ::testing::ElementsAre("3"));
}

TEST_F(PostgresStoreTest, NoZoneShiftsATime) {
  setenv("PGTZ", "America/New_York", 1);
  const ViewColumns view = MakeTestView("stats", {"a"});
  const auto outcomes = WriteRow(view, "k", kNoonUs, {"1"});
  unsetenv("PGTZ");
  ASSERT_OK(outcomes);
  EXPECT_THAT(
      Ask("SELECT (extract(epoch FROM event_ts))::bigint::text FROM " + Table("demo_stats")),
      ::testing::ElementsAre("1700000000"));
}

TEST_F(PostgresStoreTest, ATextWithANulIsNoTextAndKeepsItsValue) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  const std::string nul("x\0y", 3);
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {nul}));
  EXPECT_THAT(Ask("SELECT value_text FROM " + Table("demo_stats")), ::testing::ElementsAre("NULL"));
  EXPECT_THAT(Ask("SELECT encode(value, 'hex') FROM " + Table("demo_stats")),
              ::testing::ElementsAre(HexOf(nul)));
}

TEST_F(PostgresStoreTest, ATimeBeforePostgresBeganIsADataError) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  EXPECT_FAULT(Fault::kData, "event_ts", WriteRow(view, "k", INT64_MIN, {"1"}));
  ViewColumns created = MakeTestView("other", {"a"});
  created.has_created_time = true;
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(created));
  ASSERT_OK(writer->Write(BatchBuilder(created).Row("k", 0, INT64_MIN, {"1"}).Build(),
                          RowSelection::All()));
  EXPECT_FAULT(Fault::kData, "created_ts", writer->Flush());
}

// --- rows of others ---

// Also with features of which the run knows nothing: the entity is one.
TEST_F(PostgresStoreTest, ARowWrittenByAnotherWhileTheTableIsFreshIsGuarded) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("INSERT INTO " + Table("demo_stats") +
     " SELECT 'taken', name, 'theirs', NULL, NULL, to_timestamp(1700000001), NULL FROM "
     "unnest(ARRAY['a', 'b']) AS name");
  const auto batch =
      BatchBuilder(view).Row("free", kNoonUs, {"1", "2"}).Row("taken", kNoonUs, {"1", "2"}).Build();
  ASSERT_OK(writer->Write(batch, RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.written, 1);
  EXPECT_EQ(outcomes.stale, 1);
  EXPECT_THAT(Ask("SELECT DISTINCT convert_from(value, 'UTF8') FROM " + Table("demo_stats") +
                  " WHERE entity_key = 'taken'"),
              ::testing::ElementsAre("theirs"));
}

// Somebody holds a newer row uncommitted when ours comes: ours waits, and must not win.
TEST_F(PostgresStoreTest, ANewerRowThatIsCommittedWhileWeWaitIsNotOverwritten) {
  const ViewColumns view = MakeTestView("stats", {"a", "b"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1", "2"}));
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("BEGIN");
  Do("UPDATE " + Table("demo_stats") +
     " SET value = 'theirs', event_ts = to_timestamp(1700000009)");
  Result<RowOutcomes> outcomes = RowOutcomes{};
  std::thread ours([&] {
    outcomes = WriteBy(writer.get(), view, "k", kNoonUs + kSecond, {"3", "4"});
  });
  for (int i = 0; i < 500; ++i) {
    const auto waiting = Ask("SELECT 1 FROM pg_locks WHERE NOT granted");
    if (!waiting.empty()) break;
    usleep(10'000);
  }
  Do("COMMIT");
  ours.join();
  ASSERT_OK(outcomes);
  EXPECT_EQ(outcomes->stale, 1);
  EXPECT_EQ(outcomes->written, 0);
  EXPECT_THAT(Ask("SELECT convert_from(value, 'UTF8') FROM " + Table("demo_stats")),
              ::testing::ElementsAre("theirs", "theirs"));
}

TEST_F(PostgresStoreTest, ADeadlockIsToBeTriedAgain) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k1", kNoonUs, {"1"}));
  ASSERT_OK(WriteRow(view, "k2", kNoonUs, {"1"}));
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("SET deadlock_timeout = '10s'");
  Do("BEGIN");
  Do("UPDATE " + Table("demo_stats") + " SET value = 'x' WHERE entity_key = 'k2'");
  Result<RowOutcomes> outcomes = RowOutcomes{};
  std::thread ours([&] {
    const auto batch =
        BatchBuilder(view).Row("k1", kNoonUs + 1, {"2"}).Row("k2", kNoonUs + 1, {"2"}).Build();
    outcomes = writer->Write(batch, RowSelection::All()).ok() ? writer->Flush()
                                                              : Result<RowOutcomes>(RowOutcomes{});
  });
  for (int i = 0; i < 500 && Ask("SELECT 1 FROM pg_locks WHERE NOT granted").empty(); ++i) {
    usleep(10'000);
  }
  // Now they wait for us and we for them; their timeout is the shorter.
  ASSERT_OK(
      admin_->Run("UPDATE " + Table("demo_stats") + " SET value = 'x' WHERE entity_key = 'k1'"));
  Do("COMMIT");
  ours.join();
  EXPECT_FAULT(Fault::kRemote, "deadlock", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
}

// Something else than another writer keeps rows out: no row is given up in silence.
TEST_F(PostgresStoreTest, ATableThatSwallowsRowsIsAnError) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("CREATE FUNCTION " + schema_ +
     ".swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
  Do("CREATE TRIGGER swallow BEFORE INSERT ON " + Table("demo_stats") +
     " FOR EACH ROW EXECUTE FUNCTION " + schema_ + ".swallow()");
  EXPECT_FAULT(Fault::kRemote, "took 0 rows of 1",
               WriteBy(writer.get(), view, "k", kNoonUs, {"1"}));
  writer.reset();  // Its transaction holds the table.
  Do("DROP TRIGGER swallow ON " + Table("demo_stats"));
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  Do("CREATE TRIGGER swallow BEFORE UPDATE ON " + Table("demo_stats") +
     " FOR EACH ROW EXECUTE FUNCTION " + schema_ + ".swallow()");
  const auto outcomes = WriteRow(view, "k", kNoonUs, {"2"});
  EXPECT_FAULT(Fault::kRemote, "others write the same entities all the time", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  EXPECT_THAT(Ask("SELECT convert_from(value, 'UTF8') FROM " + Table("demo_stats")),
              ::testing::ElementsAre("1"));
}

TEST_F(PostgresStoreTest, AnotherUniqueIndexOfTheTableIsTold) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  Do("CREATE UNIQUE INDEX ON " + Table("demo_stats") + " (value)");
  const auto outcomes = WriteRow(view, "l", kNoonUs, {"1"});
  EXPECT_FAULT(Fault::kRemote, "unique constraint", outcomes);
  EXPECT_FALSE(IsRetryable(outcomes.status()));
}

// --- servers that fail ---

TEST_F(PostgresStoreTest, ABackendThatIsKilledIsToBeTriedAgain) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
     "'banquet'");
  const auto outcomes = WriteBy(writer.get(), view, "k", kNoonUs, {"1"});
  EXPECT_FAULT(Fault::kRemote, "postgres at 127.0.0.1", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  ASSERT_OK_AND_ASSIGN(writer, store_->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes again, WriteBy(writer.get(), view, "k", kNoonUs, {"1"}));
  EXPECT_EQ(again.written, 1);
}

// Within COPY, within the upsert, and within COMMIT, whose outcome is unknown then.
TEST_F(PostgresStoreTest, ABackendThatIsKilledWithinAFlushIsToBeTriedAgain) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  Do("CREATE FUNCTION " + schema_ +
     ".die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM "
     "pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'");
  int row = 0;
  for (const bool is_fresh : {true, false}) {
    for (const bool at_commit : {false, true}) {
      SCOPED_TRACE(std::string(at_commit ? "at COMMIT" : "before") +
                   (is_fresh ? ", copied" : ", upserted"));
      const std::string key = "k" + std::to_string(row++);
      if (is_fresh) Do("TRUNCATE " + Table("demo_stats"));
      ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
      Do((at_commit ? "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON "
                    : "CREATE TRIGGER die BEFORE INSERT ON ") +
         Table("demo_stats") + (at_commit ? " DEFERRABLE INITIALLY DEFERRED" : "") +
         " FOR EACH ROW EXECUTE FUNCTION " + schema_ + ".die()");
      const auto outcomes = WriteBy(writer.get(), view, key, kNoonUs, {"1"});
      EXPECT_FAULT(Fault::kRemote, "postgres at 127.0.0.1", outcomes);
      EXPECT_TRUE(IsRetryable(outcomes.status())) << outcomes.status();
      Do("DROP TRIGGER die ON " + Table("demo_stats"));
      ASSERT_OK_AND_ASSIGN(writer, store_->OpenWriter(std::span(&view, 1), 0));
      ASSERT_OK_AND_ASSIGN(const RowOutcomes again,
                           WriteBy(writer.get(), view, key, kNoonUs, {"1"}));
      EXPECT_EQ(again.written, 1);
    }
  }
}

TEST_F(PostgresStoreTest, AServerThatIsKilledAndStartedAgainIsWrittenOn) {
  ASSERT_OK_AND_ASSIGN(const auto server, LivePostgres::Start());
  ASSERT_OK_AND_ASSIGN(store_, StoreOn(*server));
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  ASSERT_OK(WriteBy(writer.get(), view, "before", kNoonUs, {"1"}));
  server->Kill();
  const auto outcomes = WriteBy(writer.get(), view, "after", kNoonUs, {"1"});
  EXPECT_TRUE(IsRetryable(outcomes.status())) << outcomes.status();
  const auto down = store_->OpenWriter(std::span(&view, 1), 0);
  EXPECT_FAULT(Fault::kRemote, "Connection refused", down);
  EXPECT_TRUE(IsRetryable(down.status()));
  ASSERT_OK(server->Restart());
  ASSERT_OK_AND_ASSIGN(writer, store_->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes again,
                       WriteBy(writer.get(), view, "after", kNoonUs, {"1"}));
  EXPECT_EQ(again.written, 1);
  ASSERT_OK(store_->ConfirmWritten());
}

TEST_F(PostgresStoreTest, TooManyConnectionsAreToBeTriedAgain) {
  const std::string user = MakeUser();
  Do("ALTER USER " + user + " CONNECTION LIMIT 0");
  ASSERT_OK_AND_ASSIGN(store_, Make({{"user", user}, {"password", "own"}}));
  const Status status = store_->Prepare({});
  EXPECT_FAULT(Fault::kRemote, "too many connections", status);
  EXPECT_TRUE(IsRetryable(status));
}

TEST_F(PostgresStoreTest, ATableThatIsGoneWhenItIsWrittenIsTheUsersToMend) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("DROP TABLE " + Table("demo_stats"));
  EXPECT_FAULT(Fault::kUser, "the table must be there",
               WriteBy(writer.get(), view, "k", kNoonUs, {"1"}));
}

TEST_F(PostgresStoreTest, ATextThatIsNoUtf8IsADataError) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  EXPECT_FAULT(Fault::kData, "cannot take a value", WriteRow(view, "k", kNoonUs, {"\xff"}));
}

TEST_F(PostgresStoreTest, WhoeverListensAndSaysNothingIsGivenUp) {
  int port = 0;
  const int listener = ListenOnLoopback(&port);
  OnlineStoreContext context;
  context.connect_timeout = std::chrono::milliseconds(200);
  ASSERT_OK_AND_ASSIGN(store_, Make({{"port", std::to_string(port)}}, context));
  EXPECT_FAULT(Fault::kRemote, "did not answer for 200 ms (banquet.connect_timeout)",
               store_->Prepare({}));
  close(listener);
}

TEST_F(PostgresStoreTest, AReadOutlivesItsConnection) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  const std::string key = "k";
  ASSERT_OK(store_->Read(view, std::span(&key, 1)));
  Do("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
     "'banquet'");
  ASSERT_OK_AND_ASSIGN(const StoredRows rows, store_->Read(view, std::span(&key, 1)));
  EXPECT_EQ(rows[0]->values[0], "1");
}

TEST_F(PostgresStoreTest, AViewWithoutATableHasNoRows) {
  const std::string key = "k";
  ASSERT_OK_AND_ASSIGN(const StoredRows rows,
                       store_->Read(MakeTestView("nobody", {"a"}), std::span(&key, 1)));
  EXPECT_FALSE(rows[0].has_value());
}

TEST_F(PostgresStoreTest, ATableMadeAnewIsNotConfirmed) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  ASSERT_OK(store_->ConfirmWritten());
  Do("DROP TABLE " + Table("demo_stats"));
  EXPECT_FAULT(Fault::kRemote, "removed or made anew", store_->ConfirmWritten());
  EXPECT_FAULT(Fault::kRemote, "was removed", store_->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK_AND_ASSIGN(auto other, Make());
  ASSERT_OK(other->Prepare(std::span(&view, 1)));
  EXPECT_FAULT(Fault::kRemote, "removed or made anew", store_->ConfirmWritten());
}

TEST_F(PostgresStoreTest, AStopEndsTheWaitForALock) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  std::stop_source stop;
  OnlineStoreContext context;
  context.stop = stop.get_token();
  ASSERT_OK_AND_ASSIGN(store_, Make({}, context));
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("BEGIN");
  Do("LOCK TABLE " + Table("demo_stats"));
  std::thread stopper([&] {
    usleep(200'000);
    stop.request_stop();
  });
  EXPECT_FAULT(Fault::kCancelled, "", WriteBy(writer.get(), view, "k", kNoonUs, {"2"}));
  stopper.join();
  Do("COMMIT");
}

TEST_F(PostgresStoreTest, AServerThatDoesNotMoveIsGivenUpAfterTheStallTimeout) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  OnlineStoreContext context;
  context.stall_timeout = std::chrono::milliseconds(300);
  ASSERT_OK_AND_ASSIGN(store_, Make({}, context));
  ASSERT_OK_AND_ASSIGN(auto writer, Writer(view));
  Do("BEGIN");
  Do("LOCK TABLE " + Table("demo_stats"));
  const auto outcomes = WriteBy(writer.get(), view, "k", kNoonUs, {"2"});
  EXPECT_FAULT(Fault::kRemote, "did not answer for 300 ms (banquet.stall_timeout)", outcomes);
  EXPECT_TRUE(IsRetryable(outcomes.status()));
  Do("COMMIT");
}

// --- TLS ---

class PostgresTlsTest : public ::testing::Test {
 protected:
  // A server with this certificate; it wants the key to be its own, and nobody else's to read.
  void Serve(const std::string& certificate) {
    ASSERT_OK_AND_ASSIGN(server_, LivePostgres::Start("ssl = on", [&](const std::string& data) {
                           for (const char* kind : {".pem", ".key"}) {
                             const std::string copy =
                                 data + "/server" + (std::string(kind) == ".pem" ? ".crt" : kind);
                             std::filesystem::copy_file(TestCertificates().File(certificate + kind),
                                                        copy);
                             std::filesystem::permissions(copy, std::filesystem::perms::owner_read);
                             ASSERT_OK(LivePostgres::Own(copy));
                           }
                         }));
  }
  Status Prepare(const std::string& mode, const std::string& authority = "ca") {
    BANQUET_ASSIGN_OR_RETURN(
        const auto store,
        StoreOn(*server_, {{"sslmode", mode},
                           {"sslrootcert_path", TestCertificates().File(authority + ".pem")}}));
    return store->Prepare({});
  }

  std::unique_ptr<LivePostgres> server_;
};

TEST_F(PostgresTlsTest, AFileThatIsNotThereIsTheUsersToMend) {
  Serve("server");
  const Status status = Prepare("verify-ca", "missing");
  EXPECT_FAULT(Fault::kUser, "sslrootcert_path", status);
  EXPECT_FAULT(Fault::kUser, "missing.pem", status);
}

TEST_F(PostgresTlsTest, ACertificateIsHeldAgainstAuthorityAndName) {
  Serve("server");
  ASSERT_OK(Prepare("require"));
  ASSERT_OK(Prepare("verify-ca"));
  ASSERT_OK(Prepare("verify-full"));
  EXPECT_FAULT(Fault::kRemote, "certificate verify failed", Prepare("verify-full", "stranger"));
  EXPECT_FAULT(Fault::kUser, "cannot be read", Prepare("verify-full", "nothing"));
}

TEST_F(PostgresTlsTest, AnotherHostsCertificateIsRefused) {
  Serve("elsewhere");
  ASSERT_OK(Prepare("verify-ca"));
  EXPECT_FAULT(Fault::kRemote, "does not match host name", Prepare("verify-full"));
}

TEST_F(PostgresTlsTest, AnExpiredCertificateIsRefused) {
  Serve("expired");
  EXPECT_FAULT(Fault::kRemote, "certificate verify failed", Prepare("verify-full"));
}

// --- what is wrong is told ---

TEST_F(PostgresStoreTest, WrongNamesAndPasswordsAreTheUsersToMend) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  const auto prepare = [&](Entries changed) {
    const auto store = Make(std::move(changed));
    return store.ok() ? (*store)->Prepare(std::span(&view, 1)) : store.status();
  };
  const Status password = prepare({{"password", "canary-secret"}});
  EXPECT_FAULT(Fault::kUser, "password authentication failed", password);
  EXPECT_EQ(password.ToString().find("canary-secret"), std::string::npos);
  EXPECT_FAULT(Fault::kUser, "does not exist", prepare({{"database", "nowhere"}}));
  EXPECT_FAULT(Fault::kRemote, "Connection refused", prepare({{"port", "1"}}));
  EXPECT_FAULT(Fault::kRemote, "SSL", prepare({{"sslmode", "require"}}));
  EXPECT_FAULT(Fault::kUser, "vector_enabled", prepare({{"vector_enabled", "true"}}));
  EXPECT_FAULT(Fault::kUser, "sslmode", prepare({{"sslmode", "sometimes"}}));
}

TEST_F(PostgresStoreTest, ATableThatIsNotFeastsIsRefused) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  Do("CREATE SCHEMA " + schema_);
  Do("CREATE TABLE " + Table("demo_stats") + " (entity_key text, id int)");
  EXPECT_FAULT(Fault::kUser, "column entity_key is text and not bytea",
               store_->Prepare(std::span(&view, 1)));
  EXPECT_FAULT(Fault::kUser, "column entity_key is text and not bytea",
               store_->Check(std::span(&view, 1)));
  Do("DROP TABLE " + Table("demo_stats"));
  Do("CREATE TABLE " + Table("demo_stats") +
     " (entity_key bytea, feature_name text, value bytea, value_text text, event_ts timestamptz)");
  EXPECT_FAULT(Fault::kUser, "column created_ts is missing", store_->Prepare(std::span(&view, 1)));
  Do("ALTER TABLE " + Table("demo_stats") + " ADD created_ts timestamptz");
  EXPECT_FAULT(Fault::kUser, "no unique or exclusion constraint",
               store_->Prepare(std::span(&view, 1)));
}

TEST_F(PostgresStoreTest, ANameWithANulIsRefused) {
  const ViewColumns view = MakeTestView(std::string("a\0b", 3), {"a"});
  EXPECT_FAULT(Fault::kUser, "NUL", store_->Prepare(std::span(&view, 1)));
}

TEST_F(PostgresStoreTest, ALongNameIsCutOffAsPostgresDoes) {
  const ViewColumns view = MakeTestView(std::string(80, 'v'), {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  EXPECT_THAT(Ask("SELECT tablename FROM pg_tables WHERE schemaname = '" + schema_ + "'"),
              ::testing::ElementsAre("demo_" + std::string(58, 'v')));
}

// The rights of docs/formats/postgres.md, and no others.
TEST_F(PostgresStoreTest, ATableThatIsThereAsksForFewRights) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Prepare(std::span(&view, 1)));
  const std::string user = MakeUser();
  Do("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  ASSERT_OK_AND_ASSIGN(store_, Make({{"user", user}, {"password", "own"}}));
  const auto refused = [&] { return store_->Check(std::span(&view, 1)); };
  EXPECT_FAULT(Fault::kUser, "permission denied", refused());
  Do("GRANT USAGE ON SCHEMA " + schema_ + " TO " + user);
  EXPECT_FAULT(Fault::kUser, "permission denied", refused());
  Do("GRANT SELECT ON " + Table("demo_stats") + " TO " + user);
  EXPECT_FAULT(Fault::kUser, "grant the right", refused());
  Do("GRANT INSERT ON " + Table("demo_stats") + " TO " + user);
  EXPECT_FAULT(Fault::kUser, "grant the right", refused());
  Do("GRANT UPDATE ON " + Table("demo_stats") + " TO " + user);
  ASSERT_OK(refused());
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"2"}));
  ASSERT_OK(store_->ConfirmWritten());
}

TEST_F(PostgresStoreTest, CheckMakesNothing) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(store_->Check(std::span(&view, 1)));
  EXPECT_THAT(Ask("SELECT 1 FROM pg_namespace WHERE nspname = '" + schema_ + "'"),
              ::testing::IsEmpty());
}

TEST_F(PostgresStoreTest, LeavesNoStage) {
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  ASSERT_OK(WriteRow(view, "k", kNoonUs, {"1"}));
  for (int i = 0; i < 500; ++i) {
    if (Ask("SELECT relname FROM pg_class WHERE relname LIKE 'banquet%'").empty()) return;
    usleep(10'000);  // The server ends a session after its client has left.
  }
  FAIL() << "a stage was left";
}

}  // namespace
}  // namespace banquet::postgres
