#pragma once
// What a service account says of itself, signed with its key (RFC 7523: a JWT, RS256).

#include <cstdint>
#include <string>

#include "banquet/base/status.h"

namespace banquet::google {

struct Claim {
  std::string issuer;    // The account's e-mail address.
  std::string scope;     // What the token is to be good for.
  std::string audience;  // The token service.
  std::string key_id;    // Which of the account's keys.
  int64_t issued_s = 0;  // Since 1970; it counts for an hour.
};

// "<header>.<claims>.<signature>"; a key that is no RSA key in PEM is a user error.
Result<std::string> SignedClaim(const Claim& claim, const std::string& private_key_pem);

}  // namespace banquet::google
