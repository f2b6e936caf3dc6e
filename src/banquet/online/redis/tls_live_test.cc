// TLS and Unix sockets against a real server, with authorities and certificates made for the test.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "banquet/base/testing.h"
#include "banquet/client/process/certificates_for_test.h"
#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/redis/live_redis.h"
#include "banquet/online/redis/redis_store.h"

namespace banquet {
namespace redis {
namespace {

// OpenSSL writes by write(): as main.cc, so that a server that is gone is an error.
const auto kNoSigpipe = std::signal(SIGPIPE, SIG_IGN);

// A server that speaks TLS at one port (and plainly at another), with this certificate.
struct TlsRedis {
  std::unique_ptr<LiveRedis> server;
  int port = 0;

  std::string Address(const std::string& parameters) const {
    return "127.0.0.1:" + std::to_string(port) + ",ssl=true" + parameters;
  }
  std::string Trusted(const std::string& parameters = "") const {
    return Address(",ssl_ca_certs=" + TestCertificates().File("ca.pem") + parameters);
  }
};

Result<TlsRedis> StartTls(const std::string& certificate, const std::string& clients = "no",
                          const std::vector<std::string>& more = {}) {
  const Certificates& certificates = TestCertificates();
  TlsRedis redis;
  BANQUET_ASSIGN_OR_RETURN(redis.port, FreePort());
  std::vector<std::string> arguments = {
      "--tls-port",         std::to_string(redis.port),
      "--tls-cert-file",    certificates.File(certificate + ".pem"),
      "--tls-key-file",     certificates.File(certificate + ".key"),
      "--tls-ca-cert-file", certificates.File("ca.pem"),
      "--tls-auth-clients", clients};
  arguments.insert(arguments.end(), more.begin(), more.end());
  BANQUET_ASSIGN_OR_RETURN(redis.server, LiveRedis::Start(std::move(arguments)));
  return redis;
}

Result<std::unique_ptr<OnlineStore>> StoreAt(const std::string& connection_string,
                                             OnlineStoreContext context = {}) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  block.entries.push_back(
      {"connection_string", {.kind = ConfigNode::Kind::kScalar, .scalar = connection_string}});
  return MakeStore(block, context);
}

Status TryOn(const std::string& connection_string) {
  BANQUET_ASSIGN_OR_RETURN(const auto store, StoreAt(connection_string));
  return store->Prepare({});
}

TEST(RedisTlsTest, RowsGoThroughTlsAndComeBack) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server"));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreAt(redis.Trusted()));
  const ViewColumns view = MakeTestView("v", {"f"});
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  // Values longer than a TLS record, so that records and replies are cut anywhere.
  BatchBuilder builder(view);
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) {
    keys.push_back("key" + std::to_string(i));
    builder.Row(keys.back(), 1'000'000, {std::string(static_cast<size_t>(i % 300) * 100, 'x')});
  }
  ASSERT_OK(writer->Write(builder.Build(), RowSelection::All()));
  ASSERT_OK_AND_ASSIGN(const RowOutcomes outcomes, writer->Flush());
  EXPECT_EQ(outcomes.written, 3000);
  ASSERT_OK(store->ConfirmWritten());
  ASSERT_OK_AND_ASSIGN(const StoredRows stored, store->Read(view, keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_TRUE(stored[i].has_value());
    EXPECT_EQ(stored[i]->values[0]->size(), i % 300 * 100);
  }
}

TEST(RedisTlsTest, WhoIsNotTrustedIsRefusedByOneClearLine) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server"));
  const Certificates& files = TestCertificates();
  EXPECT_OK(TryOn(redis.Trusted()));
  EXPECT_OK(TryOn(redis.Address(",ssl_cert_reqs=none")));
  EXPECT_FAULT(Fault::kUser, "certificate is refused (self", TryOn(redis.Address("")));
  EXPECT_FAULT(Fault::kUser, "certificate is refused",
               TryOn(redis.Address(",ssl_ca_certs=" + files.File("stranger.pem"))));
  EXPECT_FAULT(Fault::kUser, "ssl_ca_certs cannot be used",
               TryOn(redis.Address(",ssl_ca_certs=" + files.File("missing.pem"))));
}

TEST(RedisTlsTest, AnExpiredCertificateAndAnothersNameAreRefused) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis expired, StartTls("expired"));
  EXPECT_FAULT(Fault::kUser, "certificate has expired", TryOn(expired.Trusted()));
  ASSERT_OK_AND_ASSIGN(const TlsRedis elsewhere, StartTls("elsewhere"));
  EXPECT_FAULT(Fault::kUser, "IP address mismatch", TryOn(elsewhere.Trusted()));
  EXPECT_OK(TryOn(elsewhere.Trusted(",ssl_check_hostname=false")));
}

TEST(RedisTlsTest, APlainServerAndATlsServerAreNotTakenForEachOther) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server"));
  // A plain Redis waits for the end of a line that never comes.
  OnlineStoreContext brief;
  brief.connect_timeout = std::chrono::milliseconds(300);
  ASSERT_OK_AND_ASSIGN(const auto store,
                       StoreAt(redis.server->connection_string() + ",ssl=true", brief));
  EXPECT_FAULT(Fault::kRemote, "does it speak TLS at that port?", store->Prepare({}));
  EXPECT_FAULT(Fault::kRemote, "", TryOn("127.0.0.1:" + std::to_string(redis.port)));
}

TEST(RedisTlsTest, AClientShowsItsCertificateWhereItIsAskedFor) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server", "yes"));
  const Certificates& files = TestCertificates();
  EXPECT_FAULT(Fault::kRemote, "certificate required", TryOn(redis.Trusted()));
  EXPECT_OK(TryOn(redis.Trusted(",ssl_certfile=" + files.File("client.pem") +
                                ",ssl_keyfile=" + files.File("client.key"))));
  EXPECT_FAULT(Fault::kUser, "ssl_keyfile cannot be used",
               TryOn(redis.Trusted(",ssl_certfile=" + files.File("client.pem") +
                                   ",ssl_keyfile=" + files.File("server.key"))));
}

TEST(RedisTlsTest, AServerThatDiesUnderTlsIsARemoteErrorAndNoWriteIsCounted) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server"));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreAt(redis.Trusted()));
  const ViewColumns view = MakeTestView("v", {"f"});
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  redis.server->Kill();
  BatchBuilder builder(view);
  for (int i = 0; i < 5000; ++i) builder.Row("key" + std::to_string(i), 1, {"value"});
  Status status = writer->Write(builder.Build(), RowSelection::All());
  if (status.ok()) status = writer->Flush().status();
  EXPECT_FAULT(Fault::kRemote, "redis at", status);
}

// A port where what is to be seen happens to the first that connects.
class StrangePort {
 public:
  explicit StrangePort(std::function<void(int client)> welcome)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + ",ssl=true";
    if (welcome == nullptr) return;
    server_ = std::jthread([this, welcome = std::move(welcome)] {
      const int client = accept(listener_, nullptr, nullptr);
      char hello[16];
      EXPECT_GT(recv(client, hello, sizeof hello, 0), 0);
      welcome(client);
      close(client);
    });
  }
  ~StrangePort() {
    if (server_.joinable()) server_.join();
    close(listener_);
  }
  const std::string& address() const { return address_; }

 private:
  const int listener_;
  std::string address_;
  std::jthread server_;
};

TEST(RedisTlsTest, AServerThatAnswersInAnotherProtocolIsTheUsersToMend) {
  const StrangePort port(
      [](int client) { EXPECT_EQ(send(client, "-ERR no\r\n", 9, MSG_NOSIGNAL), 9); });
  EXPECT_FAULT(Fault::kUser, "does not speak TLS", TryOn(port.address()));
}

TEST(RedisTlsTest, AServerThatEndsInTheHandshakeIsTriedAgain) {
  const StrangePort port([](int) {});
  const Status status = TryOn(port.address());
  EXPECT_FAULT(Fault::kRemote, "redis at 127.0.0.1", status);
  EXPECT_TRUE(IsRetryable(status));
}

TEST(RedisTlsTest, AServerThatSaysNothingInTheHandshakeCostsTheConnectTimeout) {
  const StrangePort port(nullptr);
  OnlineStoreContext context;
  context.connect_timeout = std::chrono::milliseconds(200);
  ASSERT_OK_AND_ASSIGN(const auto store, StoreAt(port.address(), context));
  EXPECT_FAULT(Fault::kRemote, "did not finish the TLS handshake", store->Prepare({}));
}

TEST(RedisTlsTest, AServerThatRefusesTheClientInTheHandshakeSaysWhy) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis,
                       StartTls("server", "yes", {"--tls-protocols", "TLSv1.2"}));
  EXPECT_FAULT(Fault::kRemote, "TLS handshake", TryOn(redis.Trusted()));
}

TEST(RedisTlsTest, AKeyUnderAPasswordNeedsIt) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server", "yes"));
  const Certificates& files = TestCertificates();
  const std::string client =
      ",ssl_certfile=" + files.File("client.pem") + ",ssl_keyfile=" + files.File("locked.key");
  EXPECT_OK(TryOn(redis.Trusted(client + ",ssl_password=canary")));
  const Status refused = TryOn(redis.Trusted(client + ",ssl_password=canart"));
  EXPECT_FAULT(Fault::kUser, "ssl_keyfile cannot be used", refused);
  EXPECT_THAT(refused.message(), ::testing::Not(::testing::HasSubstr("canart")));
  EXPECT_FAULT(Fault::kUser, "ssl_keyfile cannot be used",
               TryOn(redis.Trusted(client + ",ssl_password=" + std::string(5000, 'x'))));
}

TEST(RedisTlsTest, AFileThatHoldsNoCertificateIsTheUsersToMend) {
  ASSERT_OK_AND_ASSIGN(const TlsRedis redis, StartTls("server"));
  const Certificates& files = TestCertificates();
  EXPECT_FAULT(Fault::kUser, "ssl_certfile cannot be used",
               TryOn(redis.Trusted(",ssl_certfile=" + files.File("client.key"))));
  // A folder of authorities in OpenSSL's form, by the hash of their names.
  EXPECT_OK(TryOn(redis.Address(",ssl_ca_path=" + files.File("authorities"))));
  EXPECT_FAULT(Fault::kUser, "certificate is refused",
               TryOn(redis.Address(",ssl_ca_path=" + files.File("nowhere"))));
}

TEST(RedisTlsTest, AUnixSocketServesAsWell) {
  const TemporaryDirectory folder;
  const std::string path = folder.File("redis.sock");
  ASSERT_OK_AND_ASSIGN(const auto server, LiveRedis::Start({"--unixsocket", path}));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreAt("unix_socket_path=" + path));
  EXPECT_OK(store->Prepare({}));
  EXPECT_EQ(store->Describe(), "redis at " + path + "/0");
  EXPECT_FAULT(Fault::kRemote, "No such file", TryOn("unix_socket_path=" + path + "x"));
  EXPECT_FAULT(Fault::kUser, "too long", TryOn("unix_socket_path=/" + std::string(200, 'x')));
}

// One server for the contract's tests; each test has its own database, emptied before.
StoreUnderTest RedisOverTls() {
  return {.name = "redis_tls",
          .make = [](const std::string& scratch) -> Result<std::unique_ptr<OnlineStore>> {
            static const Result<TlsRedis> redis = StartTls("server");
            BANQUET_RETURN_NOT_OK(redis.status());
            static std::string last;
            if (std::exchange(last, scratch) != scratch) {
              BANQUET_ASSIGN_OR_RETURN(auto connection, redis->server->Connect());
              BANQUET_RETURN_NOT_OK(connection->Call({"FLUSHALL"}).status());
            }
            return StoreAt(redis->Trusted());
          },
          .feast_skips_older = true,
          .feast_skips_equal = true};
}

INSTANTIATE_TEST_SUITE_P(RedisTls, OnlineStoreContract, ::testing::Values(RedisOverTls()),
                         StoreUnderTest::NameOf);

}  // namespace
}  // namespace redis
}  // namespace banquet
