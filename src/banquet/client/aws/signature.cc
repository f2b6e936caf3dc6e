#include "banquet/client/aws/signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "banquet/base/hex_text.h"
#include "banquet/base/time_text.h"

namespace banquet::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

using Headers = std::vector<std::pair<std::string, std::string>>;

std::string Sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<char*>(digest), size};
}

std::string Hmac(std::string_view key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
  return {reinterpret_cast<char*>(digest), size};
}

// Leading and trailing blanks gone, runs of them one.
std::string Folded(std::string_view value) {
  std::string folded;
  for (const char c : value) {
    if (c == ' ' && (folded.empty() || folded.back() == ' ')) continue;
    folded.push_back(c);
  }
  if (!folded.empty() && folded.back() == ' ') folded.pop_back();
  return folded;
}

// Sorted by name; values of one name are joined in their order.
Headers SortedHeaders(const SigningRequest& request) {
  Headers sorted = request.headers;
  sorted.emplace_back("host", request.host);
  std::ranges::stable_sort(sorted, {}, &std::pair<std::string, std::string>::first);
  Headers joined;
  for (const auto& [name, value] : sorted) {
    if (!joined.empty() && joined.back().first == name) {
      joined.back().second += "," + Folded(value);
    } else {
      joined.emplace_back(name, Folded(value));
    }
  }
  return joined;
}

// "20150830T123600Z"
std::string CompactUtc(int64_t us) {
  constexpr int64_t kSecondUs = 1'000'000;
  std::string text = FormatRfc3339(us / kSecondUs * kSecondUs);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string NamesOf(const Headers& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) { return HexOf(Sha256(bytes)); }

std::string CanonicalRequest(const SigningRequest& request) {
  auto query = request.query;
  std::ranges::sort(query);
  std::string query_text;
  for (const auto& [name, value] : query) {
    query_text += fmt::format("{}{}={}", query_text.empty() ? "" : "&", name, value);
  }
  const Headers headers = SortedHeaders(request);
  std::string header_text;
  for (const auto& [name, value] : headers) header_text += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, query_text,
                     header_text, NamesOf(headers), Sha256Hex(request.body));
}

std::vector<std::string> SignatureHeaders(const SigningRequest& request, const SigningScope& scope,
                                          const Credentials& credentials, int64_t now_us) {
  const std::string time = CompactUtc(now_us);  // 20150830T123600Z
  const std::string day = time.substr(0, 8);
  SigningRequest signed_request = request;
  signed_request.headers.emplace_back("x-amz-date", time);
  if (!credentials.session_token.empty()) {
    signed_request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const std::string scope_text =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope_text,
                                          Sha256Hex(CanonicalRequest(signed_request)));
  std::string key = Hmac("AWS4" + credentials.secret_access_key, day);
  key = Hmac(key, scope.region);
  key = Hmac(key, scope.service);
  key = Hmac(key, "aws4_request");
  std::vector<std::string> headers = {"x-amz-date: " + time};
  if (!credentials.session_token.empty()) {
    headers.push_back("x-amz-security-token: " + credentials.session_token);
  }
  headers.push_back(
      fmt::format("authorization: {} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                  credentials.access_key_id, scope_text, NamesOf(SortedHeaders(signed_request)),
                  HexOf(Hmac(key, to_sign))));
  return headers;
}

}  // namespace banquet::aws
