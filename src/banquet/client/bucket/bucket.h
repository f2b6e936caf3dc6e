#pragma once
// Single objects of an object store, written only where nobody else has changed them: what Arrow's
// file systems lack. client/aws and client/google implement it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet {

struct BucketObject {
  std::string bytes;
  std::string version;  // Another one: somebody has written it (an ETag, a generation).
  // By the service's clock, whole seconds since 1970: when it was written, and now.
  int64_t modified_s = 0;
  int64_t now_s = 0;
};

enum class PutOutcome {
  kWritten,
  kChanged,  // The condition does not hold: nothing was written.
};

// What a write asks for.
struct PutCondition {
  bool is_absent = false;  // No object has the key; else:
  std::string version;     // it has this one. Empty too: none.
};

// One connection. Used by one thread at a time.
//
// Errors: no such bucket, no right, wrong keys and a service that says it knows no conditions are
// the user's; server errors and slowness are retryable remote ones.
class Bucket {
 public:
  virtual ~Bucket() = default;

  // nullopt: no object has the key.
  virtual Result<std::optional<BucketObject>> Get(const std::string& key) = 0;
  virtual Result<PutOutcome> Put(const std::string& key, std::string_view bytes,
                                 const PutCondition& condition) = 0;
  // Nothing where there is none.
  virtual Status Delete(const std::string& key) = 0;
  // Well formed, and of no object that was ever written.
  virtual std::string no_version() const = 0;
};

// How long one connection waits, and what ends its waits.
struct BucketPatience {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
};

// Opens a connection to the bucket of that name, with credentials that all of them share; safe to
// call from several threads.
using OpenBucket = std::function<Result<std::unique_ptr<Bucket>>(const std::string& bucket,
                                                                 const BucketPatience& patience)>;

}  // namespace banquet
