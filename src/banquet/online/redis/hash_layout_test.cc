#include "banquet/online/redis/hash_layout.h"

#include <fnmatch.h>

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/redis/reply_class.h"
#include "banquet/online/redis/row_frames.h"

namespace banquet::redis {
namespace {

std::string TimestampHex(int64_t event_us) {
  char bytes[kTimestampBytesMax];
  return HexOf({bytes, static_cast<size_t>(PutTimestamp(bytes, event_us) - bytes)});
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The vectors of feast-compat 6.1, then the ends of what a time may be.
constexpr std::pair<int64_t, const char*> kTimes[] = {
    {1618225182'000000, "089ed0d08306"},
    {1618225182'123456, "089ed0d08306108094ef3a"},
    {-500'000, "08ffffffffffffffffff011080cab5ee01"},
    {0, ""},
    {1, "10e807"},
    {-1'000'000, "08ffffffffffffffffff01"},
    {-62'135'596'800'000'000, "088092b8c398feffffff01"},
    {253'402'300'799'999'999, "08ff82d1ffaf0710988cebdc03"},
};

TEST(HashLayoutTest, WritesTimesAsFeastDoes) {
  for (const auto& [event_us, hex] : kTimes) {
    EXPECT_EQ(TimestampHex(event_us), hex) << event_us;
  }
}

TEST(HashLayoutTest, ReadsTimesBack) {
  for (const int64_t event_us :
       {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{-500'000}, int64_t{1618225182'123456},
        int64_t{-62'135'596'800'000'000}, int64_t{253'402'300'799'999'999}}) {
    char bytes[kTimestampBytesMax];
    ASSERT_OK_AND_ASSIGN(
        const StoredTime time,
        ParseTimestamp({bytes, static_cast<size_t>(PutTimestamp(bytes, event_us) - bytes)}));
    EXPECT_EQ(time, (StoredTime{.us = event_us, .beyond = false}));
  }
}

TEST(HashLayoutTest, ReadsTimesOfOtherWriters) {
  ASSERT_OK_AND_ASSIGN(const StoredTime nanos, ParseTimestamp(Unhex("0805100d")));
  EXPECT_EQ(nanos, (StoredTime{.us = 5'000'000, .beyond = true}));
  ASSERT_OK_AND_ASSIGN(const StoredTime unknown, ParseTimestamp(Unhex("1a02787908051800")));
  EXPECT_EQ(unknown, (StoredTime{.us = 5'000'000, .beyond = false}));
}

TEST(HashLayoutTest, RefusesDamagedTimes) {
  for (const char* hex : {"08", "ff", "0880", "1a05", "00", "0bff", "08ffffffffffffffffffff01",
                          "08ffffffffffffffff7f"}) {
    EXPECT_FAULT(Fault::kData, "", ParseTimestamp(Unhex(hex)));
  }
}

TEST(HashLayoutTest, NamesFieldsAsFeastDoes) {
  EXPECT_EQ(TimeField("driver_hourly_stats"), "_ts:driver_hourly_stats");
  EXPECT_EQ(HexOf(FeatureField("driver_hourly_stats", "conv_rate")), "6160e3da");
  EXPECT_EQ(HexOf(FeatureField("driver_hourly_stats", "acc_rate")), "fa5e58ad");
  EXPECT_EQ(HexOf(FeatureField("driver_hourly_stats", "avg_daily_trips")), "18a5e5a3");
  EXPECT_EQ(HexOf(FeatureField("driver_hourly_stats_v2", "conv_rate")), "bfac5cd4");
}

ViewColumns DriverView() {
  ViewColumns view;
  view.project = "demo";
  view.view = "driver_hourly_stats";
  view.join_keys.push_back({.name = "driver_id", .type = ValueType::kInt64});
  view.features.push_back({.name = "conv_rate", .type = ValueType::kFloat});
  return view;
}

// The full example of feast-compat 6.1.
constexpr char kExampleKey[] =
    "0100000002000000090000006472697665725f69640400000008000000e903000000000000";

TEST(HashLayoutTest, FramesTheExampleOfTheSpecification) {
  const ViewColumns view = DriverView();
  ASSERT_OK_AND_ASSIGN(const RowFrames frames, RowFrames::Make(std::span(&view, 1), 60));
  EncodedBatch batch;
  batch.rows = 1;
  batch.keys.data = Unhex(kExampleKey);
  batch.keys.Close();
  batch.event_us = {1618225182'000000};
  batch.views.resize(1);
  batch.views[0].resize(1);
  batch.views[0][0].values.data = Unhex("35f5696d3f");
  batch.views[0][0].values.Close();
  const std::string key = Unhex(kExampleKey) + "demo";
  EXPECT_EQ(HexOf(frames.RedisKeyOf(Unhex(kExampleKey))), kExampleKey + HexOf("demo"));
  CommandBuffer out;
  frames.PutCheck(batch.keys[0], &out);
  frames.PutWrite(batch, 0, 0, &out);
  frames.PutWriteOfAll(batch, 0, &out);
  frames.PutExpire(batch.keys[0], &out);
  frames.PutWatchHead(1, &out);
  frames.PutWatchKey(batch.keys[0], &out);
  CommandBuffer expected;
  expected.Command({"HMGET", key, "_ts:driver_hourly_stats"});
  for (int i = 0; i < 2; ++i) {
    expected.Command({"HSET", key, "_ts:driver_hourly_stats", Unhex("089ed0d08306"),
                      Unhex("6160e3da"), Unhex("35f5696d3f")});
  }
  expected.Command({"EXPIRE", key, "60"});
  expected.Command({"WATCH", key});
  EXPECT_EQ(out.unsent(), expected.unsent());
}

TEST(HashLayoutTest, GroupsOfOtherShapesAreBugs) {
  EXPECT_FAULT(Fault::kBug, "without views", RowFrames::Make({}, 0));
  std::vector<ViewColumns> views = {DriverView(), DriverView()};
  views[1].project = "other";
  EXPECT_FAULT(Fault::kBug, "two projects", RowFrames::Make(views, 0));
}

TEST(HashLayoutTest, BuildsTheBeginOfKeysByName) {
  EXPECT_EQ(HexOf(KeyPrefix(DriverView())), "0100000002000000090000006472697665725f6964");
  ViewColumns view = DriverView();
  view.join_keys.push_back({.name = "a", .type = ValueType::kString});
  EXPECT_EQ(HexOf(KeyPrefix(view)),
            "02000000020000000100000061"
            "02000000090000006472697665725f6964");
  view.entity_key_version = 2;
  EXPECT_EQ(HexOf(KeyPrefix(view)),
            "0200000061"
            "020000006472697665725f6964");
  view = DriverView();
  view.join_keys.clear();
  EXPECT_EQ(HexOf(KeyPrefix(view)), "01000000020000000a0000005f5f64756d6d795f6964");
}

TEST(HashLayoutTest, EscapesGlobLettersInPatterns) {
  EXPECT_EQ(ScanPattern("a*b?[c]\\", "p-1"), "a\\*b\\?\\[c\\]\\\\*p\\-1");
  EXPECT_EQ(fnmatch(ScanPattern("a*b", "p[1]").c_str(), "a*bxxp[1]", 0), 0);
  EXPECT_NE(fnmatch(ScanPattern("a*b", "p[1]").c_str(), "aXbxxp1", 0), 0);
}

TEST(HashLayoutTest, KnowsKeysOfTheProjectExactly) {
  const std::string prefix = KeyPrefix(DriverView());
  const std::string entity = Unhex(kExampleKey);
  EXPECT_TRUE(IsKeyOf(entity + "demo", prefix, 1, "demo"));
  EXPECT_FALSE(IsKeyOf(entity + "bardemo", prefix, 1, "demo"));
  EXPECT_FALSE(IsKeyOf(entity + "demo2", prefix, 1, "demo"));
  EXPECT_FALSE(IsKeyOf(entity, prefix, 1, "demo"));
  EXPECT_FALSE(IsKeyOf(entity.substr(0, entity.size() - 1), prefix, 1, ""));
  EXPECT_FALSE(IsKeyOf(prefix + "demo", prefix, 1, "demo"));
  EXPECT_FALSE(IsKeyOf("demo", prefix, 1, "demo"));
}

}  // namespace
}  // namespace banquet::redis
