#include "banquet/base/testing.h"
#include "banquet/client/mysql/connection.h"
#include "banquet/client/mysql/live_mariadb.h"
#include "banquet/client/process/certificates_for_test.h"

namespace banquet::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

class ConnectionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = LiveMariadb::Start().ValueOrDie().release(); }
  static void TearDownTestSuite() { delete server_; }
  static std::unique_ptr<Connection> Open(const std::string& database = "mysql") {
    return Connection::Open(server_->SettingsFor(database)).ValueOrDie();
  }

  static LiveMariadb* server_;
};
LiveMariadb* ConnectionTest::server_ = nullptr;

TEST_F(ConnectionTest, BytesAndTextsComeBackAsTheyWent) {
  const auto connection = Open();
  const std::string bytes("\0'\\\xff\n\"", 6);
  const std::string text = "na\xc3\xafve '; DROP TABLE x; -- \\";
  ASSERT_OK_AND_ASSIGN(const Answer answer,
                       connection->Run("SELECT " + BytesLiteral(bytes) + ", " + TextLiteral(text) +
                                       ", NULL, 42, X'', _utf8mb4 X''"));
  ASSERT_EQ(answer.rows.size(), 1U);
  EXPECT_THAT(answer.rows[0], ElementsAre(Optional(bytes), Optional(text), std::nullopt,
                                          Optional(std::string("42")), Optional(std::string()),
                                          Optional(std::string())));
}

TEST_F(ConnectionTest, AnUpdateCountsRowsThatItFoundThoughNothingChanged) {
  const auto connection = Open();
  ASSERT_OK(connection->Run("CREATE DATABASE counts"));
  ASSERT_OK(connection->Run("CREATE TABLE counts.t (k INT PRIMARY KEY, v INT)"));
  ASSERT_OK(connection->Run("INSERT INTO counts.t VALUES (1, 1), (2, 2)"));
  ASSERT_OK_AND_ASSIGN(const Answer same, connection->Run("UPDATE counts.t SET v = 1 WHERE k = 1"));
  EXPECT_EQ(same.matched, 1);
  ASSERT_OK_AND_ASSIGN(const Answer none, connection->Run("UPDATE counts.t SET v = 1 WHERE k = 9"));
  EXPECT_EQ(none.matched, 0);
}

TEST_F(ConnectionTest, WhoMayNotIsToldWithoutThePassword) {
  ConnectionSettings settings = server_->SettingsFor("mysql");
  settings.password = "s3cret";
  const auto refused = Connection::Open(settings);
  EXPECT_FAULT(Fault::kUser, "Access denied", refused);
  EXPECT_THAT(refused.status().message(), Not(HasSubstr("s3cret")));
  EXPECT_FAULT(Fault::kUser, "nowhere", Connection::Open(server_->SettingsFor("nowhere")));
  EXPECT_FAULT(Fault::kUser, "doesn't exist", Open()->Run("SELECT * FROM no_such_table"));
}

TEST_F(ConnectionTest, AnAbsentServerIsToldInTimeAndMayComeBack) {
  ConnectionSettings settings = server_->SettingsFor("mysql");
  settings.port = static_cast<unsigned>(FreePort().ValueOrDie());
  const auto absent = Connection::Open(settings);
  EXPECT_FAULT(Fault::kRemote, "mariadb under test", absent);
  EXPECT_TRUE(IsRetryable(absent.status()));
}

TEST_F(ConnectionTest, AServerThatDoesNotAnswerIsNotWaitedForInVain) {
  int port = 0;
  const int listener = ListenOnLoopback(&port);
  ConnectionSettings settings = server_->SettingsFor("mysql");
  settings.port = static_cast<unsigned>(port);
  settings.connect_timeout = std::chrono::milliseconds(200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FAULT(Fault::kRemote, "mariadb under test", Connection::Open(settings));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  close(listener);
}

TEST_F(ConnectionTest, AStatementThatTakesTooLongIsGivenUp) {
  ConnectionSettings settings = server_->SettingsFor("mysql");
  settings.stall_timeout = std::chrono::milliseconds(500);
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(settings));
  const auto late = connection->Run("SELECT SLEEP(20)");
  EXPECT_FAULT(Fault::kRemote, "mariadb under test", late);
  EXPECT_TRUE(IsRetryable(late.status()));
}

Result<std::unique_ptr<LiveMariadb>> StartWithCertificate(const std::string& name) {
  const Certificates& certificates = TestCertificates();
  return LiveMariadb::Start({"--ssl-ca=" + certificates.File("ca.pem"),
                             "--ssl-cert=" + certificates.File(name + ".pem"),
                             "--ssl-key=" + certificates.File(name + ".key")});
}

TEST(TlsTest, WhoIsSignedByAStrangerIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartWithCertificate("server"));
  ConnectionSettings settings = server->SettingsFor("mysql");
  settings.ca_file = TestCertificates().File("ca.pem");
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(settings));
  ASSERT_OK_AND_ASSIGN(const Answer cipher, connection->Run("SHOW STATUS LIKE 'Ssl_cipher'"));
  EXPECT_NE(cipher.rows.at(0).at(1), std::optional<std::string>(""));
  settings.ca_file = TestCertificates().File("stranger.pem");
  EXPECT_FAULT(Fault::kUser, "mariadb under test", Connection::Open(settings));
}

TEST(TlsTest, ACertificateOfAnotherHostIsRefusedUnlessThatIsAllowed) {
  ASSERT_OK_AND_ASSIGN(const auto server, StartWithCertificate("elsewhere"));
  ConnectionSettings settings = server->SettingsFor("mysql");
  settings.ca_file = TestCertificates().File("ca.pem");
  EXPECT_FAULT(Fault::kUser, "mariadb under test", Connection::Open(settings));
  settings.verify_identity = false;
  EXPECT_OK(Connection::Open(settings));
}

TEST_F(ConnectionTest, AServerWithoutTlsIsRefusedWhereItIsAskedFor) {
  ConnectionSettings settings = server_->SettingsFor("mysql");
  settings.ca_file = TestCertificates().File("ca.pem");
  EXPECT_FAULT(Fault::kUser, "mariadb under test", Connection::Open(settings));
}

TEST(ErrorOfNumberTest, SaysWhoCanMend) {
  for (const unsigned number :
       {1040U, 1053U, 1205U, 1213U, 1226U, 1290U, 1836U, 2002U, 2003U, 2005U, 2006U, 2013U}) {
    const Status status = ErrorOfNumber(number, "text", "server");
    EXPECT_FAULT(Fault::kRemote, "server: text", status);
    EXPECT_TRUE(IsRetryable(status)) << number;
  }
  for (const unsigned number : {1044U, 1045U, 1049U, 1142U, 1146U, 1227U, 2026U}) {
    EXPECT_FAULT(Fault::kUser, "server: text", ErrorOfNumber(number, "text", "server"));
  }
  EXPECT_FAULT(Fault::kData, "server: text", ErrorOfNumber(1406, "text", "server"));
  const Status other = ErrorOfNumber(9999, "text", "server");
  EXPECT_FAULT(Fault::kRemote, "error 9999", other);
  EXPECT_FALSE(IsRetryable(other));
}

}  // namespace
}  // namespace banquet::mysql
