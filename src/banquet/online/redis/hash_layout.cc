#include "banquet/online/redis/hash_layout.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "banquet/encode/murmur_hash.h"
#include "banquet/model/entity.h"

namespace banquet::redis {
namespace {

constexpr uint32_t kStringType = 2;
constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kSecondsMax = 9'000'000'000'000;  // In microseconds still an int64.

void AppendUint32(std::string* out, uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(number >> shift));
}

std::optional<uint32_t> TakeUint32(std::string_view* bytes) {
  if (bytes->size() < 4) return std::nullopt;
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    number |= static_cast<uint32_t>(static_cast<unsigned char>((*bytes)[i])) << (8 * i);
  }
  bytes->remove_prefix(4);
  return number;
}

char* PutVarint(char* out, uint64_t number) {
  while (number >= 0x80) {
    *out++ = static_cast<char>(number | 0x80);
    number >>= 7;
  }
  *out++ = static_cast<char>(number);
  return out;
}

std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t number = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (bytes->empty()) return std::nullopt;
    const unsigned char byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    if (shift < 64) number |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

bool Skip(std::string_view* bytes, uint64_t size) {
  if (size > bytes->size()) return false;
  bytes->remove_prefix(size);
  return true;
}

// A field that is not a Timestamp's; as protobuf does, it is passed over.
bool SkipField(std::string_view* bytes, uint64_t wire_type) {
  if (wire_type == 0) return TakeVarint(bytes).has_value();
  if (wire_type == 1) return Skip(bytes, 8);
  if (wire_type == 5) return Skip(bytes, 4);
  if (wire_type != 2) return false;
  const auto size = TakeVarint(bytes);
  return size.has_value() && Skip(bytes, *size);
}

}  // namespace

std::string RedisKey(std::string_view entity_key, std::string_view project) {
  std::string key(entity_key);
  key += project;
  return key;
}

std::string TimeField(std::string_view view) { return "_ts:" + std::string(view); }

std::string FeatureField(std::string_view view, std::string_view feature) {
  std::string name(view);
  name += ':';
  name += feature;
  std::string field;
  AppendUint32(&field, Murmur3x86Hash32(name));
  return field;
}

char* PutTimestamp(char* out, int64_t event_us) {
  int64_t seconds = event_us / kMicros;
  int64_t micros = event_us % kMicros;
  if (micros < 0) {
    micros += kMicros;
    --seconds;
  }
  if (seconds != 0) {
    *out++ = 0x08;
    out = PutVarint(out, static_cast<uint64_t>(seconds));
  }
  if (micros != 0) {
    *out++ = 0x10;
    out = PutVarint(out, static_cast<uint64_t>(micros) * 1000);
  }
  return out;
}

Result<StoredTime> ParseTimestamp(std::string_view bytes) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  while (!bytes.empty()) {
    const auto tag = TakeVarint(&bytes);
    if (!tag.has_value() || *tag >> 3 == 0) return DataError("not a Timestamp");
    if (*tag != 0x08 && *tag != 0x10) {
      if (!SkipField(&bytes, *tag & 7)) return DataError("not a Timestamp");
      continue;
    }
    const auto number = TakeVarint(&bytes);
    if (!number.has_value()) return DataError("not a Timestamp");
    if (*tag == 0x08) {
      seconds = static_cast<int64_t>(*number);
    } else {
      nanos = static_cast<int32_t>(*number);
    }
  }
  if (seconds > kSecondsMax || seconds < -kSecondsMax) return DataError("time out of range");
  int64_t micros = nanos / 1000;
  int64_t rest = nanos % 1000;
  if (rest < 0) {
    rest += 1000;
    --micros;
  }
  return StoredTime{.us = seconds * kMicros + micros, .beyond = rest != 0};
}

std::string KeyPrefix(const ViewColumns& view) {
  std::vector<std::string_view> names;
  for (const Field& key : view.join_keys) names.push_back(key.name);
  if (names.empty()) names.emplace_back(kDummyJoinKey);
  std::ranges::sort(names);
  const bool counted = view.entity_key_version >= 3;
  std::string prefix;
  if (counted) AppendUint32(&prefix, static_cast<uint32_t>(names.size()));
  for (const std::string_view name : names) {
    AppendUint32(&prefix, kStringType);
    if (counted) AppendUint32(&prefix, static_cast<uint32_t>(name.size()));
    prefix += name;
  }
  return prefix;
}

std::string ScanPattern(std::string_view prefix, std::string_view project) {
  std::string pattern;
  const auto append = [&pattern](std::string_view bytes) {
    for (const char letter : bytes) {
      if (std::string_view("*?[]\\^-").find(letter) != std::string_view::npos) pattern += '\\';
      pattern += letter;
    }
  };
  append(prefix);
  pattern += '*';
  append(project);
  return pattern;
}

bool IsKeyOf(std::string_view key, std::string_view prefix, size_t join_keys,
             std::string_view project) {
  if (!key.starts_with(prefix)) return false;
  key.remove_prefix(prefix.size());
  for (size_t i = 0; i < join_keys; ++i) {
    if (!TakeUint32(&key).has_value()) return false;  // The value's type.
    const auto size = TakeUint32(&key);
    if (!size.has_value() || !Skip(&key, *size)) return false;
  }
  return key == project;
}

}  // namespace banquet::redis
