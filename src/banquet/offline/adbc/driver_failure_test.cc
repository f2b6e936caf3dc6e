#include "banquet/offline/adbc/driver_failure.h"

#include <arrow-adbc/adbc.h>

#include "banquet/base/testing.h"

namespace banquet::adbc {
namespace {

struct Expectation {
  SqlProduct product;
  DriverFailure failure;
  Fault fault;
  bool retryable = false;
};

TEST(DriverFailureTest, SaysWhoCanMendIt) {
  const auto pg = SqlProduct::kPostgres;
  const auto duck = SqlProduct::kDuckDb;
  const auto lite = SqlProduct::kSqlite;
  const Expectation expected[] = {
      {pg, {0, "42P01", "x"}, Fault::kUser},
      {pg, {0, "42501", "x"}, Fault::kUser},
      {pg, {0, "42601", "x"}, Fault::kUser},
      {pg, {0, "28P01", "x"}, Fault::kUser},
      {pg, {0, "3D000", "x"}, Fault::kUser},
      {pg, {0, "22012", "x"}, Fault::kData},
      {pg, {0, "53300", "x"}, Fault::kRemote, true},
      {pg, {0, "57P03", "x"}, Fault::kRemote, true},
      {pg, {0, "57014", "x"}, Fault::kRemote, true},
      {pg, {0, "08006", "x"}, Fault::kRemote, true},
      {pg, {ADBC_STATUS_IO, "", "FATAL:  password authentication failed"}, Fault::kUser},
      {pg, {ADBC_STATUS_IO, "", "Connection refused"}, Fault::kRemote, true},
      {pg, {0, "", "ERROR:  division by zero"}, Fault::kData},
      {duck, {ADBC_STATUS_INTERNAL, "", "Catalog Error: Table x"}, Fault::kUser},
      {duck, {ADBC_STATUS_INTERNAL, "", "Parser Error: x"}, Fault::kUser},
      {duck, {0, "", "Conversion Error: x"}, Fault::kData},
      {duck, {0, "", "IO Error: Could not set lock on file"}, Fault::kRemote, true},
      {duck, {0, "", "INTERRUPT Error: Interrupted!"}, Fault::kCancelled},
      {lite, {ADBC_STATUS_INTERNAL, "", "no such column: x"}, Fault::kUser},
      {lite, {ADBC_STATUS_INTERNAL, "", "database is locked"}, Fault::kRemote, true},
      {lite, {ADBC_STATUS_UNAUTHORIZED, "", ""}, Fault::kUser},
      {lite, {ADBC_STATUS_NOT_FOUND, "", ""}, Fault::kUser},
      {lite, {ADBC_STATUS_NOT_IMPLEMENTED, "", ""}, Fault::kUser},
      {lite, {ADBC_STATUS_INVALID_DATA, "", ""}, Fault::kData},
      {lite, {ADBC_STATUS_CANCELLED, "", ""}, Fault::kCancelled},
      {lite, {ADBC_STATUS_TIMEOUT, "", ""}, Fault::kRemote, true},
  };
  for (const Expectation& one : expected) {
    SCOPED_TRACE(one.failure.sql_state + one.failure.text);
    const Status status = StatusOf(one.failure, {.product = one.product, .words = "Here"});
    EXPECT_EQ(FaultOf(status), one.fault);
    EXPECT_EQ(IsRetryable(status), one.retryable);
  }
}

TEST(DriverFailureTest, ABusyServerIsAskedAgain) {
  const ServerName server{.product = SqlProduct::kPostgres, .words = "Here"};
  EXPECT_TRUE(IsBusy(StatusOf({0, "53300", "too many clients"}, server)));
  EXPECT_FALSE(IsBusy(StatusOf({0, "08006", "lost"}, server)));
  EXPECT_FALSE(IsBusy(StatusOf({0, "28P01", "refused"}, server)));
}

TEST(DriverFailureTest, TellsNeitherSecretsNorTheQueryAgain) {
  const ServerName server{
      .product = SqlProduct::kPostgres, .words = "Here", .secrets = {"hush", ""}};
  const std::string text = PlainText(
      "[libpq] ERROR:  no table for hush\n\tnor else\nLINE 1: SELECT 1\n\nQuery was: SELECT 1",
      server);
  EXPECT_EQ(text, "no table for ***  nor else");
  EXPECT_EQ(PlainText("", server), "the driver does not say why");
}

}  // namespace
}  // namespace banquet::adbc
