#pragma once
// Single objects of S3 by its REST interface, for what Arrow's file system lacks: writing only what
// nobody else has changed (If-Match, If-None-Match).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/aws/credential_chain.h"
#include "banquet/client/http/http_session.h"

namespace banquet::aws {

struct BucketSettings {
  std::string bucket;
  std::string endpoint;  // URL, without a slash at its end; empty: AWS's.
  std::string region = "us-east-1";
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
  Clock* clock = &SystemClock();     // Borrowed.
  CredentialChain* chain = nullptr;  // Borrowed, shared.
};

struct BucketObject {
  std::string bytes;
  std::string etag;
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
  std::string etag;        // it has this one. Empty too: none.
};

// One connection. Used by one thread at a time.
//
// Errors: no such bucket, no right, wrong keys and a service that says it knows no conditions are
// the user's; server errors and slowness are retryable remote ones. A bucket in another region is
// asked there.
class S3Bucket {
 public:
  static Result<std::unique_ptr<S3Bucket>> Open(BucketSettings settings);

  // nullopt: no object has the key.
  Result<std::optional<BucketObject>> Get(const std::string& key);
  Result<PutOutcome> Put(const std::string& key, std::string_view bytes,
                         const PutCondition& condition);
  // Nothing where there is none.
  Status Delete(const std::string& key);

 private:
  S3Bucket(BucketSettings settings, std::unique_ptr<HttpSession> session)
      : settings_(std::move(settings)), session_(std::move(session)) {}
  struct Call;
  Result<HttpResponse> Send(const Call& call);
  Result<HttpResponse> SendOnce(const Call& call, const Credentials& credentials);
  Status ErrorOf(const Call& call, const HttpResponse& response) const;

  BucketSettings settings_;
  const std::unique_ptr<HttpSession> session_;
};

}  // namespace banquet::aws
