#include "bench/native/framing.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/restore_frames.h"
#include "banquet/online/redis/row_frames.h"

namespace banquet::bench {
namespace {

class HsetFraming final : public Framing {
 public:
  explicit HsetFraming(redis::RowFrames frames) : frames_(std::move(frames)) {}

  uint64_t Frame(const EncodedBatch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      frames_.PutWriteOfAll(batch, static_cast<uint32_t>(row), &buffer_);
    }
    const uint64_t bytes = buffer_.unsent().size();
    buffer_.Sent(bytes);
    return bytes;
  }

 private:
  const redis::RowFrames frames_;
  redis::CommandBuffer buffer_;
};

class RestoreFraming final : public Framing {
 public:
  explicit RestoreFraming(redis::RestoreFrames frames) : frames_(std::move(frames)) {}

  uint64_t Frame(const EncodedBatch& batch) override {
    frames_.Use(batch);
    for (size_t row = 0; row < batch.rows; ++row) {
      frames_.Put(static_cast<uint32_t>(row), &buffer_);
    }
    const uint64_t bytes = buffer_.unsent().size();
    buffer_.Sent(bytes);
    return bytes;
  }

 private:
  redis::RestoreFrames frames_;
  redis::CommandBuffer buffer_;
};

void AppendWord(std::string_view word, std::string* out) {
  *out += fmt::format("${}\r\n", word.size());
  *out += word;
  *out += "\r\n";
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}

// google.protobuf.Timestamp of a time after 1970.
std::string TimestampBytes(int64_t us) {
  std::string bytes;
  if (us / 1'000'000 != 0) {
    bytes += '\x08';
    AppendVarint(static_cast<uint64_t>(us / 1'000'000), &bytes);
  }
  if (us % 1'000'000 != 0) {
    bytes += '\x10';
    AppendVarint(static_cast<uint64_t>(us % 1'000'000) * 1000, &bytes);
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Framing>> MakeFraming(RedisCommand command,
                                             std::span<const ViewColumns> views) {
  if (command == RedisCommand::kHset) {
    BANQUET_ASSIGN_OR_RETURN(redis::RowFrames frames, redis::RowFrames::Make(views, 0));
    return std::make_unique<HsetFraming>(std::move(frames));
  }
  std::optional<redis::RestoreFrames> frames = redis::RestoreFrames::Make(views, 0, {});
  if (!frames.has_value()) return UserError("These views do not fit a listpack");
  return std::make_unique<RestoreFraming>(*std::move(frames));
}

void AppendHset(const EncodedBatch& batch, size_t row, const ViewColumns& view, std::string* out) {
  *out += fmt::format("*{}\r\n$4\r\nHSET\r\n", 4 + 2 * view.features.size());
  AppendWord(std::string(batch.keys[row]) + view.project, out);
  AppendWord("_ts:" + view.view, out);
  AppendWord(TimestampBytes(batch.event_us[row]), out);
  for (size_t i = 0; i < view.features.size(); ++i) {
    AppendWord(redis::FeatureField(view.view, view.features[i].name), out);
    AppendWord(batch.views.front()[i].values[row], out);
  }
}

}  // namespace banquet::bench
