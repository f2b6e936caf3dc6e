#include "banquet/client/google/signed_claim.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "banquet/base/base64.h"

namespace banquet::google {
namespace {

template <auto Free>
struct Freed {
  void operator()(auto* owned) const { Free(owned); }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Signer = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

// The alphabet of URLs, without padding (RFC 4648, section 5).
std::string UrlBase64(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, &text);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Status BadKey() { return UserError("The service account's private_key is no RSA key in PEM"); }

}  // namespace

Result<std::string> SignedClaim(const Claim& claim, const std::string& private_key_pem) {
  constexpr int64_t kHourS = 3'600;
  const nlohmann::json header = {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", claim.key_id}};
  const nlohmann::json claims = {{"iss", claim.issuer},
                                 {"scope", claim.scope},
                                 {"aud", claim.audience},
                                 {"iat", claim.issued_s},
                                 {"exp", claim.issued_s + kHourS}};
  const std::string text = UrlBase64(header.dump()) + "." + UrlBase64(claims.dump());

  const Bio pem(BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  // The callback keeps OpenSSL from asking a terminal for a password.
  const Key key(PEM_read_bio_PrivateKey(
      pem.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return BadKey();
  const Signer signer(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  if (EVP_DigestSignInit(signer.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(signer.get(), nullptr, &size, bytes, text.size()) != 1) {
    return BadKey();
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(signer.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     text.size()) != 1) {
    return BadKey();
  }
  signature.resize(size);
  return text + "." + UrlBase64(signature);
}

}  // namespace banquet::google
