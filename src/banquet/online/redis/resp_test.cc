#include "banquet/online/redis/resp.h"

#include "banquet/base/testing.h"

namespace banquet::redis {
namespace {

TEST(CommandBufferTest, FramesCommandsBinarySafe) {
  CommandBuffer buffer;
  buffer.Command({"SET", std::string_view("a\0\r\n", 4), ""});
  EXPECT_EQ(buffer.unsent(),
            std::string_view("*3\r\n$3\r\nSET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n", 29));
}

TEST(CommandBufferTest, KeepsWhatIsNotSentWhileItGrows) {
  CommandBuffer buffer;
  std::string expected;
  std::string sent;
  for (int i = 0; i < 3000; ++i) {
    const std::string word(static_cast<size_t>(i % 97), 'x');
    buffer.Append(word + "|");
    expected += word + "|";
    const size_t now = std::min<size_t>(buffer.unsent().size(), 13);
    sent += buffer.unsent().substr(0, now);
    buffer.Sent(now);
  }
  sent += buffer.unsent();
  EXPECT_EQ(sent, expected);
}

std::string Shown(const Reply& reply) {
  std::string text;
  for (size_t i = 0; i < reply.size(); ++i) {
    switch (reply.kind(i)) {
      case ReplyKind::kNil:
        text += "nil ";
        break;
      case ReplyKind::kInteger:
        text += ":" + std::to_string(reply.integer(i)) + " ";
        break;
      case ReplyKind::kArray:
        text += "*" + std::to_string(reply.integer(i)) + " ";
        break;
      case ReplyKind::kStatus:
        text += "+" + std::string(reply.text(i)) + " ";
        break;
      case ReplyKind::kError:
        text += "-" + std::string(reply.text(i)) + " ";
        break;
      case ReplyKind::kBulk:
        text += "$" + std::string(reply.text(i)) + " ";
        break;
    }
  }
  return text;
}

TEST(ReplyReaderTest, ReadsEveryKindInSlicesOfOneByte) {
  const std::string bytes =
      "+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
      "*3\r\n$1\r\nx\r\n$-1\r\n:5\r\n*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
  ReplyReader reader;
  std::string shown;
  for (const char byte : bytes) {
    ASSERT_OK(reader.Feed({&byte, 1}));
    ASSERT_OK_AND_ASSIGN(const Reply* reply, reader.Next());
    if (reply != nullptr) shown += Shown(*reply) + "/ ";
  }
  EXPECT_EQ(shown,
            "+OK / -ERR no / :-7 / $a\r\n / nil / $ / nil / *0 / *3 $x nil :5 / "
            "*2 $0 *2 $a $b / ");
}

TEST(ReplyReaderTest, TellsFlatArrays) {
  ReplyReader reader;
  ASSERT_OK(reader.Feed("*1\r\n$-1\r\n*1\r\n*0\r\n:1\r\n"));
  ASSERT_OK_AND_ASSIGN(const Reply* reply, reader.Next());
  EXPECT_TRUE(reply->IsFlatArray(1));
  EXPECT_FALSE(reply->IsFlatArray(2));
  ASSERT_OK_AND_ASSIGN(reply, reader.Next());
  EXPECT_FALSE(reply->IsFlatArray(1));
  ASSERT_OK_AND_ASSIGN(reply, reader.Next());
  EXPECT_FALSE(reply->IsFlatArray(1));
}

// Feeds all bytes and expects an error before or at their end.
void ExpectRefused(const std::string& bytes, ReplyLimits limits = {}) {
  ReplyReader reader(limits);
  Status status = reader.Feed(bytes);
  while (status.ok()) {
    const Result<const Reply*> reply = reader.Next();
    status = reply.status();
    if (reply.ok() && *reply == nullptr) break;
  }
  EXPECT_FAULT(Fault::kRemote, "", status);
}

TEST(ReplyReaderTest, RefusesHostileReplies) {
  ExpectRefused("HTTP/1.1 400 Bad Request\r\n");
  ExpectRefused("*2147483647\r\n");
  ExpectRefused("*99999999999999999999\r\n");
  ExpectRefused("*-2\r\n");
  ExpectRefused("$600000000\r\n");
  ExpectRefused("$9223372036854775807\r\n");
  ExpectRefused("$99999999999999999999999999");
  ExpectRefused("$-7\r\n");
  ExpectRefused("+" + std::string(70'000, 'x'));
  std::string nested;
  for (int i = 0; i < 20; ++i) nested += "*1\r\n";
  ExpectRefused(nested);
  ExpectRefused("*2\r\n$5\r\nabcde\r\n$6\r\nabcdef\r\n", {.bytes_max = 10});
  ExpectRefused("*2\r\n*3\r\n", {.elements_max = 3});
}

}  // namespace
}  // namespace banquet::redis
