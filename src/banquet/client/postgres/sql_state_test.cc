#include "banquet/client/postgres/sql_state.h"

#include "banquet/base/testing.h"

namespace banquet::postgres {
namespace {

constexpr char kServer[] = "postgres at db:5432/features";

TEST(ErrorOfState, TellsWhatMayPassFromWhatSomebodyMustMend) {
  for (const char* state : {"08006", "25006", "40001", "40P01", "53200", "53300", "55P03", "57014",
                            "57P01", "57P02", "57P03", "57P05"}) {
    const Status status = ErrorOfState(state, "not now", kServer);
    EXPECT_FAULT(Fault::kRemote, "postgres at db:5432/features: not now", status);
    EXPECT_TRUE(IsRetryable(status)) << state;
  }
  for (const char* state : {"53100", "XX000", "58030", "99999"}) {
    const Status status = ErrorOfState(state, "broken", kServer);
    EXPECT_FAULT(Fault::kRemote, state, status);
    EXPECT_FALSE(IsRetryable(status)) << state;
  }
  EXPECT_FAULT(Fault::kUser, "pg_hba.conf", ErrorOfState("28P01", "no", kServer));
  EXPECT_FAULT(Fault::kUser, "database", ErrorOfState("3D000", "no", kServer));
  EXPECT_FAULT(Fault::kUser, "schema", ErrorOfState("3F000", "no", kServer));
  EXPECT_FAULT(Fault::kUser, "grant the right", ErrorOfState("42501", "no", kServer));
  EXPECT_FAULT(Fault::kUser, "as Feast makes it", ErrorOfState("42P10", "no", kServer));
  EXPECT_FAULT(Fault::kData, "cannot take a value", ErrorOfState("22021", "bytes", kServer));
}

TEST(StateInText, IsFoundInAVerboseRefusal) {
  const char* text =
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"feast\"\nLOCATION:  auth_failed, auth.c:338\n";
  EXPECT_EQ(StateInText(text), "28P01");
  EXPECT_EQ(PlainText(text),
            "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password "
            "authentication failed for user \"feast\"");
}

TEST(StateInText, IsEmptyWhereTheServerDidNotSpeak) {
  const char* text =
      "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server "
      "running on that host and accepting TCP/IP connections?\n";
  EXPECT_EQ(StateInText(text), "");
  EXPECT_EQ(PlainText(text),
            "connection to server at \"127.0.0.1\", port 1 failed: Connection refused  Is the "
            "server running on that host and accepting TCP/IP connections?");
}

}  // namespace
}  // namespace banquet::postgres
