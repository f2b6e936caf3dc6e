#pragma once
// Feast's connection_string: "host:port,password=…,db=0" (feast-compat 6.1).

#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/online/redis/tls_settings.h"

namespace banquet::redis {

// One server, how to reach it and how to log in there.
struct ServerAddress {
  std::string host = "localhost";
  int port = 6379;
  std::string username;  // Empty: the server's default user.
  std::string password;  // Empty: no AUTH. Never printed.
  int db = 0;
  std::string unix_socket_path;  // Not empty: there, and not at host and port.
  TlsSettings tls;
  std::vector<std::string> ignored;  // Parameters of Feast's client that have no meaning here.

  std::string Describe() const;  // "redis at localhost:6379/0"
};

// Items without "=" are nodes, of which the first is used; items with it are
// parameters, their values JSON where that parses, else text. Messages never
// quote a parameter's value.
Result<ServerAddress> ParseConnectionString(std::string_view text);

// Every node, each with all parameters; one at least.
Result<std::vector<ServerAddress>> ParseNodes(std::string_view text);

}  // namespace banquet::redis
