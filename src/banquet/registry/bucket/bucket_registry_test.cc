#include "banquet/registry/bucket/bucket_registry.h"

#include <cstdlib>

#include "banquet/base/testing.h"
#include "banquet/client/aws/bucket_for_test.h"
#include "banquet/client/aws/s3_bucket.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/registry/bucket/bucket_lease.h"
#include "banquet/registry/materialization_splice.h"

namespace banquet::bucket_registry {
namespace {

using aws::BucketForTest;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr int64_t kNowUs = 1'800'000'000'123'456;
constexpr char kProject[] = "golden_inc";
constexpr char kKey[] = "feast/registry.db";

MaterializationRecord Record(const std::string& view, int64_t start_us = 1'000'000) {
  return {.project = kProject,
          .view = view,
          .window = {.start_us = start_us, .end_us = start_us + 1'000'000}};
}

class BucketRegistryTest : public ::testing::Test {
 protected:
  BucketRegistryTest() {
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    server_.Set(
        kKey, ReadWholeFile(std::string(BANQUET_REGISTRY_TESTDATA) + "/incremental_after_apply.db")
                  .ValueOrDie());
  }

  std::unique_ptr<Registry> Open(const std::string& key = kKey) {
    return MakeBucketRegistry(
               {.uri = "s3://lake/" + key, .open = open_, .lease_duration = milliseconds(60'000)},
               clock_)
        .ValueOrDie();
  }
  size_t IntervalsOf(const std::string& view) {
    return Open()->Read().ValueOrDie()->FindView(kProject, view)->materialization_intervals.size();
  }
  static bool IsRegistryPut(const ReceivedHttp& request) {
    return request.method == "PUT" && request.target.ends_with("/registry.db");
  }

  BucketForTest server_;
  ManualClock clock_{kNowUs};
  aws::CredentialChain chain_{{}};
  const OpenBucket open_ = [this](
                               const std::string& bucket,
                               const BucketPatience& patience) -> Result<std::unique_ptr<Bucket>> {
    return aws::S3Bucket::Open({.bucket = bucket,
                                .endpoint = server_.url(),
                                .patience = patience,
                                .clock = &clock_,
                                .chain = &chain_});
  };
};

// --- Reading ---

TEST_F(BucketRegistryTest, ReadsTheObject) {
  ASSERT_OK_AND_ASSIGN(const auto contents, Open()->Read());
  EXPECT_NE(contents->FindView(kProject, "inc_ttl"), nullptr);
  EXPECT_OK(Open()->CheckWritable());
}

TEST_F(BucketRegistryTest, WhatIsNotThereOrDamagedIsTold) {
  server_.Set(kKey, "no registry");
  EXPECT_FAULT(Fault::kData, "s3://lake/feast/registry.db", Open()->Read());
  EXPECT_FAULT(Fault::kData, "inc_ttl", Open()->RecordMaterialization(Record("inc_ttl")));
  server_.Set(kKey, "");
  EXPECT_FAULT(Fault::kUser, "feast apply", Open()->Read());
  const auto absent = Open("none");
  EXPECT_FAULT(Fault::kUser, "s3://lake/none", absent->Read());
  EXPECT_FAULT(Fault::kUser, "s3://lake/none", absent->CheckWritable());
  for (const char* uri : {"s3://", "s3://bucket", "s3://bucket/", "s3:///key"})
    EXPECT_FAULT(Fault::kUser, "s3://bucket/key", MakeBucketRegistry({.uri = uri}, clock_));
}

// --- Recording ---

TEST_F(BucketRegistryTest, RecordsOnlyOverWhatItRead) {
  const size_t before = IntervalsOf("inc_ttl");
  ASSERT_OK_AND_ASSIGN(const auto warning, Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(warning, std::nullopt);
  EXPECT_EQ(IntervalsOf("inc_ttl"), before + 1);
  const auto received = server_.received();
  const auto put = std::ranges::find_if(received, IsRegistryPut);
  EXPECT_EQ(put->headers.at("if-match"), "\"1\"");
}

TEST_F(BucketRegistryTest, AChangeBetweenReadAndWriteIsKept) {
  const size_t before = IntervalsOf("inc_ttl");
  const size_t other_before = IntervalsOf("inc_plain");
  bool is_first = true;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (IsRegistryPut(request) && std::exchange(is_first, false)) {
      // Another run records its own at this moment.
      const std::string now = server_.AnswerOf({.method = "GET", .target = request.target}).body;
      server_.SetLocked(kKey, SpliceMaterialization(now, Record("inc_plain"),
                                                    {.now_us = kNowUs, .version_id = "other"})
                                  .ValueOrDie());
    }
    return std::nullopt;
  });
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(IntervalsOf("inc_ttl"), before + 1);
  EXPECT_EQ(IntervalsOf("inc_plain"), other_before + 1);
}

TEST_F(BucketRegistryTest, OneThatChangesAllTheTimeIsGivenUp) {
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (IsRegistryPut(request)) return BucketForTest::Error(412, "PreconditionFailed");
    return std::nullopt;
  });
  EXPECT_FAULT(Fault::kRemote, "changed by others all the time",
               Open()->RecordMaterialization(Record("inc_ttl")));
}

TEST_F(BucketRegistryTest, AnAnswerThatWasLostIsNotRecordedTwice) {
  const size_t before = IntervalsOf("inc_ttl");
  bool is_first = true;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (!IsRegistryPut(request) || !std::exchange(is_first, false)) return std::nullopt;
    server_.AnswerOf(request);
    return BucketForTest::Error(500, "InternalError");
  });
  ASSERT_OK(Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(IntervalsOf("inc_ttl"), before + 1);
}

TEST_F(BucketRegistryTest, AViewThatVanishedAndARightThatLacksAreTheUsers) {
  EXPECT_FAULT(Fault::kUser, "no longer there", Open()->RecordMaterialization(Record("gone")));
  server_.Before([](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.method == "PUT") return BucketForTest::Error(403, "AccessDenied");
    return std::nullopt;
  });
  EXPECT_FAULT(Fault::kUser, "AccessDenied", Open()->RecordMaterialization(Record("inc_ttl")));
  EXPECT_FAULT(Fault::kUser, "AccessDenied",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
}

// --- Leases ---

TEST_F(BucketRegistryTest, AViewIsHeldByOneRunAndFreeAfterIt) {
  const auto first = Open();
  const auto second = Open();
  const std::string key = LeaseKey(kKey, kProject, "inc_ttl");
  ASSERT_OK_AND_ASSIGN(auto lock, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_EQ(lock->renew_every(), milliseconds(20'000));
  EXPECT_TRUE(server_.Has(key));
  EXPECT_FAULT(Fault::kHeld, fmt::format("pid {} on host", ::getpid()),
               second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_OK(second->LockView(kProject, "inc_plain", milliseconds(0), {}));
  lock.reset();
  EXPECT_FALSE(server_.Has(key));
  EXPECT_OK(second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
}

TEST_F(BucketRegistryTest, ALeaseThatIsRenewedStays) {
  ASSERT_OK_AND_ASSIGN(const auto lock, Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  for (int i = 0; i < 5; ++i) {
    server_.Advance(50);
    ASSERT_OK(lock->Renew({}));
    EXPECT_FAULT(Fault::kHeld, "holds view inc_ttl",
                 Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  }
}

TEST_F(BucketRegistryTest, ALeaseThatRanOutIsTakenOverAndRecordsNothing) {
  const auto first = Open();
  const auto second = Open();
  ASSERT_OK_AND_ASSIGN(auto lost, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  server_.Advance(60);
  EXPECT_FAULT(Fault::kHeld, "holds view",
               second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  server_.Advance(1);
  ASSERT_OK_AND_ASSIGN(const auto lock, second->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  const std::string before = server_.Bytes(kKey);
  EXPECT_FAULT(Fault::kHeld, "ran out", lost->Renew({}));
  EXPECT_FAULT(Fault::kHeld, "ran out", first->RecordMaterialization(Record("inc_ttl")));
  EXPECT_EQ(server_.Bytes(kKey), before);
  lost.reset();
  EXPECT_FAULT(Fault::kHeld, "holds view",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_OK(second->RecordMaterialization(Record("inc_ttl")));
}

// Two that find a lease run out at once: the condition lets one write it.
TEST_F(BucketRegistryTest, OfTwoThatTakeOverOneGetsIt) {
  const auto first = Open();
  ASSERT_OK_AND_ASSIGN(const auto lost, first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  server_.Advance(100);
  bool is_first = true;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.method == "PUT" && std::exchange(is_first, false))
      server_.SetLocked(LeaseKey(kKey, kProject, "inc_ttl"), "other\n60000\npid 1 on host h\nx\n");
    return std::nullopt;
  });
  EXPECT_FAULT(Fault::kHeld, "Another run holds view inc_ttl",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_FAULT(Fault::kHeld, "ran out", lost->Renew({}));
}

TEST_F(BucketRegistryTest, WithoutConditionsRunsCannotExcludeEachOther) {
  server_.Before([](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.headers.contains("if-none-match"))
      return BucketForTest::Error(501, "NotImplemented");
    return std::nullopt;
  });
  EXPECT_FAULT(Fault::kUser, "conditional writes",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  // One that takes no notice of them, or of one of them.
  for (const char* condition : {"if-none-match", "if-match"}) {
    server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
      ReceivedHttp unconditional = request;
      unconditional.headers.erase(condition);
      return server_.AnswerOf(unconditional);
    });
    EXPECT_FAULT(Fault::kUser, "does not keep conditions",
                 Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
    EXPECT_FALSE(server_.Has(LeaseKey(kKey, kProject, "inc_ttl"))) << condition;
  }
}

// One that ran out is proved too when it is taken over.
TEST_F(BucketRegistryTest, WithoutConditionsNobodyTakesOver) {
  const auto first = Open();
  for (const char* condition : {"if-none-match", "if-match"}) {
    server_.Before([](const ReceivedHttp&) { return std::nullopt; });
    ASSERT_OK_AND_ASSIGN(const auto lost,
                         first->LockView(kProject, "inc_ttl", milliseconds(0), {}));
    server_.Advance(100);
    bool is_first = true;
    server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
      // The first write is what finds the lease.
      if (request.method == "PUT" && std::exchange(is_first, false)) return std::nullopt;
      ReceivedHttp unconditional = request;
      unconditional.headers.erase(condition);
      return server_.AnswerOf(unconditional);
    });
    EXPECT_FAULT(Fault::kUser, "does not keep conditions",
                 Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
    EXPECT_FALSE(server_.Has(LeaseKey(kKey, kProject, "inc_ttl"))) << condition;
  }
}

TEST_F(BucketRegistryTest, ALeaseThatCouldNotBeProvedIsNotLeftBehind) {
  int puts = 0;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.method == "PUT" && ++puts > 1) return BucketForTest::Error(403, "AccessDenied");
    return std::nullopt;
  });
  EXPECT_FAULT(Fault::kUser, "AccessDenied",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_FALSE(server_.Has(LeaseKey(kKey, kProject, "inc_ttl")));
}

// AWS tells those who may not list a bucket that a missing object is forbidden.
TEST_F(BucketRegistryTest, TheLeastRightsLockAView) {
  server_.Before([this](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    const HttpAnswer answer = server_.AnswerOf(request);
    return answer.status == 404 ? BucketForTest::Error(403, "AccessDenied") : answer;
  });
  EXPECT_OK(Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
}

bool IsPut(const ReceivedHttp& request) { return request.method == "PUT"; }

// The writing is done, its answer is not.
TEST_F(BucketRegistryTest, AnAnswerThatWasLostHoldsNobodyOff) {
  bool is_lost = false;
  const auto lose_next = [&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (!IsPut(request) || !std::exchange(is_lost, false)) return std::nullopt;
    server_.AnswerOf(request);
    return BucketForTest::Error(503, "SlowDown");
  };
  server_.Before(lose_next);
  is_lost = true;
  ASSERT_OK_AND_ASSIGN(const auto lock,
                       Open()->LockView(kProject, "inc_ttl", milliseconds(5'000), {}));
  EXPECT_FAULT(Fault::kHeld, "holds view inc_ttl",
               Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  EXPECT_OK(lock->Renew({}));
}

TEST_F(BucketRegistryTest, AConditionThatFailsOnceIsNoLostLease) {
  ASSERT_OK_AND_ASSIGN(const auto lock, Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  bool is_first = true;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (!IsPut(request) || !std::exchange(is_first, false)) return std::nullopt;
    return BucketForTest::Error(409, "ConditionalRequestConflict");
  });
  EXPECT_OK(lock->Renew({}));
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (!IsPut(request)) return std::nullopt;
    return BucketForTest::Error(409, "ConditionalRequestConflict");
  });
  EXPECT_FAULT(Fault::kRemote, "written by others", lock->Renew({}));
}

// Ours ran out, and another takes it between our look at it and our deletion.
TEST_F(BucketRegistryTest, TheEndOfALostLockLeavesTheOthersLease) {
  const std::string key = LeaseKey(kKey, kProject, "inc_ttl");
  ASSERT_OK_AND_ASSIGN(auto lost, Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  bool is_first = true;
  server_.Before([&](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.method != "GET" || !std::exchange(is_first, false)) return std::nullopt;
    const HttpAnswer ours = server_.AnswerOf(request);
    server_.SetLocked(key, "other\n60000\npid 1 on host h\nx\n");
    return ours;
  });
  lost.reset();
  EXPECT_TRUE(server_.Has(key));
}

TEST_F(BucketRegistryTest, ARenewalThatFailsNamesTheView) {
  ASSERT_OK_AND_ASSIGN(const auto lock, Open()->LockView(kProject, "inc_ttl", milliseconds(0), {}));
  server_.Before([](const ReceivedHttp&) { return BucketForTest::Error(503, "SlowDown"); });
  EXPECT_FAULT(Fault::kRemote, "The lease of view inc_ttl", lock->Renew({}));
}

}  // namespace
}  // namespace banquet::bucket_registry
