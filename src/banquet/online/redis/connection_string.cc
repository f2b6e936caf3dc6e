#include "banquet/online/redis/connection_string.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "banquet/base/option_table.h"

namespace banquet::redis {
namespace {

// What else Feast's client (redis-py's Redis) takes; it refuses any other word, and so do we.
constexpr std::string_view kClientParameters[] = {"auto_close_connection_pool",
                                                  "cache",
                                                  "cache_config",
                                                  "charset",
                                                  "client_name",
                                                  "connection_pool",
                                                  "credential_provider",
                                                  "decode_responses",
                                                  "encoding",
                                                  "encoding_errors",
                                                  "errors",
                                                  "event_dispatcher",
                                                  "health_check_interval",
                                                  "lib_name",
                                                  "lib_version",
                                                  "maint_notifications_config",
                                                  "max_connections",
                                                  "protocol",
                                                  "redis_connect_func",
                                                  "retry",
                                                  "retry_on_error",
                                                  "retry_on_timeout",
                                                  "single_connection_client",
                                                  "socket_connect_timeout",
                                                  "socket_keepalive",
                                                  "socket_keepalive_options",
                                                  "socket_timeout",
                                                  "ssl_ca_data",
                                                  "ssl_ciphers",
                                                  "ssl_exclude_verify_flags",
                                                  "ssl_include_verify_flags",
                                                  "ssl_min_version",
                                                  "ssl_ocsp_expected_cert",
                                                  "ssl_ocsp_context",
                                                  "ssl_validate_ocsp",
                                                  "ssl_validate_ocsp_stapled"};
constexpr std::string_view kOurParameters[] = {
    "password",           "username",        "db",          "ssl",          "ssl_ca_certs",
    "ssl_ca_path",        "ssl_certfile",    "ssl_keyfile", "ssl_password", "ssl_cert_reqs",
    "ssl_check_hostname", "unix_socket_path"};

constexpr int kDbMax = 1'000'000;  // Servers have 16 unless told otherwise.

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int> ParseInt(std::string_view text, int min, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < min || number > max) return std::nullopt;
  return number;
}

bool IsInteger(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The text that Feast's client sends for a parameter: JSON strings without
// their quotes, whole numbers as they are, null as nothing, what is no JSON as
// it is written.
Result<std::string> TextOf(const std::string& name, std::string_view value) {
  const std::string_view trimmed = Trimmed(value);
  if (IsInteger(trimmed)) return trimmed == "-0" ? std::string("0") : std::string(trimmed);
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (json.is_discarded()) return std::string(value);
  if (json.is_string()) return json.get<std::string>();
  if (json.is_null()) return std::string();
  return UserError(
      "online_store.connection_string: the value of a parameter "
      "reads as JSON other than text; "
      "put it into double quotes: {}",
      name);
}

bool IsTrue(std::string_view value) {
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (json.is_discarded()) return !value.empty();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return json.get<double>() != 0;
  if (json.is_string()) return !json.get<std::string>().empty();
  return !json.empty();
}

Status TakeNode(std::string_view item, ServerAddress* address) {
  const size_t colon = item.find(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : ParseInt(item.substr(colon + 1), 1, 65535);
  if (colon == 0 || !port.has_value()) {
    return UserError(
        "online_store.connection_string: its server must be "
        "written as host:port, such as "
        "localhost:6379");
  }
  address->host = std::string(item.substr(0, colon));
  address->port = *port;
  return Status::OK();
}

// Where a parameter that is plain text belongs; nullptr: it is none.
std::string* TextParameter(const std::string& name, ServerAddress* address) {
  if (name == "unix_socket_path") return &address->unix_socket_path;
  if (name == "ssl_ca_certs") return &address->tls.ca_file;
  if (name == "ssl_ca_path") return &address->tls.ca_path;
  if (name == "ssl_certfile") return &address->tls.certificate_file;
  if (name == "ssl_keyfile") return &address->tls.key_file;
  return name == "ssl_password" ? &address->tls.key_password : nullptr;
}

// What would be less safe than it was asked for is refused.
Status CheckTls(const ServerAddress& address) {
  if (!address.tls.enabled) return Status::OK();
  if (!address.unix_socket_path.empty()) {
    return UserError("online_store.connection_string: ssl and unix_socket_path exclude each other");
  }
  for (const std::string& name : address.ignored) {
    if (!name.starts_with("ssl_")) continue;
    return UserError(
        "online_store.connection_string: this TLS parameter is not supported by this version: {}",
        name);
  }
  return Status::OK();
}

Status TakeParameter(const std::string& name, std::string_view value, ServerAddress* address) {
  if (name == "password") {
    BANQUET_ASSIGN_OR_RETURN(address->password, TextOf(name, value));
  } else if (name == "username") {
    BANQUET_ASSIGN_OR_RETURN(address->username, TextOf(name, value));
  } else if (name == "db") {
    BANQUET_ASSIGN_OR_RETURN(const std::string text, TextOf(name, value));
    const auto db = text.empty() ? std::optional(0) : ParseInt(text, 0, kDbMax);
    if (!db.has_value()) {
      return UserError("online_store.connection_string: db must be a number from 0 on");
    }
    address->db = *db;
  } else if (std::string* const text = TextParameter(name, address); text != nullptr) {
    BANQUET_ASSIGN_OR_RETURN(*text, TextOf(name, value));
  } else if (name == "ssl") {
    address->tls.enabled = IsTrue(value);
  } else if (name == "ssl_check_hostname") {
    address->tls.check_host_name = IsTrue(value);
  } else if (name == "ssl_cert_reqs") {
    BANQUET_ASSIGN_OR_RETURN(const std::string word, TextOf(name, value));
    if (word != "required" && word != "none" && word != "optional") {
      return UserError(
          "online_store.connection_string: ssl_cert_reqs must be required, optional or none");
    }
    address->tls.verify = word != "none";
  } else if (name == "host" || name == "port") {
    return UserError(
        "online_store.connection_string: this parameter is not "
        "supported by this version; name "
        "the server as host:port: {}",
        name);
  } else if (std::ranges::find(kClientParameters, name) != std::end(kClientParameters)) {
    address->ignored.push_back(name);
  } else {
    std::vector<std::string> words(std::begin(kOurParameters), std::end(kOurParameters));
    words.insert(words.end(), std::begin(kClientParameters), std::end(kClientParameters));
    return UserError("online_store.connection_string: an unknown parameter: {}.{}", name,
                     DidYouMean(name, words));
  }
  return Status::OK();
}

}  // namespace

std::string ServerAddress::Describe() const {
  if (!unix_socket_path.empty()) return fmt::format("redis at {}/{}", unix_socket_path, db);
  return fmt::format("redis at {}:{}/{}", host, port, db);
}

Result<ServerAddress> ParseConnectionString(std::string_view text) {
  BANQUET_ASSIGN_OR_RETURN(std::vector<ServerAddress> nodes, ParseNodes(text));
  return std::move(nodes.front());
}

Result<std::vector<ServerAddress>> ParseNodes(std::string_view text) {
  ServerAddress address;
  std::vector<std::string_view> nodes;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const size_t equals = item.find('=');
    if (equals != std::string_view::npos) {
      const std::string name(Trimmed(item.substr(0, equals)));
      BANQUET_RETURN_NOT_OK(TakeParameter(name, item.substr(equals + 1), &address));
    } else {
      nodes.push_back(Trimmed(item));
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  BANQUET_RETURN_NOT_OK(CheckTls(address));
  if (nodes.empty() && address.unix_socket_path.empty()) {
    return UserError(
        "online_store.connection_string names no server; begin it "
        "with host:port, such as "
        "localhost:6379");
  }
  std::vector<ServerAddress> addresses(std::max<size_t>(nodes.size(), 1), address);
  for (size_t i = 0; i < nodes.size(); ++i) {
    BANQUET_RETURN_NOT_OK(TakeNode(nodes[i], &addresses[i]));
  }
  return addresses;
}

}  // namespace banquet::redis
