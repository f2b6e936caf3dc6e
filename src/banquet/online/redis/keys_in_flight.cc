#include "banquet/online/redis/keys_in_flight.h"

#include <algorithm>
#include <functional>

namespace banquet::redis {
namespace {

constexpr size_t kSlots = size_t{1} << 15;
constexpr size_t kKeysMax = kSlots / 2;  // More than a batch of the write sink has.

}  // namespace

KeysInFlight::KeysInFlight() : hashes_(kSlots, 0) {}

bool KeysInFlight::Add(std::string_view key) {
  if (count_ == kKeysMax) return false;
  const uint64_t hash = std::max<uint64_t>(1, std::hash<std::string_view>()(key));
  size_t place = hash & (kSlots - 1);
  while (hashes_[place] != 0) {
    if (hashes_[place] == hash) return false;
    place = (place + 1) & (kSlots - 1);
  }
  hashes_[place] = hash;
  ++count_;
  return true;
}

void KeysInFlight::Clear() {
  if (count_ == 0) return;
  std::ranges::fill(hashes_, 0);
  count_ = 0;
}

}  // namespace banquet::redis
