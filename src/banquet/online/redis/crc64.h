#pragma once
// The checksum of Redis' DUMP payloads.

#include <cstdint>
#include <string_view>

namespace banquet::redis {

// CRC-64 of Redis: polynomial 0xad93d23594c935a9 reflected, no initial or final inversion
// (redis/src/crc64.c). Of "123456789": 0xe9c6d914c4b8d9ca.
uint64_t Crc64(std::string_view bytes);
// The same on a processor that cannot multiply without carries.
uint64_t Crc64ByTables(std::string_view bytes);

}  // namespace banquet::redis
