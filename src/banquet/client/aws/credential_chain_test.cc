#include "banquet/client/aws/credential_chain.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"
#include "banquet/client/aws/profiles.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/client/http/scripted_server.h"

namespace banquet::aws {
namespace {

constexpr char kNow[] = "2026-01-01T00:00:00Z";
constexpr char kInAnHour[] = "2026-01-01T01:00:00Z";
constexpr char kSecret[] = "canary-secret";

// Every variable that the chain reads is set by the test or not at all.
class CredentialChainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
          "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
          "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}) {
      unsetenv(name);
    }
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_CONFIG_FILE", (folder_.path() + "/config").c_str(), 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", (folder_.path() + "/credentials").c_str(), 1);
  }

  std::string Put(const std::string& name, const std::string& content) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  Result<Credentials> Get() { return Chain().Get(); }
  CredentialChain Chain() { return CredentialChain({.region = "eu-west-1", .clock = &clock_}); }
  void ExpectKey(const std::string& key) {
    const auto found = Get();
    ASSERT_OK(found);
    EXPECT_EQ(found->access_key_id, key);
    EXPECT_EQ(found->secret_access_key, kSecret);
  }
  void ExpectFault(Fault fault, const std::string& text) {
    const auto found = Get();
    EXPECT_FAULT(fault, text, found);
    EXPECT_EQ(found.status().ToString().find(kSecret), std::string::npos);
  }

  static std::string Json(const std::string& key, const std::string& token_name = "Token") {
    return R"({"AccessKeyId":")" + key + R"(","SecretAccessKey":")" + kSecret + R"(",")" +
           token_name + R"(":"token of )" + key + R"(","Expiration":")" + kInAnHour + R"("})";
  }
  static std::string Xml(const std::string& key) {
    return "<R><Credentials><AccessKeyId>" + key + "</AccessKeyId><SecretAccessKey>" + kSecret +
           "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" + kInAnHour +
           "</Expiration></Credentials></R>";
  }

  TemporaryDirectory folder_;
  ManualClock clock_{*ParseInstant(kNow)};
};

TEST_F(CredentialChainTest, NobodyIsAnErrorThatNamesThePlaces) {
  ExpectFault(Fault::kUser, "No AWS credentials are found");
}

TEST_F(CredentialChainTest, TheEnvironmentComesFirst) {
  Put("credentials",
      std::string("[default]\naws_access_key_id=FILE\naws_secret_access_key=") + kSecret);
  ExpectKey("FILE");
  setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
  ExpectFault(Fault::kUser, "AWS_SECRET_ACCESS_KEY is not");
  setenv("AWS_SECRET_ACCESS_KEY", kSecret, 1);
  setenv("AWS_SESSION_TOKEN", "token", 1);
  ExpectKey("ENV");
  ASSERT_OK_AND_ASSIGN(const Credentials found, Get());
  EXPECT_EQ(found.session_token, "token");
}

TEST_F(CredentialChainTest, AProfileIsReadFromBothFiles) {
  Put("config",
      "[profile work]\nregion = eu-west-1\naws_access_key_id = OLD\n[default]\nregion=x\n");
  Put("credentials", std::string("# mine\n[work]\naws_access_key_id = WORK\n") +
                         "aws_secret_access_key = " + kSecret + "\naws_session_token = t\n");
  ExpectFault(Fault::kUser, "No AWS credentials");
  setenv("AWS_PROFILE", "work", 1);
  ExpectKey("WORK");
  setenv("AWS_PROFILE", "other", 1);
  ExpectFault(Fault::kUser, "names a profile that is not in ~/.aws: other");
}

TEST(ParseProfiles, KnowsSectionsCommentsAndNesting) {
  const Profiles profiles = ParseProfiles(
      "stray = 1\n[default]\nKey = a = b\n; no\n# no\ns3 =\n  nested = 1\n\n[profile  two "
      "]\r\nkey=c\r\n"
      "[sso-session x]\nkey = d\nno equals sign\n",
      /*is_config_file=*/true);
  EXPECT_EQ(profiles,
            (Profiles{{"default", {{"key", "a = b"}, {"s3", ""}}}, {"two", {{"key", "c"}}}}));
  EXPECT_EQ(ParseProfiles("[profile two]\nkey=c\n", false),
            (Profiles{{"profile two", {{"key", "c"}}}}));
}

TEST_F(CredentialChainTest, AProcessHandsOutKeys) {
  Put("config", "[default]\ncredential_process = cat '" +
                    Put("answer", Json("PROCESS", "SessionToken")) + "'\n");
  ExpectKey("PROCESS");
  Put("config", "[default]\ncredential_process = exit 7\n");
  ExpectFault(Fault::kUser, "credential_process of AWS profile default failed with exit code 7");
  Put("config", "[default]\ncredential_process = echo " + std::string(kSecret) + "\n");
  ExpectFault(Fault::kUser, "gives no AccessKeyId and SecretAccessKey");
}

TEST_F(CredentialChainTest, ARoleIsAssumedByItsSource) {
  ScriptedHttpServer sts([](const ReceivedHttp& request) {
    if (request.body.find("Outer") != std::string::npos) return HttpAnswer{.body = Xml("OUTER")};
    return HttpAnswer{.body = Xml("INNER")};
  });
  setenv("AWS_ENDPOINT_URL_STS", sts.url().c_str(), 1);
  Put("config",
      "[default]\nrole_arn = arn:aws:iam::1:role/Outer\nsource_profile = inner\nexternal_id = x/y\n"
      "role_session_name = night\nduration_seconds = 900\n"
      "[profile inner]\nrole_arn = arn:aws:iam::1:role/In\nsource_profile = base\n");
  Put("credentials",
      std::string("[base]\naws_access_key_id = BASE\naws_secret_access_key = ") + kSecret);
  ExpectKey("OUTER");
  const auto received = sts.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_THAT(received[0].headers.at("authorization"),
              ::testing::HasSubstr("Credential=BASE/20260101/eu-west-1/sts/"));
  EXPECT_THAT(received[1].headers.at("authorization"), ::testing::HasSubstr("Credential=INNER/"));
  EXPECT_THAT(received[1].headers.at("x-amz-security-token"), "t");
  EXPECT_EQ(received[1].body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2FOuter&"
            "RoleSessionName=night&ExternalId=x%2Fy&DurationSeconds=900");
}

TEST_F(CredentialChainTest, WhatIsWrongWithARoleIsTold) {
  int status = 403;
  ScriptedHttpServer sts([&](const ReceivedHttp&) {
    return HttpAnswer{.status = status,
                      .body = "<E><Code>AccessDenied</Code><Message>not you</Message></E>"};
  });
  setenv("AWS_ENDPOINT_URL", sts.url().c_str(), 1);
  Put("credentials",
      std::string("[default]\nrole_arn = R\nsource_profile = default\naws_access_key_id = BASE\n") +
          "aws_secret_access_key = " + kSecret);
  ExpectFault(Fault::kUser, "STS refuses role R: not you (AccessDenied)");
  status = 200;
  ExpectFault(Fault::kRemote, "without credentials");
  status = 500;
  ExpectFault(Fault::kRemote, "STS answered 500");
  Put("credentials", "[default]\nrole_arn = R\n");
  ExpectFault(Fault::kUser, "gives no credentials");
  Put("credentials", "[default]\nrole_arn = R\nsource_profile = nobody\n");
  ExpectFault(Fault::kUser, "gives no credentials");
  Put("credentials", "[default]\nrole_arn = R\nmfa_serial = x\n");
  ExpectFault(Fault::kUser, "second factor");
  Put("credentials",
      "[default]\nrole_arn = R\nsource_profile = b\n[b]\nrole_arn = R\nsource_profile = default\n");
  ExpectFault(Fault::kUser, "name each other");
  Put("credentials", "[default]\nsso_session = x\n");
  ExpectFault(Fault::kUser, "logs in by SSO");
}

TEST_F(CredentialChainTest, ARoleMayBeAssumedByTheEnvironmentsKeys) {
  ScriptedHttpServer sts([](const ReceivedHttp&) { return HttpAnswer{.body = Xml("ROLE")}; });
  setenv("AWS_ENDPOINT_URL", sts.url().c_str(), 1);
  ScriptedHttpServer container([](const ReceivedHttp&) { return HttpAnswer{.body = Json("POD")}; });
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().c_str(), 1);
  Put("credentials", "[default]\nrole_arn = R\ncredential_source = EcsContainer\n");
  ExpectKey("ROLE");
  EXPECT_THAT(sts.received()[0].headers.at("authorization"),
              ::testing::HasSubstr("Credential=POD/"));
  Put("credentials", "[default]\nrole_arn = R\ncredential_source = Ec2InstanceMetadata\n");
  ExpectFault(Fault::kUser, "gives no credentials");
  Put("credentials", "[default]\nrole_arn = R\ncredential_source = Environment\n");
  ExpectFault(Fault::kUser, "gives no credentials");
}

TEST_F(CredentialChainTest, AWebIdentityNeedsNoSignature) {
  ScriptedHttpServer sts([](const ReceivedHttp&) { return HttpAnswer{.body = Xml("WEB")}; });
  setenv("AWS_ENDPOINT_URL_STS", (sts.url() + "/").c_str(), 1);
  const std::string token = Put("token", "to/ken\n");
  setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token.c_str(), 1);
  setenv("AWS_ROLE_ARN", "R", 1);
  ExpectKey("WEB");
  EXPECT_FALSE(sts.received()[0].headers.contains("authorization"));
  EXPECT_THAT(sts.received()[0].body, ::testing::HasSubstr("WebIdentityToken=to%2Fken"));
  setenv("AWS_WEB_IDENTITY_TOKEN_FILE", (token + ".not").c_str(), 1);
  ExpectFault(Fault::kUser, token + ".not");
  unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
  Put("config", "[default]\nrole_arn = R\nweb_identity_token_file = " + token + "\n");
  ExpectKey("WEB");
}

TEST_F(CredentialChainTest, AContainerIsAskedWithItsToken) {
  int status = 200;
  ScriptedHttpServer container(
      [&](const ReceivedHttp&) { return HttpAnswer{.status = status, .body = Json("POD")}; });
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", (container.url() + "/v1/keys").c_str(), 1);
  ExpectKey("POD");
  EXPECT_FALSE(container.received()[0].headers.contains("authorization"));
  setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "plain", 1);
  ExpectKey("POD");
  EXPECT_EQ(container.received()[1].headers.at("authorization"), "plain");
  // EKS Pod Identity: a file that is renewed while the pod lives.
  setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Put("token", "of the file\n").c_str(), 1);
  ExpectKey("POD");
  EXPECT_EQ(container.received()[2].headers.at("authorization"), "of the file");
  Put("token", "two\nlines\n");
  ExpectFault(Fault::kUser, "line break");
  Put("token", "t");
  status = 500;
  ExpectFault(Fault::kRemote, "the container's credentials endpoint answered 500");
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/", 1);
  ExpectFault(Fault::kUser, "neither https nor this machine's");
}

TEST_F(CredentialChainTest, AnInstanceIsAskedBySession) {
  int role_status = 200;
  ScriptedHttpServer instance([&](const ReceivedHttp& request) {
    if (request.target == "/latest/api/token") return HttpAnswer{.body = "session"};
    if (request.headers.at("x-aws-ec2-metadata-token") != "session")
      return HttpAnswer{.status = 401};
    if (request.target.ends_with("/security-credentials/")) {
      return HttpAnswer{.status = role_status, .body = "the-role"};
    }
    return HttpAnswer{.body = Json("EC2")};
  });
  setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", (instance.url() + "/").c_str(), 1);
  ExpectFault(Fault::kUser, "No AWS credentials");  // Disabled by SetUp.
  unsetenv("AWS_EC2_METADATA_DISABLED");
  ExpectKey("EC2");
  EXPECT_EQ(instance.received()[0].method, "PUT");
  EXPECT_EQ(instance.received()[2].target, "/latest/meta-data/iam/security-credentials/the-role");
  role_status = 404;
  ExpectFault(Fault::kUser, "No AWS credentials");
  role_status = 500;
  ExpectFault(Fault::kRemote, "the instance's metadata service answered 500");
  setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
  ExpectFault(Fault::kUser, "No AWS credentials");
}

TEST_F(CredentialChainTest, TheyAreRenewedBeforeTheyExpireAndOnceForAll) {
  int status = 200;
  ScriptedHttpServer container([&](const ReceivedHttp& request) {
    return HttpAnswer{.status = status, .body = Json("KEY" + std::to_string(request.nth))};
  });
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().c_str(), 1);
  CredentialChain chain = Chain();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(chain.Get()->access_key_id, "KEY1"); });
  }
  for (std::thread& thread : threads) thread.join();
  clock_.Advance(std::chrono::minutes(56));
  status = 500;
  EXPECT_EQ(chain.Get()->access_key_id, "KEY1") << "still good";
  clock_.Advance(std::chrono::minutes(5));
  EXPECT_FAULT(Fault::kRemote, "answered 500", chain.Get());
  status = 200;
  EXPECT_EQ(chain.Get()->access_key_id, "KEY4");
}

TEST_F(CredentialChainTest, WhatTheServiceRefusesIsAskedForAnew) {
  ScriptedHttpServer container([&](const ReceivedHttp& request) {
    return HttpAnswer{.body = Json("KEY" + std::to_string(request.nth))};
  });
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().c_str(), 1);
  CredentialChain chain = Chain();
  ASSERT_OK_AND_ASSIGN(const Credentials first, chain.Get());
  chain.Expire({.access_key_id = "another"});
  EXPECT_EQ(chain.Get()->access_key_id, "KEY1");
  chain.Expire(first);
  EXPECT_EQ(chain.Get()->access_key_id, "KEY2");
}

}  // namespace
}  // namespace banquet::aws
