#pragma once
// Authorities and certificates made by the openssl command, for tests of TLS.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"

namespace banquet {

// An authority `ca.pem`, another `stranger.pem`, and signed by the first: `server` for 127.0.0.1,
// `elsewhere` for another host, `expired`, and `client`; a key in NAME.key, its certificate in
// NAME.pem. `locked.key` is the client's under the password "canary", `authorities` a folder.
class Certificates {
 public:
  Certificates() {
    for (const std::string authority : {"ca", "stranger"}) {
      Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
          authority + " -keyout " + authority + ".key -out " + authority + ".pem");
    }
    Sign("server", "subjectAltName=IP:127.0.0.1", "-days 2");
    Sign("elsewhere", "subjectAltName=DNS:elsewhere.example", "-days 2");
    Sign("expired", "subjectAltName=IP:127.0.0.1", "-days -1");
    Sign("client", "extendedKeyUsage=clientAuth", "-days 2");
    Run("ec -in client.key -aes256 -passout pass:canary -out locked.key");
    std::filesystem::create_directory(File("authorities"));
    std::filesystem::copy(File("ca.pem"), File("authorities/ca.pem"));
    Run("rehash authorities");
  }
  std::string File(const std::string& name) const { return folder_.File(name); }

 private:
  void Run(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_.path() + "' && openssl " + arguments + " >>openssl.log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command << "; is openssl installed?";
  }
  void Sign(const std::string& name, const std::string& extension, const std::string& days) const {
    Run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
        name + ".key -out " + name + ".csr");
    std::ofstream(File(name + ".ext")) << extension << "\n";
    Run("x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial " + days +
        " -extfile " + name + ".ext -out " + name + ".pem");
  }

  const TemporaryDirectory folder_;
};

inline const Certificates& TestCertificates() {
  static const Certificates certificates;
  return certificates;
}

}  // namespace banquet
