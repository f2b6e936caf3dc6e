#pragma once
// Which master of a cluster holds which key (the Redis cluster specification).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/connection.h"

namespace banquet::redis {

inline constexpr size_t kSlots = 16384;

// CRC16 of the key, or of what stands between its first { and the next } where that is something.
uint16_t SlotOf(std::string_view key);

// The masters of a cluster and their slots, as one node of it told.
struct SlotMap {
  static constexpr uint16_t kNobody = 0xffff;

  std::vector<ServerAddress> masters;
  std::array<uint16_t, kSlots> owners;  // Places in `masters`; kNobody: the slot is not served.
};

// Asks a node. What it leaves out of an address (host, password, TLS) is that of `asked`, the one
// it was reached by: no other host is ever contacted than those that the cluster names.
Result<SlotMap> AskForSlots(Connection* connection, const ServerAddress& asked);

}  // namespace banquet::redis
