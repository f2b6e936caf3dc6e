#pragma once
// Single objects of S3 by its REST interface.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/aws/credential_chain.h"
#include "banquet/client/bucket/bucket.h"
#include "banquet/client/http/http_session.h"

namespace banquet::aws {

struct S3BucketSettings {
  std::string bucket;
  std::string endpoint;  // URL, without a slash at its end; empty: AWS's.
  std::string region = "us-east-1";
  BucketPatience patience;
  Clock* clock = &SystemClock();     // Borrowed.
  CredentialChain* chain = nullptr;  // Borrowed, shared.
};

// Conditions are If-Match and If-None-Match, an object's version is its ETag. A bucket in another
// region is asked there.
class S3Bucket final : public Bucket {
 public:
  static Result<std::unique_ptr<S3Bucket>> Open(S3BucketSettings settings);

  Result<std::optional<BucketObject>> Get(const std::string& key) override;
  Result<PutOutcome> Put(const std::string& key, std::string_view bytes,
                         const PutCondition& condition) override;
  Status Delete(const std::string& key) override;
  std::string no_version() const override { return "\"0\""; }

 private:
  S3Bucket(S3BucketSettings settings, std::unique_ptr<HttpSession> session)
      : settings_(std::move(settings)), session_(std::move(session)) {}
  struct Call;
  Result<HttpResponse> Send(const Call& call);
  Result<HttpResponse> SendOnce(const Call& call, const Credentials& credentials);
  Status ErrorOf(const Call& call, const HttpResponse& response) const;

  S3BucketSettings settings_;
  const std::unique_ptr<HttpSession> session_;
};

}  // namespace banquet::aws
