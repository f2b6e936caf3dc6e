#pragma once
// Single objects of Google Cloud Storage by its JSON interface.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/client/bucket/bucket.h"
#include "banquet/client/google/access_token.h"
#include "banquet/client/http/http_session.h"

namespace banquet::google {

struct GcsBucketSettings {
  std::string bucket;
  std::string endpoint;  // URL, without a slash at its end; empty: Google's.
  BucketPatience patience;
  Clock* clock = &SystemClock();   // Borrowed.
  AccessTokens* tokens = nullptr;  // Borrowed, shared; nullptr: an emulator, asked without.
};

// Conditions are ifGenerationMatch, an object's version is its generation. The service takes about
// one write of an object a second: one that comes too soon is told so, and is tried again some
// times.
class GcsBucket final : public Bucket {
 public:
  static Result<std::unique_ptr<GcsBucket>> Open(GcsBucketSettings settings);

  Result<std::optional<BucketObject>> Get(const std::string& key) override;
  Result<PutOutcome> Put(const std::string& key, std::string_view bytes,
                         const PutCondition& condition) override;
  Status Delete(const std::string& key) override;
  std::string no_version() const override { return "1"; }

 private:
  GcsBucket(GcsBucketSettings settings, std::unique_ptr<HttpSession> session)
      : settings_(std::move(settings)), session_(std::move(session)) {}
  Result<HttpResponse> Send(HttpRequest request);
  Result<HttpResponse> SendWrite(const HttpRequest& request);
  Status ErrorOf(std::string_view what, const std::string& key, const HttpResponse& response) const;
  std::string ObjectUrl(const std::string& key) const;
  std::string Endpoint() const;

  const GcsBucketSettings settings_;
  const std::unique_ptr<HttpSession> session_;
};

}  // namespace banquet::google
