#include "banquet/client/google/access_token.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "banquet/base/base64.h"
#include "banquet/base/percent_text.h"
#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/client/google/gcs_bucket.h"
#include "banquet/client/google/signed_claim.h"
#include "banquet/client/http/scripted_server.h"

namespace banquet::google {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNowUs = 1'800'000'000'000'000;

// An RSA key of this test, and its PEM text.
class AccountKey {
 public:
  AccountKey() : key_(EVP_RSA_gen(2048)) {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key_, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const int64_t size = BIO_get_mem_data(memory, &data);
    pem_.assign(data, static_cast<size_t>(size));
    BIO_free_all(memory);
  }
  ~AccountKey() { EVP_PKEY_free(key_); }
  AccountKey(const AccountKey&) = delete;
  AccountKey& operator=(const AccountKey&) = delete;

  const std::string& pem() const { return pem_; }
  bool Signed(std::string_view text, const std::string& signature) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key_);
    const int verified = EVP_DigestVerify(
        context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
        reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    return verified == 1;
  }

 private:
  EVP_PKEY* key_;
  std::string pem_;
};

const AccountKey& Key() {
  static const AccountKey key;
  return key;
}

std::string FromUrlBase64(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return DecodeBase64(text).value_or("none");
}

std::map<std::string, std::string> FormOf(const std::string& body) {
  std::map<std::string, std::string> form;
  for (size_t at = 0; at < body.size();) {
    const size_t end = std::min(body.find('&', at), body.size());
    const std::string pair = body.substr(at, end - at);
    form[pair.substr(0, pair.find('='))] = PercentDecoded(pair.substr(pair.find('=') + 1));
    at = end + 1;
  }
  return form;
}

class AccessTokenTest : public ::testing::Test {
 protected:
  AccessTokenTest() {
    setenv("CLOUDSDK_CONFIG", folder_.path().c_str(), 1);
    setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
    unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  }
  ~AccessTokenTest() override {
    for (const char* name :
         {"CLOUDSDK_CONFIG", "GCE_METADATA_HOST", "GOOGLE_APPLICATION_CREDENTIALS"})
      unsetenv(name);
  }

  // As the file that the environment names.
  void Configure(const json& credentials) {
    const std::string path = folder_.File("key.json");
    std::ofstream(path) << (credentials.is_string() ? credentials.get<std::string>()
                                                    : credentials.dump());
    setenv("GOOGLE_APPLICATION_CREDENTIALS", path.c_str(), 1);
  }
  json Account() const {
    return {{"type", "service_account"},
            {"client_email", "banquet@example.com"},
            {"private_key_id", "key 7"},
            {"private_key", Key().pem()},
            {"token_uri", server_.url() + "/token"}};
  }
  json Login() const {
    return {{"type", "authorized_user"},
            {"client_id", "id"},
            {"client_secret", "s3cret&"},
            {"refresh_token", "r3fresh"},
            {"token_uri", server_.url() + "/token"}};
  }

  const TemporaryDirectory folder_;
  ScriptedHttpServer::Script script_ = [](const ReceivedHttp& request) -> HttpAnswer {
    return {.body = R"({"access_token":"t)" + std::to_string(request.nth) +
                    R"(","expires_in":3600,"token_type":"Bearer"})"};
  };
  ScriptedHttpServer server_{[this](const ReceivedHttp& request) { return script_(request); }};
  ManualClock clock_{kNowUs};
  AccessTokens tokens_{{.clock = &clock_}};
};

TEST_F(AccessTokenTest, AServiceAccountSignsWhatItAsksFor) {
  Configure(Account());
  ASSERT_OK_AND_ASSIGN(const std::string token, tokens_.Get());
  EXPECT_EQ(token, "t1");
  const ReceivedHttp request = server_.received().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/token");
  auto form = FormOf(request.body);
  EXPECT_EQ(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const std::string& assertion = form["assertion"];
  const size_t first = assertion.find('.');
  const size_t second = assertion.find('.', first + 1);
  EXPECT_EQ(json::parse(FromUrlBase64(assertion.substr(0, first))),
            (json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key 7"}}));
  EXPECT_EQ(json::parse(FromUrlBase64(assertion.substr(first + 1, second - first - 1))),
            (json{{"iss", "banquet@example.com"},
                  {"scope", "https://www.googleapis.com/auth/devstorage.read_write"},
                  {"aud", server_.url() + "/token"},
                  {"iat", 1'800'000'000},
                  {"exp", 1'800'003'600}}));
  EXPECT_TRUE(
      Key().Signed(assertion.substr(0, second), FromUrlBase64(assertion.substr(second + 1))));
}

TEST_F(AccessTokenTest, ALoginIsRefreshed) {
  Configure(Login());
  EXPECT_OK(tokens_.Get());
  EXPECT_EQ(FormOf(server_.received().at(0).body),
            (std::map<std::string, std::string>{{"grant_type", "refresh_token"},
                                                {"client_id", "id"},
                                                {"client_secret", "s3cret&"},
                                                {"refresh_token", "r3fresh"}}));
}

TEST_F(AccessTokenTest, GcloudsLoginComesAfterTheEnvironmentsFile) {
  std::ofstream(folder_.File("application_default_credentials.json")) << Login();
  EXPECT_OK(tokens_.Get());
  EXPECT_THAT(server_.received().at(0).body, HasSubstr("refresh_token"));
  Configure(Account());
  tokens_.Expire("t1");
  EXPECT_OK(tokens_.Get());
  EXPECT_THAT(server_.received().at(1).body, HasSubstr("jwt-bearer"));
}

TEST_F(AccessTokenTest, TheMetadataServerIsAskedLast) {
  setenv("GCE_METADATA_HOST", ("127.0.0.1:" + std::to_string(server_.port())).c_str(), 1);
  EXPECT_OK(tokens_.Get());
  const ReceivedHttp request = server_.received().at(0);
  EXPECT_EQ(request.headers.at("metadata-flavor"), "Google");
  EXPECT_THAT(request.target,
              HasSubstr("/computeMetadata/v1/instance/service-accounts/default/token"));
  setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
  tokens_.Expire("t1");
  EXPECT_FAULT(Fault::kUser, "GOOGLE_APPLICATION_CREDENTIALS", tokens_.Get());
}

TEST_F(AccessTokenTest, ATokenIsKeptUntilItSoonRunsOut) {
  Configure(Account());
  const auto token_after = [this](int64_t seconds) {
    clock_.Advance(std::chrono::seconds(seconds));
    return tokens_.Get().ValueOrDie();
  };
  EXPECT_EQ(token_after(0), "t1");
  EXPECT_EQ(token_after(3'299), "t1");
  EXPECT_EQ(token_after(1), "t2");
  tokens_.Expire("another");
  EXPECT_EQ(token_after(0), "t2");
  tokens_.Expire("t2");
  EXPECT_EQ(token_after(0), "t3");
  // What still counts bridges a service that is down for a while.
  script_ = [](const ReceivedHttp&) -> HttpAnswer { return {.status = 503}; };
  EXPECT_EQ(token_after(3'400), "t3");
  script_ = [](const ReceivedHttp&) -> HttpAnswer { return {.status = 400}; };
  EXPECT_EQ(token_after(100), "t3");
  script_ = [](const ReceivedHttp&) -> HttpAnswer { return {.status = 503}; };
  clock_.Advance(std::chrono::seconds(100));
  EXPECT_FAULT(Fault::kRemote, "answered 503", tokens_.Get());
}

TEST_F(AccessTokenTest, WhatIsWrongIsToldWithoutSecrets) {
  const auto refusal = [this](const json& credentials) {
    Configure(credentials);
    const Status status = tokens_.Get().status();
    EXPECT_THAT(status.message(), AllOf(HasSubstr("key.json"), Not(HasSubstr("s3cret")),
                                        Not(HasSubstr("r3fresh")), Not(HasSubstr("PRIVATE"))));
    return status;
  };
  EXPECT_FAULT(Fault::kUser, "no JSON object", refusal("s3cret"));
  EXPECT_FAULT(Fault::kUser, "type 'external_account'", refusal({{"type", "external_account"}}));
  json account = Account();
  account["private_key"] = "s3cret";
  EXPECT_FAULT(Fault::kUser, "no RSA key", refusal(account));
  script_ = [](const ReceivedHttp&) -> HttpAnswer {
    return {.status = 400,
            .body = R"({"error":"invalid_grant","error_description":"Token has been revoked."})"};
  };
  EXPECT_FAULT(Fault::kUser, "revoked", refusal(Login()));
  script_ = [](const ReceivedHttp&) -> HttpAnswer { return {.body = "{}"}; };
  EXPECT_FAULT(Fault::kRemote, "without an access token", refusal(Login()));
  script_ = [](const ReceivedHttp&) -> HttpAnswer {
    return {.body = R"({"access_token":"a\r\nx: y"})"};
  };
  EXPECT_FAULT(Fault::kRemote, "several lines", refusal(Login()));
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/missing/key.json", 1);
  EXPECT_FAULT(Fault::kUser, "/missing/key.json", tokens_.Get());
}

// The whole way: the token goes with the request, and one that is refused is replaced once.
TEST_F(AccessTokenTest, ABucketIsAskedWithTheToken) {
  Configure(Login());
  ASSERT_OK_AND_ASSIGN(
      const auto bucket,
      GcsBucket::Open(
          {.bucket = "lake", .endpoint = server_.url(), .clock = &clock_, .tokens = &tokens_}));
  bool is_refused = true;
  script_ = [&](const ReceivedHttp& request) -> HttpAnswer {
    if (request.target == "/token") {
      return {.body = R"({"access_token":"t)" + std::to_string(request.nth) +
                      R"(","expires_in":3600})"};
    }
    return {.status = is_refused ? 401 : 204};
  };
  EXPECT_FAULT(Fault::kUser, "401", bucket->Delete("k"));
  const auto received = server_.received();
  ASSERT_EQ(received.size(), 4U);  // Token, refused, token, refused.
  EXPECT_EQ(received[1].headers.at("authorization"), "Bearer t1");
  EXPECT_EQ(received[3].headers.at("authorization"), "Bearer t3");
  is_refused = false;
  EXPECT_OK(bucket->Delete("k"));
}

}  // namespace
}  // namespace banquet::google
