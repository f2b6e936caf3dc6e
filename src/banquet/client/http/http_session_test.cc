#include "banquet/client/http/http_session.h"

#include "banquet/base/testing.h"
#include "banquet/client/http/scripted_server.h"
#include "banquet/client/process/certificates_for_test.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;

Result<HttpResponse> Get(const std::string& url, HttpSettings settings = {}) {
  settings.server = "the server";
  BANQUET_ASSIGN_OR_RETURN(const auto session, HttpSession::Open(settings));
  return session->Send({.url = url});
}

TEST(HttpSession, SendsAndReceivesOverOneConnection) {
  ScriptedHttpServer server([](const ReceivedHttp& request) {
    return HttpAnswer{.status = 201, .body = "got " + request.body, .headers = {"X-Name:  value "}};
  });
  ASSERT_OK_AND_ASSIGN(const auto session, HttpSession::Open({.server = "the server"}));
  for (const std::string body : {"one", "", "three"}) {
    ASSERT_OK_AND_ASSIGN(const HttpResponse response,
                         session->Send({.method = "POST",
                                        .url = server.url() + "/path?q=1",
                                        .headers = {"x-own: header"},
                                        .body = body}));
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.body, "got " + body);
    EXPECT_EQ(response.Header("x-name"), "value");
    EXPECT_EQ(response.Header("x-other"), std::nullopt);
  }
  ASSERT_OK(session->Send({.url = server.url() + "/next"}));
  ASSERT_OK(session->Send({.method = "PUT", .url = server.url() + "/put"}));
  const auto received = server.received();
  ASSERT_EQ(received.size(), 5U);
  EXPECT_EQ(received[0].method, "POST");
  EXPECT_EQ(received[0].target, "/path?q=1");
  EXPECT_EQ(received[0].headers.at("x-own"), "header");
  EXPECT_EQ(received[3].method, "GET");
  EXPECT_EQ(received[4].method, "PUT");
  EXPECT_EQ(received[4].connection, 1) << "the connection is kept";
}

TEST(HttpSession, AnyStatusIsAResponse) {
  ScriptedHttpServer server([](const ReceivedHttp&) { return HttpAnswer{.status = 503}; });
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, Get(server.url()));
  EXPECT_EQ(response.status, 503);
}

TEST(HttpSession, FollowsNoRedirect) {
  ScriptedHttpServer server([](const ReceivedHttp&) {
    return HttpAnswer{.status = 302, .headers = {"location: http://127.0.0.1:1/"}};
  });
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, Get(server.url()));
  EXPECT_EQ(response.status, 302);
}

TEST(HttpSession, WhatMayPassIsToBeTriedAgain) {
  ScriptedHttpServer closes([](const ReceivedHttp&) {
    return HttpAnswer{.raw = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", .close = true};
  });
  ScriptedHttpServer silent([](const ReceivedHttp&) { return HttpAnswer{.silence = true}; });
  const auto expect_retryable = [](const Status& status) {
    EXPECT_FAULT(Fault::kRemote, "the server: ", status);
    EXPECT_TRUE(IsRetryable(status)) << status;
  };
  expect_retryable(Get(closes.url()).status());
  expect_retryable(Get("http://127.0.0.1:1").status());
  const auto begun = std::chrono::steady_clock::now();
  expect_retryable(Get(silent.url(), {.stall_timeout = milliseconds(900)}).status());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(5000));
}

TEST(HttpSession, AStopEndsTheWait) {
  ScriptedHttpServer silent([](const ReceivedHttp&) { return HttpAnswer{.silence = true}; });
  std::stop_source stop;
  std::thread stopper([&] {
    usleep(100'000);
    stop.request_stop();
  });
  EXPECT_FAULT(Fault::kCancelled, "", Get(silent.url(), {.stop = stop.get_token()}));
  stopper.join();
  EXPECT_FAULT(Fault::kCancelled, "", Get(silent.url(), {.stop = stop.get_token()}));
}

TEST(HttpSession, AnAnswerWithoutEndIsCutOff) {
  ScriptedHttpServer server(
      [](const ReceivedHttp&) { return HttpAnswer{.body = std::string(5000, 'x')}; });
  EXPECT_FAULT(Fault::kRemote, "more than 4000 bytes",
               Get(server.url(), {.response_bytes_max = 4000}));
}

TEST(HttpSession, OnlyHttpIsSpoken) {
  EXPECT_FAULT(Fault::kUser, "mend its URL", Get("file:///etc/passwd"));
  EXPECT_FAULT(Fault::kUser, "mend its URL", Get("http://a b"));
}

// A real TLS server with this certificate; its answer is a page.
Result<std::pair<ServerProcess, int>> ServeTls(const std::string& certificate) {
  BANQUET_ASSIGN_OR_RETURN(const int port, FreePort());
  const Certificates& certificates = TestCertificates();
  BANQUET_ASSIGN_OR_RETURN(ServerProcess server,
                           ServerProcess::Start({"openssl", "s_server", "-quiet", "-www", "-accept",
                                                 "127.0.0.1:" + std::to_string(port), "-cert",
                                                 certificates.File(certificate + ".pem"), "-key",
                                                 certificates.File(certificate + ".key")}));
  BANQUET_RETURN_NOT_OK(server.Await("openssl s_server", [&] { return Listens(port); }));
  return std::pair(std::move(server), port);
}

TEST(HttpSession, ACertificateIsHeldAgainstAuthorityAndName) {
  const auto get = [](const std::string& certificate, const std::string& authority) {
    setenv("SSL_CERT_FILE", TestCertificates().File(authority + ".pem").c_str(), 1);
    const auto server = ServeTls(certificate);
    Result<HttpResponse> response = server.ok()
                                        ? Get("https://127.0.0.1:" + std::to_string(server->second))
                                        : Result<HttpResponse>(server.status());
    unsetenv("SSL_CERT_FILE");
    return response;
  };
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, get("server", "ca"));
  EXPECT_EQ(response.status, 200);
  for (const auto& [certificate, authority] :
       {std::pair("server", "stranger"), std::pair("elsewhere", "ca"),
        std::pair("expired", "ca")}) {
    SCOPED_TRACE(certificate);
    const auto refused = get(certificate, authority);
    EXPECT_FAULT(Fault::kRemote, "the server: ", refused);
    EXPECT_FALSE(IsRetryable(refused.status())) << refused.status();
  }
}

TEST(HttpSession, APlainServerIsNotSpokenToByTls) {
  ScriptedHttpServer server([](const ReceivedHttp&) { return HttpAnswer{}; });
  EXPECT_FAULT(Fault::kRemote,
               "the server: ", Get("https://127.0.0.1:" + std::to_string(server.port())));
}

}  // namespace
}  // namespace banquet
