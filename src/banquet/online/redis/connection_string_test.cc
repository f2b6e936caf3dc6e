#include "banquet/online/redis/connection_string.h"

#include "banquet/base/testing.h"

namespace banquet::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConnectionStringTest, TakesHostAndPort) {
  ASSERT_OK_AND_ASSIGN(const ServerAddress address, ParseConnectionString("cache.local:6380"));
  EXPECT_EQ(address.host, "cache.local");
  EXPECT_EQ(address.port, 6380);
  EXPECT_EQ(address.db, 0);
  EXPECT_EQ(address.password, "");
  EXPECT_EQ(address.Describe(), "redis at cache.local:6380/0");
}

TEST(ConnectionStringTest, TakesTheFirstOfSeveralNodes) {
  ASSERT_OK_AND_ASSIGN(const ServerAddress address, ParseConnectionString("a:1,b:2,db=3"));
  EXPECT_EQ(address.Describe(), "redis at a:1/3");
}

TEST(ConnectionStringTest, TakesParametersAsJsonWhereTheyParse) {
  ASSERT_OK_AND_ASSIGN(const ServerAddress address,
                       ParseConnectionString("h:1,password=\"a\\\"b\",username=feast,db=\"2\""));
  EXPECT_EQ(address.password, "a\"b");
  EXPECT_EQ(address.username, "feast");
  EXPECT_EQ(address.db, 2);
}

TEST(ConnectionStringTest, TakesFilesAndRulesOfTls) {
  ASSERT_OK_AND_ASSIGN(
      const ServerAddress address,
      ParseConnectionString("h:1,ssl=true,ssl_ca_certs=/ca.pem,ssl_ca_path=/ca,ssl_certfile=/c.pem,"
                            "ssl_keyfile=\"/k.pem\",ssl_password=x,ssl_cert_reqs=none,"
                            "ssl_check_hostname=false"));
  EXPECT_EQ(address.tls.ca_file, "/ca.pem");
  EXPECT_EQ(address.tls.ca_path, "/ca");
  EXPECT_EQ(address.tls.certificate_file, "/c.pem");
  EXPECT_EQ(address.tls.key_file, "/k.pem");
  EXPECT_EQ(address.tls.key_password, "x");
  EXPECT_FALSE(address.tls.verify);
  EXPECT_FALSE(address.tls.check_host_name);
}

TEST(ConnectionStringTest, RefusesWhatWouldBeLessSafeThanItWasAskedFor) {
  EXPECT_FAULT(Fault::kUser, "ssl_cert_reqs must be",
               ParseConnectionString("h:1,ssl=true,ssl_cert_reqs=perhaps"));
  EXPECT_FAULT(Fault::kUser, "not supported by this version: ssl_ciphers",
               ParseConnectionString("h:1,ssl=true,ssl_ciphers=HIGH"));
  EXPECT_OK(ParseConnectionString("h:1,ssl_ciphers=HIGH"));
  EXPECT_FAULT(Fault::kUser, "exclude each other",
               ParseConnectionString("ssl=true,unix_socket_path=/s"));
}

TEST(ConnectionStringTest, AUnixSocketNeedsNoNode) {
  ASSERT_OK_AND_ASSIGN(const ServerAddress address,
                       ParseConnectionString("unix_socket_path=/run/redis.sock,db=2"));
  EXPECT_EQ(address.Describe(), "redis at /run/redis.sock/2");
}

TEST(ConnectionStringTest, TakesWhatIsNoJsonAsItIsWritten) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"p=w=d", "p=w=d"}, {"12345", "12345"}, {"007", "007"}, {"[open", "[open"},
      {"\"5\"", "5"},     {"-0", "0"},        {"null", ""},   {" x ", " x "},
  };
  for (const auto& [written, expected] : cases) {
    ASSERT_OK_AND_ASSIGN(const ServerAddress address,
                         ParseConnectionString("h:1,password=" + written));
    EXPECT_EQ(address.password, expected) << written;
  }
}

TEST(ConnectionStringTest, RefusesPasswordsThatFeastWouldSendInAnotherForm) {
  for (const std::string written : {"1e5", "1.50", "true", "[1]", "{}"}) {
    const auto address = ParseConnectionString("h:1,password=" + written);
    EXPECT_FAULT(Fault::kUser, "double quotes: password", address);
    EXPECT_THAT(address.status().message(), Not(HasSubstr(written)));
  }
}

TEST(ConnectionStringTest, TlsIsAskedForAsFeastDoes) {
  for (const std::string yes : {"true", "True", "1", "\"x\""}) {
    ASSERT_OK_AND_ASSIGN(const ServerAddress address, ParseConnectionString("h:1,ssl=" + yes));
    EXPECT_TRUE(address.tls.enabled) << yes;
    EXPECT_TRUE(address.tls.verify && address.tls.check_host_name) << "verified by default";
  }
  for (const std::string no : {"false", "0", "null", "", "\"\""}) {
    ASSERT_OK_AND_ASSIGN(const ServerAddress address, ParseConnectionString("h:1,ssl=" + no));
    EXPECT_FALSE(address.tls.enabled) << no;
  }
}

TEST(ConnectionStringTest, ListsParametersWithoutMeaning) {
  ASSERT_OK_AND_ASSIGN(const ServerAddress address,
                       ParseConnectionString("h:1,socket_timeout=5, retry_on_timeout=true"));
  EXPECT_THAT(address.ignored, ElementsAre("socket_timeout", "retry_on_timeout"));
}

TEST(ConnectionStringTest, RefusesAParameterThatFeastsClientWouldRefuse) {
  const auto misspelt = ParseConnectionString("h:1,pasword=canary");
  EXPECT_FAULT(Fault::kUser, "pasword", misspelt);
  EXPECT_FAULT(Fault::kUser, "password", misspelt);
  EXPECT_EQ(misspelt.status().ToString().find("canary"), std::string::npos);
}

TEST(ConnectionStringTest, RefusesWhatNamesNoServer) {
  for (const std::string text :
       {"", "localhost", ":6379", "h:", "h:x", "h:0", "h:65536", "a:b:1", "::1", "db=1"}) {
    EXPECT_FAULT(Fault::kUser, "host:port", ParseConnectionString(text));
  }
  EXPECT_FAULT(Fault::kUser, "host:port", ParseConnectionString("h:1,host=other"));
}

TEST(ConnectionStringTest, RefusesADbThatIsNoNumber) {
  for (const std::string db : {"-1", "x", "1.5", "99999999999"}) {
    EXPECT_FAULT(Fault::kUser, "d", ParseConnectionString("h:1,db=" + db));
  }
}

}  // namespace
}  // namespace banquet::redis
