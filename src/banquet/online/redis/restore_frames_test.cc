#include "banquet/online/redis/restore_frames.h"

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
  EXPECT_FALSE(FramesOf({MakeTestView("v", {"a", "a"})}).has_value())
      << "HSET writes a field once, with the later value";
}

TEST(RestoreFramesTest, ShortensTheHeadWhereValuesReadAsIntegers) {
  // 63 bytes of listpack are announced in one byte, 64 in two.
  const ViewColumns view = MakeTestView("v", {"a", "b"});
  auto frames = FramesOf({view});
  ASSERT_TRUE(frames.has_value());
  for (size_t size = 0; size < 40; ++size) {
    const auto batch =
        BatchBuilder(view).Row("k", 1, {"1234567890123456789", std::string(size, 'x')}).Build();
    CommandBuffer out;
    frames->Use(*batch);
    ASSERT_TRUE(frames->Put(0, &out));
    ReplyReader reader;  // A command reads as a reply: the lengths hold.
    ASSERT_OK(reader.Feed(out.unsent()));
    ASSERT_OK_AND_ASSIGN(const Reply* command, reader.Next());
    ASSERT_NE(command, nullptr);
    ASSERT_TRUE(command->IsFlatArray(4));
    const std::string_view payload = command->text(4);
    const size_t length_bytes = static_cast<unsigned char>(payload[1]) < 64 ? 1 : 2;
    const size_t announced = length_bytes == 1 ? payload[1] : (payload[1] & 0x3f) << 8 | payload[2];
    EXPECT_EQ(payload.size(), 1 + length_bytes + announced + 10);
    ASSERT_OK_AND_ASSIGN(command, reader.Next());
    EXPECT_EQ(command, nullptr) << "nothing follows";
  }
}

}  // namespace
}  // namespace banquet::redis
