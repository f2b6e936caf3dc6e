#include "banquet/registry/lock_name.h"

#include <fmt/core.h>

namespace banquet {
namespace {

constexpr size_t kReadableBytesMax = 40;

}  // namespace

uint64_t StableHash(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

std::string ReadablePart(std::string_view text) {
  std::string readable(text.substr(0, kReadableBytesMax));
  for (char& c : readable) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return readable;
}

std::string ViewLockName(const std::string& project, const std::string& view) {
  return fmt::format("{}-{:016x}", ReadablePart(view),
                     StableHash(fmt::format("{}:{}:{}", project.size(), project, view)));
}

}  // namespace banquet
