#pragma once
// How TLS is asked for.

#include <string>

namespace banquet::redis {

// The ssl_… parameters of Feast's client. Empty files: none, and for `ca_file` and `ca_path`
// together the system's authorities.
struct TlsSettings {
  bool enabled = false;
  bool verify = true;           // ssl_cert_reqs=none: anybody may answer in the server's name.
  bool check_host_name = true;  // ssl_check_hostname
  std::string ca_file;
  std::string ca_path;
  std::string certificate_file;
  std::string key_file;
  std::string key_password;  // Never printed.
};

}  // namespace banquet::redis
