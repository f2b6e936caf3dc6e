#pragma once
// Where an SQL registry is: SQLAlchemy's form of a URL, as Feast hands it to SQLAlchemy.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

namespace banquet::sql_registry {

// dialect+driver://user:password@host:port/database?key=value&…
struct SqlUrl {
  std::string dialect;  // "sqlite", "postgresql", "mysql", "mariadb".
  std::string driver;   // Of Python ("psycopg", "pymysql"), or empty.
  std::string user;
  std::optional<std::string> password;
  std::string host;  // An IPv6 address without its brackets.
  std::string port;  // Digits, or empty.
  std::string database;
  std::vector<std::pair<std::string, std::string>> query;  // In the order of the URL.

  // What a person may be shown: no password and no query, since either can hold secrets.
  std::string Shown() const;
};

// Percent-decodes what SQLAlchemy decodes: user, password, database and query. A user error does
// not repeat the URL.
Result<SqlUrl> ParseSqlUrl(std::string_view text);

}  // namespace banquet::sql_registry
