#include "banquet/online/redis/cluster_slots.h"

#include <algorithm>

#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

// CRC-16/XMODEM: polynomial 0x1021, begun at zero.
constexpr std::array<uint16_t, 256> kCrcTable = [] {
  std::array<uint16_t, 256> table = {};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}();

uint16_t Crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc = (crc << 8 ^ kCrcTable[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
  }
  return static_cast<uint16_t>(crc);
}

// Reads CLUSTER SLOTS: an array of [first, last, master, replica…], a node being [host, port, …].
class SlotsReader {
 public:
  SlotsReader(const Reply& reply, const ServerAddress& asked) : reply_(reply), asked_(asked) {
    map_.owners.fill(SlotMap::kNobody);
  }

  bool Read() {
    if (!IsArray(0)) return false;
    const int64_t ranges = reply_.integer(0);
    at_ = 1;
    for (int64_t i = 0; i < ranges; ++i) {
      if (!ReadRange()) return false;
    }
    return true;
  }
  SlotMap Take() { return std::move(map_); }

 private:
  bool IsArray(size_t at) const {
    return at < reply_.size() && reply_.kind(at) == ReplyKind::kArray && reply_.integer(at) >= 0;
  }
  bool IsInteger(size_t at) const {
    return at < reply_.size() && reply_.kind(at) == ReplyKind::kInteger;
  }

  bool ReadRange() {
    if (!IsArray(at_) || reply_.integer(at_) < 3) return false;
    const size_t end = EndOf(at_);
    if (!IsInteger(at_ + 1) || !IsInteger(at_ + 2) || !IsArray(at_ + 3)) return false;
    const int64_t first = reply_.integer(at_ + 1);
    const int64_t last = reply_.integer(at_ + 2);
    const size_t node = at_ + 3;
    const bool fits = first >= 0 && first <= last && last < static_cast<int64_t>(kSlots) &&
                      reply_.integer(node) >= 2 && IsInteger(node + 2);
    if (!fits) return false;
    const uint16_t owner = MasterAt(node + 1);
    for (int64_t slot = first; slot <= last; ++slot) map_.owners[static_cast<size_t>(slot)] = owner;
    at_ = end;
    return true;
  }

  uint16_t MasterAt(size_t at) {
    ServerAddress address = asked_;
    const bool has_host =
        reply_.kind(at) == ReplyKind::kBulk && !reply_.text(at).empty() && reply_.text(at) != "?";
    if (has_host) address.host = std::string(reply_.text(at));
    address.port = static_cast<int>(reply_.integer(at + 1));
    const auto same = [&](const ServerAddress& other) {
      return other.host == address.host && other.port == address.port;
    };
    const auto found = std::ranges::find_if(map_.masters, same);
    if (found != map_.masters.end()) {
      return static_cast<uint16_t>(found - map_.masters.begin());
    }
    map_.masters.push_back(std::move(address));
    return static_cast<uint16_t>(map_.masters.size() - 1);
  }

  // Where the part after this one, with all that is in it, begins.
  size_t EndOf(size_t at) const {
    size_t left = 1;
    while (left > 0 && at < reply_.size()) {
      --left;
      if (IsArray(at)) left += static_cast<size_t>(reply_.integer(at));
      ++at;
    }
    return at;
  }

  const Reply& reply_;
  const ServerAddress& asked_;
  SlotMap map_;
  size_t at_ = 0;
};

}  // namespace

uint16_t SlotOf(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  return Crc16(key) % kSlots;
}

Result<SlotMap> AskForSlots(Connection* connection, const ServerAddress& asked) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"CLUSTER", "SLOTS"}));
  if (reply->IsError()) {
    if (reply->text().find("cluster support disabled") != std::string_view::npos) {
      return UserError("{} is no node of a cluster; set redis_type: redis", connection->server());
    }
    return ErrorOfReply(reply->text(), connection->server(), "CLUSTER SLOTS", {},
                        Topology::kCluster);
  }
  SlotsReader reader(*reply, asked);
  if (!reader.Read()) {
    return RemoteError({}, "{}: an unexpected reply to CLUSTER SLOTS; is this a Redis server?",
                       connection->server());
  }
  SlotMap map = reader.Take();
  if (!map.masters.empty()) return map;
  return RemoteError({.retryable = true}, "{}: its cluster serves no slot", connection->server());
}

}  // namespace banquet::redis
