#pragma once
// Which keys have commands whose replies are not in yet.

#include <cstdint>
#include <string_view>
#include <vector>

namespace banquet::redis {

// Knows keys by their hash: two keys of one hash are taken for the same, which only costs a wait.
class KeysInFlight {
 public:
  KeysInFlight();

  // False: the key, or as many keys as fit, were added since the last Clear.
  bool Add(std::string_view key);
  void Clear();

 private:
  std::vector<uint64_t> hashes_;  // Open addressing; 0: free.
  size_t count_ = 0;
};

}  // namespace banquet::redis
