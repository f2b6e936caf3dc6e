// RESTORE against a real server: what it leaves is, to the bit, what HSET leaves.

#include <map>
#include <random>
#include <set>

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/redis/live_redis.h"
#include "banquet/online/redis/redis_store.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

constexpr int kRestoreDb = 0;
constexpr int kHsetDb = 1;

Result<std::unique_ptr<OnlineStore>> StoreOn(const LiveRedis& server, int db, bool restore,
                                             const std::string& ttl = "0",
                                             const std::string& login = "") {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"connection_string", server.connection_string() + ",db=" + std::to_string(db) + login},
           {"key_ttl_seconds", ttl}}) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  OnlineStoreContext context;
  context.redis_restore = restore;
  return MakeStore(block, context);
}

Result<RowOutcomes> Write(OnlineStore* store, const std::vector<ViewColumns>& views,
                          std::shared_ptr<const EncodedBatch> batch) {
  BANQUET_RETURN_NOT_OK(store->Prepare(views));
  BANQUET_ASSIGN_OR_RETURN(auto writer, store->OpenWriter(views, 0));
  BANQUET_RETURN_NOT_OK(writer->Write(std::move(batch), RowSelection::All()));
  return writer->Flush();
}

// Of every key of the database, in hex: encoding, DUMP or fields, digest.
Result<std::map<std::string, std::string>> ImageOf(const LiveRedis& server, int db) {
  BANQUET_ASSIGN_OR_RETURN(auto connection, server.Connect(",db=" + std::to_string(db)));
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"KEYS", "*"}));
  std::vector<std::string> keys;
  for (size_t i = 1; i < reply->size(); ++i) keys.emplace_back(reply->text(i));
  for (const std::string& key : keys) {
    connection->commands()->Command({"OBJECT", "ENCODING", key});
    connection->commands()->Command({"DUMP", key});
    connection->commands()->Command({"HGETALL", key});
    connection->commands()->Command({"DEBUG", "DIGEST-VALUE", key});
  }
  std::map<std::string, std::string> image;
  for (const std::string& key : keys) {
    BANQUET_ASSIGN_OR_RETURN(reply, connection->Receive());
    std::string& value = image[HexOf(key)];
    value = std::string(reply->text()) + " ";
    // A table has no order of its own: what DUMP gives depends on its history.
    const bool is_table = reply->text() == "hashtable";
    BANQUET_ASSIGN_OR_RETURN(reply, connection->Receive());
    if (!is_table) value += HexOf(reply->text());
    BANQUET_ASSIGN_OR_RETURN(reply, connection->Receive());
    std::map<std::string, std::string> fields;
    for (size_t i = 1; is_table && i + 1 < reply->size(); i += 2) {
      fields[HexOf(reply->text(i))] = HexOf(reply->text(i + 1));
    }
    for (const auto& [field, text] : fields) value += field + "=" + text + ";";
    BANQUET_ASSIGN_OR_RETURN(reply, connection->Receive());
    value += " " + std::string(reply->text(1));
  }
  return image;
}

// How often the server executed the command.
Result<int64_t> CallsOf(const LiveRedis& server, const std::string& command) {
  BANQUET_ASSIGN_OR_RETURN(auto connection, server.Connect());
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"INFO", "commandstats"}));
  const std::string text(reply->text());
  const std::string name = "cmdstat_" + command + ":calls=";
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::stoll(text.substr(at + name.size()));
}

Result<std::unique_ptr<LiveRedis>> StartServer(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--enable-debug-command", "yes"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return LiveRedis::Start(std::move(arguments));
}

std::string RandomValue(std::mt19937_64* random) {
  switch ((*random)() % 8) {
    case 0:
      return std::to_string(static_cast<int64_t>((*random)()) >> (*random)() % 64);
    case 1:
      return "-" + std::to_string((*random)() >> (*random)() % 64);
    case 2:
      return std::string((*random)() % 3, '0');
    case 3:
      return std::string((*random)() % 2 == 0 ? 63 + (*random)() % 3 : 0, 'x');
    default: {
      std::string value((*random)() % 30, '\0');
      for (char& byte : value) byte = static_cast<char>((*random)());
      return value;
    }
  }
}

TEST(RestorePathLiveTest, EveryKindOfElementIsAsTheServerWritesIt) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer({"--hash-max-listpack-value", "65536"}));
  std::vector<std::string> values = {"", "0", "00", "-", "-0", "1.5", "5a", "12345678901234567890"};
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t about : {-1, 0, 1}) {
      const auto number = static_cast<int64_t>((uint64_t{1} << bit) + static_cast<uint64_t>(about));
      values.push_back(std::to_string(number));
      values.push_back(std::to_string(static_cast<int64_t>(-static_cast<uint64_t>(number))));
    }
  }
  for (const size_t size : {1, 16, 17, 62, 63, 64, 65, 124, 125, 126, 127, 128, 4095, 4096, 16377,
                            16378, 16379, 16384, 65536}) {
    values.emplace_back(size, 'x');
  }
  // Few in a row: a hash that could exceed a megabyte under this limit goes by HSET.
  constexpr size_t kFeatures = 8;
  while (values.size() % kFeatures != 0) values.emplace_back();
  const int64_t rows = static_cast<int64_t>(values.size() / kFeatures);
  std::vector<std::string> features;
  for (size_t i = 0; i < kFeatures; ++i) features.push_back("f" + std::to_string(i));
  const std::vector<ViewColumns> views = {MakeTestView("v", features)};
  BatchBuilder builder(views);
  for (auto at = values.begin(); at != values.end(); at += kFeatures) {
    builder.Row("k" + std::to_string(at - values.begin()), 1618225182'000123,
                std::vector<std::string>(at, at + kFeatures));
  }
  const auto batch = builder.Build();
  for (const auto& [db, restore] : {std::pair(kRestoreDb, true), {kHsetDb, false}}) {
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, db, restore));
    ASSERT_OK(Write(store.get(), views, batch));
  }
  EXPECT_EQ(*CallsOf(*server, "restore"), rows);
  EXPECT_EQ(*CallsOf(*server, "hset"), rows);
  ASSERT_OK_AND_ASSIGN(const auto restored, ImageOf(*server, kRestoreDb));
  ASSERT_OK_AND_ASSIGN(const auto written, ImageOf(*server, kHsetDb));
  for (const auto& [key, image] : restored) EXPECT_TRUE(image.starts_with("listpack ")) << key;
  EXPECT_EQ(restored, written);
}

TEST(RestorePathLiveTest, TakesOverTheServersLimits) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer({"--hash-max-listpack-value", "30",
                                                       "--hash-max-listpack-entries", "4"}));
  const std::vector<ViewColumns> small = {MakeTestView("v", {"a", "b", "c"})};
  const std::vector<ViewColumns> large = {MakeTestView("w", {"a", "b", "c", "d"})};
  for (const auto& [db, restore] : {std::pair(kRestoreDb, true), {kHsetDb, false}}) {
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, db, restore));
    ASSERT_OK(Write(store.get(), small,
                    BatchBuilder(small)
                        .Row("short", 1, {std::string(30, 'x'), "", "5"})
                        .Row("long", 1, {std::string(31, 'x'), "", "5"})
                        .Build()));
    ASSERT_OK(Write(store.get(), large,
                    BatchBuilder(large).Row("many", 1, {"1", "2", "3", "4"}).Build()));
  }
  EXPECT_EQ(*CallsOf(*server, "restore"), 1);
  ASSERT_OK_AND_ASSIGN(const auto restored, ImageOf(*server, kRestoreDb));
  ASSERT_OK_AND_ASSIGN(const auto written, ImageOf(*server, kHsetDb));
  EXPECT_EQ(restored, written);
}

struct Mode {
  Overwrite overwrite;
  Guard guard;
};

// Batches of random views, keys and times, some of them twice, over what is there: the same
// batches written by RESTORE and HSET, and by HSET alone, end alike.
void PlayRandomBatches(LiveRedis* server, const Mode& mode, uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK(admin->Call({"FLUSHALL"}));
  std::mt19937_64 random(seed);
  ASSERT_OK_AND_ASSIGN(const auto fast, StoreOn(*server, kRestoreDb, true));
  ASSERT_OK_AND_ASSIGN(const auto plain, StoreOn(*server, kHsetDb, false));
  for (int step = 0; step < 6; ++step) {
    std::vector<ViewColumns> views;
    for (const char* name : {"u", "v", "w"}) {
      if (random() % 2 == 0 && !(views.empty() && *name == 'w')) continue;
      std::vector<std::string> features;
      for (uint64_t i = 0; i <= random() % 6; ++i) features.push_back("f" + std::to_string(i));
      views.push_back(MakeTestView(name, features, mode.overwrite));
      views.back().guard = mode.guard;
    }
    BatchBuilder builder(views);
    const uint64_t keys = 1 + random() % 2500;
    for (uint64_t i = 0; i < keys; ++i) {
      // Mostly each key once; sometimes one of those before.
      const uint64_t key = random() % 50 == 0 ? random() % keys : i;
      std::vector<std::string> values;
      for (const ViewColumns& view : views) {
        for (size_t f = 0; f < view.features.size(); ++f) values.push_back(RandomValue(&random));
      }
      builder.Row("key" + std::to_string(key), static_cast<int64_t>(random() % 5) * 1'000'000,
                  values);
    }
    const auto batch = builder.Build();
    ASSERT_OK_AND_ASSIGN(const RowOutcomes a, Write(fast.get(), views, batch));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes b, Write(plain.get(), views, batch));
    EXPECT_EQ(a.written, b.written);
    EXPECT_EQ(a.stale, b.stale);
    EXPECT_EQ(a.unchanged, b.unchanged);
    EXPECT_EQ(a.views, b.views);
    EXPECT_EQ(a.undecided, b.undecided);
    ASSERT_OK_AND_ASSIGN(const auto restored, ImageOf(*server, kRestoreDb));
    ASSERT_OK_AND_ASSIGN(const auto written, ImageOf(*server, kHsetDb));
    ASSERT_EQ(restored, written) << "step " << step;
  }
}

TEST(RestorePathLiveTest, EndsAsHsetAloneForRandomBatches) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer());
  uint64_t seed = 20261126;
  for (const Mode& mode :
       {Mode{Overwrite::kNewest, Guard::kCheck}, Mode{Overwrite::kFeast, Guard::kCheck},
        Mode{Overwrite::kAlways, Guard::kCheck}, Mode{Overwrite::kNewest, Guard::kStrict},
        Mode{Overwrite::kFeast, Guard::kStrict}}) {
    for (int round = 0; round < 2; ++round) PlayRandomBatches(server.get(), mode, seed++);
  }
  EXPECT_GT(*CallsOf(*server, "restore"), 1000);
}

TEST(RestorePathLiveTest, GivesKeysTheTtlThatExpireGives) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer());
  const std::vector<ViewColumns> views = {MakeTestView("v", {"a"})};
  const std::vector<ViewColumns> others = {MakeTestView("w", {"a"})};
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, kRestoreDb, true, "1000"));
  ASSERT_OK_AND_ASSIGN(const auto later, StoreOn(*server, kRestoreDb, true, "2000"));
  ASSERT_OK(Write(store.get(), views, BatchBuilder(views).Row("a", 1, {"1"}).Build()));
  EXPECT_EQ(*CallsOf(*server, "restore"), 1);
  EXPECT_EQ(*CallsOf(*server, "expire"), 0);
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"PTTL", "ademo"}));
  EXPECT_GT(reply->integer(), 900'000);
  EXPECT_LE(reply->integer(), 1'000'000);
  ASSERT_OK(Write(later.get(), others, BatchBuilder(others).Row("a", 1, {"1"}).Build()));
  ASSERT_OK_AND_ASSIGN(reply, admin->Call({"PTTL", "ademo"}));
  EXPECT_GT(reply->integer(), 1'900'000) << "the last write's, as ever";
}

TEST(RestorePathLiveTest, AnExpiredKeyIsMadeAnew) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer());
  const std::vector<ViewColumns> views = {MakeTestView("v", {"a"}, Overwrite::kAlways)};
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK(admin->Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}));
  ASSERT_OK(admin->Call({"HSET", "ademo", "old", "x"}));
  ASSERT_OK(admin->Call({"PEXPIREAT", "ademo", "1"}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, kRestoreDb, true));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes,
                       Write(store.get(), views, BatchBuilder(views).Row("a", 1, {"1"}).Build()));
  EXPECT_EQ(outcomes.written, 1);
  EXPECT_EQ(*CallsOf(*server, "restore"), 1);
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"HLEN", "ademo"}));
  EXPECT_EQ(reply->integer(), 2);
}

TEST(RestorePathLiveTest, WritesByHsetWithoutTheRightToRestore) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer());
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  const std::vector<ViewColumns> views = {MakeTestView("v", {"a"})};
  BatchBuilder builder(views);
  for (int i = 0; i < 5000; ++i) builder.Row("key" + std::to_string(i), 7, {"x"});
  const auto batch = builder.Build();
  for (const std::string rights : {"-restore", "-restore -config", "-config"}) {
    SCOPED_TRACE(rights);
    ASSERT_OK(admin->Call({"FLUSHALL"}));
    ASSERT_OK(admin->Call({"CONFIG", "RESETSTAT"}));
    ASSERT_OK(admin->Call({"ACL", "SETUSER", "feast", "reset", "on", ">pw", "~*", "+@all"}));
    for (const char* right : {"-restore", "-config"}) {
      if (rights.find(right) != std::string::npos) {
        ASSERT_OK(admin->Call({"ACL", "SETUSER", "feast", right}));
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto store,
                         StoreOn(*server, kRestoreDb, true, "0", ",username=feast,password=pw"));
    ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(store.get(), views, batch));
    EXPECT_EQ(outcomes.written, 5000);
    EXPECT_EQ(*CallsOf(*server, "hset"), rights == "-config" ? 0 : 5000);
  }
}

TEST(RestorePathLiveTest, AServerThatSanitizesPayloadsTakesThem) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartServer({"--sanitize-dump-payload", "yes"}));
  const std::vector<ViewColumns> views = {MakeTestView("v", {"a", "b"})};
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*server, kRestoreDb, true));
  BatchBuilder builder(views);
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    builder.Row("key" + std::to_string(i), 7, {RandomValue(&random), RandomValue(&random)});
  }
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, Write(store.get(), views, builder.Build()));
  EXPECT_EQ(outcomes.written, 500);
  EXPECT_GT(*CallsOf(*server, "restore"), 400);
  ASSERT_OK_AND_ASSIGN(const auto admin, server->Connect());
  ASSERT_OK_AND_ASSIGN(const Reply* reply, admin->Call({"INFO", "stats"}));
  EXPECT_EQ(std::string(reply->text()).find("dump_payload_sanitizations:0"), std::string::npos);
}

}  // namespace
}  // namespace banquet::redis
