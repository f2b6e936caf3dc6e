#include "banquet/client/postgres/sql_state.h"

#include <algorithm>
#include <array>

namespace banquet::postgres {
namespace {

// The server is well and would take the same call later, or another server would.
constexpr std::string_view kRetryable[] = {
    "25006",  // Read-only: a standby, or a primary that became one.
    "40001",  // Serialization failure.
    "40P01",  // Deadlock.
    "53200",  // Out of memory.
    "53300",  // Too many connections.
    "55P03",  // A lock was not to be had.
    "57014",  // Cancelled: a statement timeout or an administrator.
    "57P01",  // Shut down by an administrator.
    "57P02",  // Another server process crashed.
    "57P03",  // Starting up or stopping.
    "57P05",  // Idle for too long.
};

struct UserRule {
  std::string_view prefix;
  std::string_view mend;
};
constexpr UserRule kUserRules[] = {
    {"28", "mend user and password, or the server's pg_hba.conf"},
    {"3D", "name a database that is there"},
    {"3F", "name a schema that is there"},
    {"42501", "grant the right (docs/formats/postgres.md)"},
    {"42P01", "the table must be there"},
    {"42", "the table may not be as Feast makes it"},
};

bool IsStateLetter(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

// Where the code of "FATAL:  XXXXX: text" stands; npos: nowhere.
size_t StateAt(std::string_view text) {
  constexpr size_t kLetters = 5;
  for (size_t at = 0; at + kLetters + 2 <= text.size(); ++at) {
    const bool begins =
        at >= 2 && text.substr(at - 2, 2) == "  " && text.substr(at + kLetters, 2) == ": ";
    const std::string_view state = text.substr(at, kLetters);
    if (begins && std::ranges::all_of(state, IsStateLetter)) return at;
  }
  return std::string_view::npos;
}

}  // namespace

Status ErrorOfState(std::string_view state, std::string_view text, const std::string& server) {
  if (std::ranges::count(kRetryable, state) > 0 || state.starts_with("08")) {
    return RemoteError({.retryable = true}, "{}: {}", server, text);
  }
  if (state.starts_with("22")) return DataError("{} cannot take a value: {}", server, text);
  for (const UserRule& rule : kUserRules) {
    if (state.starts_with(rule.prefix)) {
      return UserError("{}: {} ({}); {}", server, text, state, rule.mend);
    }
  }
  return RemoteError({}, "{}: {} ({})", server, text, state);
}

std::string_view StateInText(std::string_view verbose) {
  const size_t at = StateAt(verbose);
  return at == std::string_view::npos ? std::string_view() : verbose.substr(at, 5);
}

std::string PlainText(std::string_view verbose) {
  std::string text(verbose);
  const size_t state = StateAt(text);
  if (state != std::string::npos) text.erase(state, 7);
  const size_t place = text.find("\nLOCATION:");
  if (place != std::string::npos) text.erase(place);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  return text;
}

}  // namespace banquet::postgres
