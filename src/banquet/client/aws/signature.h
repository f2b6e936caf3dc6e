#pragma once
// AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests").

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace banquet::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;  // Never printed.
  std::string session_token;      // Empty: none. Never printed.
  bool operator==(const Credentials&) const = default;
};

// What is signed. Paths and queries as they are sent, percent-encoded.
struct SigningRequest {
  std::string_view method = "POST";
  std::string_view host;  // With the port unless it is the scheme's own.
  std::string_view path = "/";
  std::vector<std::pair<std::string, std::string>> query;  // Encoded names and values.
  // Further headers that are signed, names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
};

struct SigningScope {
  std::string_view region;
  std::string_view service;  // "dynamodb"
};

// The headers ("name: value") that a signed request carries beside its own: x-amz-date, where there
// is a token x-amz-security-token, and authorization. `now_us` is since 1970.
std::vector<std::string> SignatureHeaders(const SigningRequest& request, const SigningScope& scope,
                                          const Credentials& credentials, int64_t now_us);

// The steps, for the tests against AWS's published vectors.
std::string CanonicalRequest(const SigningRequest& request);
std::string Sha256Hex(std::string_view bytes);

}  // namespace banquet::aws
