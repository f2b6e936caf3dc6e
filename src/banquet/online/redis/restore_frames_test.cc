#include "banquet/online/redis/restore_frames.h"

#include "banquet/base/hex_text.h"
#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::optional<RestoreFrames> FramesOf(const std::vector<ViewColumns>& views,
                                      ListpackLimits limits = {}) {
  return RestoreFrames::Make(views, 0, limits);
}

// The example of docs/formats/redis.md; the payload is what DUMP of a Redis 7.0 gave after HSET.
TEST(RestoreFramesTest, FramesTheExampleOfTheDocument) {
  ViewColumns view = MakeTestView("driver_hourly_stats", {"conv_rate"});
  auto frames = RestoreFrames::Make(std::span(&view, 1), 60, {});
  ASSERT_TRUE(frames.has_value());
  const auto batch = BatchBuilder(view)
                         .Row("a", 1, {"?"})
                         .Row("driver 1001, ", 1618225182'000000, {Unhex("35f5696d3f")})
                         .Build();
  CommandBuffer out;
  frames->Use(*batch);
  EXPECT_TRUE(frames->Put(1, &out));
  CommandBuffer expected;
  expected.Command({"RESTORE", "driver 1001, demo", "60000",
                    Unhex("1035350000000400975f74733a6472697665725f686f75726c795f7374617473"
                          "1886089ed0d0830607846160e3da058535f5696d3f06ff0a00dd2988dbcfb3c9bc")});
  EXPECT_EQ(HexOf(out.unsent()), HexOf(expected.unsent()));
}

TEST(RestoreFramesTest, LeavesTooLongValuesToHset) {
  const ViewColumns view = MakeTestView("v", {"a", "b"});
  auto frames = FramesOf({view});
  ASSERT_TRUE(frames.has_value());
  const auto batch = BatchBuilder(view)
                         .Row("1", 1, {std::string(64, 'x'), ""})
                         .Row("2", 1, {"", std::string(65, 'x')})
                         .Build();
  CommandBuffer out;
  frames->Use(*batch);
  EXPECT_TRUE(frames->Put(0, &out));
  const size_t bytes = out.unsent().size();
  EXPECT_FALSE(frames->Put(1, &out));
  EXPECT_EQ(out.unsent().size(), bytes);
}

TEST(RestoreFramesTest, IsNotForHashesThatBecomeTables) {
  std::vector<std::string> features;
  for (int i = 0; i < 511; ++i) features.push_back("f" + std::to_string(i));
  EXPECT_TRUE(FramesOf({MakeTestView("v", features)}).has_value());
  features.emplace_back("one too many with the time");
  EXPECT_FALSE(FramesOf({MakeTestView("v", features)}).has_value());
  EXPECT_TRUE(FramesOf({MakeTestView(std::string(60, 'v'), {"a"})}).has_value());
  EXPECT_FALSE(FramesOf({MakeTestView(std::string(61, 'v'), {"a"})}).has_value());
  EXPECT_FALSE(FramesOf({MakeTestView("v", {"a"})}, {.word_bytes_max = 8}).has_value());
  EXPECT_FALSE(FramesOf({MakeTestView("v", {"a"})}, {.fields_max = 1}).has_value());
  const std::vector<std::string> hundred(features.begin(), features.begin() + 100);
  EXPECT_TRUE(FramesOf({MakeTestView("v", hundred)}, {.word_bytes_max = 10'000}).has_value());
  EXPECT_FALSE(FramesOf({MakeTestView("v", hundred)}, {.word_bytes_max = 11'000}).has_value())
      << "every row would reserve more than a megabyte";
  EXPECT_FALSE(FramesOf({MakeTestView("v", {"a", "a"})}).has_value())
      << "HSET writes a field once, with the later value";
}

// Reads a framed command back, as a reply, and its payload's length.
void ExpectWellFramed(std::string_view command) {
  ReplyReader reader;
  ASSERT_OK(reader.Feed(command));
  ASSERT_OK_AND_ASSIGN(const Reply* words, reader.Next());
  ASSERT_NE(words, nullptr);
  ASSERT_TRUE(words->IsFlatArray(4));
  const std::string payload(words->text(4));
  const auto byte = [&payload](size_t i) { return static_cast<unsigned char>(payload[i]); };
  size_t head = 2;
  size_t listpack = byte(1);
  if (byte(1) == 0x80) {
    head = 6;
    listpack = static_cast<size_t>(byte(2)) << 24 | byte(3) << 16 | byte(4) << 8 | byte(5);
  } else if (byte(1) >= 0x40) {
    head = 3;
    listpack = (byte(1) & 0x3f) << 8 | byte(2);
  }
  EXPECT_EQ(payload.size(), head + listpack + 10);
  EXPECT_EQ(byte(head) | byte(head + 1) << 8 | byte(head + 2) << 16, static_cast<int>(listpack));
  EXPECT_EQ(byte(head + listpack - 1), 0xff);
  ASSERT_OK_AND_ASSIGN(words, reader.Next());
  EXPECT_EQ(words, nullptr) << "nothing follows";
}

TEST(RestoreFramesTest, AnnouncesTheLengthOfEveryRow) {
  for (const int features : {1, 2, 3, 12, 250}) {
    std::vector<std::string> names;
    for (int i = 0; i < features; ++i) names.push_back("f" + std::to_string(i));
    const ViewColumns view = MakeTestView("v", names);
    auto frames = FramesOf({view});
    ASSERT_TRUE(frames.has_value());
    BatchBuilder builder(view);
    constexpr int kRows = 500;
    for (int row = 0; row < kRows; ++row) {
      // A little more from row to row, and much less at every seventh; some read as integers.
      int bytes = row % 7 == 0 ? row % 50 : row * features * 64 / kRows;
      std::vector<std::string> values;
      for (int i = 0; i < features; ++i) {
        const int size = std::min(bytes, 64);
        values.emplace_back(size, row % 3 == 0 && size < 19 ? '7' : 'x');
        bytes -= size;
      }
      builder.Row(std::string(row % 120, 'k'), row * 1'000'000, values);
    }
    const auto batch = builder.Build();
    frames->Use(*batch);
    for (int row = 0; row < kRows; ++row) {
      SCOPED_TRACE(std::to_string(features) + " features, row " + std::to_string(row));
      CommandBuffer out;
      ASSERT_TRUE(frames->Put(row, &out));
      ExpectWellFramed(out.unsent());
    }
  }
}

}  // namespace
}  // namespace banquet::redis
