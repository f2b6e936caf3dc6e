#pragma once
// What Postgres' error codes mean for us (its manual, appendix A).

#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet::postgres {

inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kDuplicateTable = "42P07";
inline constexpr std::string_view kInsufficientPrivilege = "42501";

// The error of a server that answered `state` and `text`.
Status ErrorOfState(std::string_view state, std::string_view text, const std::string& server);

// The code in libpq's verbose text of a refused connection ("FATAL:  28P01: password …"); empty:
// the server did not come to speak.
std::string_view StateInText(std::string_view verbose);

// That text in one line, without code, place in the server's source and empty words.
std::string PlainText(std::string_view verbose);

}  // namespace banquet::postgres
