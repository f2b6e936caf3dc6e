#include "banquet/registry/sql/sql_url.h"

#include <algorithm>
#include <cctype>

#include "banquet/base/percent_text.h"

namespace banquet::sql_registry {
namespace {

std::string UnquotedPlus(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return PercentDecoded(spaced);
}

// Takes the text up to the first `mark` off `*rest`, and the mark; nullopt: there is no mark.
std::optional<std::string_view> TakeUntil(char mark, std::string_view* rest) {
  const size_t end = rest->find(mark);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest->substr(0, end);
  rest->remove_prefix(end + 1);
  return taken;
}

// Keys without a value are left out, as Python's parse_qsl does.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::optional<std::string_view> key = TakeUntil('=', &pair);
    if (!key.has_value() || pair.empty()) continue;
    query.emplace_back(UnquotedPlus(*key), UnquotedPlus(pair));
  }
  return query;
}

Status ParseHost(std::string_view text, SqlUrl* url) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos)
      return UserError("registry.path: the address in brackets does not end with ]");
    url->host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const size_t end = std::min(text.find(':'), text.size());
    url->host = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (url->host.find('@') != std::string::npos)
    return UserError("registry.path: write @ in user and password as %40");
  if (text.starts_with(':')) text.remove_prefix(1);
  const bool digits = std::ranges::all_of(
      text, [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
  if (!digits) {
    return UserError(
        "registry.path: the port is no number; write @ : / in user and password as %40 %3A %2F");
  }
  url->port = text;
  return Status::OK();
}

}  // namespace

Result<SqlUrl> ParseSqlUrl(std::string_view text) {
  SqlUrl url;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) {
    return UserError(
        "registry.path is no URL; an SQL registry is named like sqlite:////folder/registry.db, "
        "postgresql+psycopg://user:password@host:5432/database or "
        "mysql+pymysql://user:password@host:3306/database");
  }
  std::string_view scheme = text.substr(0, scheme_end);
  std::string_view rest = text.substr(scheme_end + 3);
  const std::optional<std::string_view> dialect = TakeUntil('+', &scheme);
  url.dialect = dialect.value_or(scheme);
  if (dialect.has_value()) url.driver = scheme;
  // The user ends before the first : or /, and what follows a : up to the first @ is the password.
  const size_t at = rest.find('@');
  const size_t user_end = rest.find_first_of(":/");
  const bool has_login = at != std::string_view::npos && (user_end == std::string_view::npos ||
                                                          at < user_end || rest[user_end] == ':');
  if (has_login) {
    std::string_view login = rest.substr(0, at);
    const std::optional<std::string_view> user = TakeUntil(':', &login);
    url.user = PercentDecoded(user.value_or(login));
    if (user.has_value()) url.password = PercentDecoded(login);
    rest.remove_prefix(at + 1);
  }
  const size_t host_end = std::min(rest.find_first_of("/?"), rest.size());
  BANQUET_RETURN_NOT_OK(ParseHost(rest.substr(0, host_end), &url));
  rest.remove_prefix(host_end);
  const size_t query_begin = std::min(rest.find('?'), rest.size());
  if (rest.starts_with('/')) url.database = PercentDecoded(rest.substr(1, query_begin - 1));
  if (query_begin < rest.size()) url.query = ParseQuery(rest.substr(query_begin + 1));
  return url;
}

std::string SqlUrl::Shown() const {
  std::string text = dialect + "://";
  if (!user.empty()) text += user + "@";
  text += host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (!port.empty()) text += ":" + port;
  return text + "/" + database;
}

}  // namespace banquet::sql_registry
