#include "banquet/offline/adbc/driver_failure.h"

#include <arrow-adbc/adbc.h>

#include <algorithm>
#include <span>

namespace banquet::adbc {
namespace {

using std::string_view;

constexpr char kLater[] = "the server asks to come back later";

enum class Kind { kUser, kRights, kMissing, kQuery, kData, kBusy, kRemote, kCancelled };

struct Rule {
  string_view mark;
  Kind kind;
};

// By the beginning of the code (appendix A of Postgres' manual); the first that fits.
constexpr Rule kStates[] = {
    {"57014", Kind::kRemote},   // Cancelled: a statement timeout or an administrator.
    {"57P03", Kind::kBusy},     // Starting up or stopping.
    {"53", Kind::kBusy},        // Too many connections, out of memory.
    {"28", Kind::kUser},        // The login.
    {"3D", Kind::kUser},        // The database.
    {"3F", Kind::kMissing},     // The schema.
    {"42501", Kind::kRights},   //
    {"42P01", Kind::kMissing},  // The table.
    {"42703", Kind::kMissing},  // The column.
    {"42", Kind::kQuery},       //
    {"0A", Kind::kQuery},       // What the product does not have.
    {"22", Kind::kData},       {"23", Kind::kData},
};

// By a part of the text.
constexpr Rule kPostgresTexts[] = {
    {"the database system is", Kind::kBusy},
    {"too many", Kind::kBusy},
    {"remaining connection slots", Kind::kBusy},
    {"authentication failed", Kind::kUser},
    {"no password supplied", Kind::kUser},
    {"no pg_hba.conf entry", Kind::kUser},
    {"database \"", Kind::kUser},
    {"role \"", Kind::kUser},
    {"permission denied", Kind::kRights},
    {"connection info string", Kind::kUser},
    {"invalid connection option", Kind::kUser},
    {"certificate", Kind::kUser},
    {"server does not support SSL", Kind::kUser},
    {"ERROR:  division by zero", Kind::kData},
    {"out of range", Kind::kData},
    {"invalid input syntax", Kind::kData},
    {"ReadRecord failed", Kind::kData},
};
constexpr Rule kDuckDbTexts[] = {
    {"Could not set lock", Kind::kBusy},
    {"Catalog Error", Kind::kMissing},
    {"Binder Error", Kind::kMissing},
    {"Parser Error", Kind::kQuery},
    {"Not implemented Error", Kind::kQuery},
    {"Permission Error", Kind::kRights},
    {"Invalid Configuration Error", Kind::kUser},
    {"Conversion Error", Kind::kData},
    {"Out of Range Error", Kind::kData},
    {"Invalid Input Error", Kind::kData},
    {"INTERRUPT Error", Kind::kCancelled},
    {"Interrupted", Kind::kCancelled},
    {"No such file or directory", Kind::kUser},
    {"Cannot open", Kind::kUser},
    {"database does not exist", Kind::kUser},
    {"not a valid DuckDB database file", Kind::kUser},
};
constexpr Rule kSqliteTexts[] = {
    {"database is locked", Kind::kBusy},      {"no such table", Kind::kMissing},
    {"no such column", Kind::kMissing},       {"syntax error", Kind::kQuery},
    {"no such function", Kind::kQuery},       {"incomplete input", Kind::kQuery},
    {"unable to open database", Kind::kUser}, {"not a database", Kind::kUser},
    {"Type mismatch in column", Kind::kData},
};

std::span<const Rule> TextsOf(SqlProduct product) {
  if (product == SqlProduct::kDuckDb) return kDuckDbTexts;
  if (product == SqlProduct::kSqlite) return kSqliteTexts;
  return kPostgresTexts;
}

Kind KindOfCode(int code) {
  switch (code) {
    case ADBC_STATUS_UNAUTHENTICATED:
    case ADBC_STATUS_UNAUTHORIZED:
    case ADBC_STATUS_INVALID_ARGUMENT:
      return Kind::kUser;
    case ADBC_STATUS_NOT_FOUND:
      return Kind::kMissing;
    case ADBC_STATUS_NOT_IMPLEMENTED:
      return Kind::kQuery;
    case ADBC_STATUS_INVALID_DATA:
    case ADBC_STATUS_INTEGRITY:
      return Kind::kData;
    case ADBC_STATUS_CANCELLED:
      return Kind::kCancelled;
    default:
      return Kind::kRemote;
  }
}

Kind KindOf(const DriverFailure& failure, SqlProduct product) {
  for (const Rule& rule : kStates) {
    if (failure.sql_state.starts_with(rule.mark)) return rule.kind;
  }
  if (!failure.sql_state.empty()) return Kind::kRemote;
  for (const Rule& rule : TextsOf(product)) {
    if (failure.text.find(rule.mark) != std::string::npos) return rule.kind;
  }
  return KindOfCode(failure.code);
}

void ReplaceAll(string_view what, string_view by, std::string* text) {
  for (size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += by.size()) {
    text->replace(at, what.size(), by);
  }
}

}  // namespace

std::string PlainText(string_view driver_text, const ServerName& server) {
  std::string text(driver_text);
  // Drivers repeat the query, which its owner knows.
  for (const string_view mark : {"\nLINE ", "\n\nLINE ", "\n\nQuery was:", "\nquery: "}) {
    if (const size_t at = text.find(mark); at != std::string::npos) text.erase(at);
  }
  for (const string_view opening : {"[libpq] ", "[SQLite] ", "Failed to prepare query: ",
                                    "Failed to execute query: ", "ERROR:  ", "FATAL:  "}) {
    ReplaceAll(opening, "", &text);
  }
  for (const std::string& secret : server.secrets) {
    if (!secret.empty()) ReplaceAll(secret, "***", &text);
  }
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? "the driver does not say why" : text;
}

Status StatusOf(const DriverFailure& failure, const ServerName& server) {
  const std::string text = PlainText(failure.text, server);
  switch (KindOf(failure, server.product)) {
    case Kind::kUser:
      return UserError("{}: {}; mend offline_store in the configuration", server.words, text);
    case Kind::kRights:
      return UserError("{}: {}; grant the user of offline_store the right to read it", server.words,
                       text);
    case Kind::kMissing:
      return UserError("{}: {}; mend the data source, or create what it names", server.words, text);
    case Kind::kQuery:
      return UserError("{}: {}; mend the data source's table or query", server.words, text);
    case Kind::kData:
      return DataError("{}: the query stumbled over a value: {}", server.words, text);
    case Kind::kBusy:
      return RemoteError({.retryable = true}, "{}: {}: {}", server.words, kLater, text);
    case Kind::kCancelled:
      return CancelledError();
    case Kind::kRemote:
      break;
  }
  return RemoteError({.retryable = true}, "{}: {}", server.words, text);
}

bool IsBusy(const Status& status) {
  return IsRetryable(status) && status.message().find(kLater) != std::string::npos;
}

}  // namespace banquet::adbc
