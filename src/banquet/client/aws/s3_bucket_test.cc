#include "banquet/client/aws/s3_bucket.h"

#include <cstdlib>

#include "banquet/base/testing.h"
#include "banquet/client/aws/bucket_for_test.h"

namespace banquet::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class S3BucketTest : public ::testing::Test {
 protected:
  S3BucketTest() {
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
  }
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        bucket_, S3Bucket::Open({.bucket = "lake", .endpoint = server_.url(), .chain = &chain_}));
  }
  void AnswerWith(const HttpAnswer& answer) {
    server_.Before([answer](const ReceivedHttp&) { return answer; });
  }

  BucketForTest server_;
  CredentialChain chain_{{}};
  std::unique_ptr<S3Bucket> bucket_;
};

TEST_F(S3BucketTest, WhatIsPutIsGot) {
  ASSERT_OK_AND_ASSIGN(const auto nothing, bucket_->Get("a/b c.db"));
  EXPECT_FALSE(nothing.has_value());
  const std::string bytes("\0\xff<>", 4);
  ASSERT_OK_AND_ASSIGN(const PutOutcome outcome, bucket_->Put("a/b c.db", bytes, {}));
  EXPECT_EQ(outcome, PutOutcome::kWritten);
  server_.Advance(7);
  ASSERT_OK_AND_ASSIGN(const auto object, bucket_->Get("a/b c.db"));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->bytes, bytes);
  EXPECT_EQ(object->version, "\"1\"");
  EXPECT_EQ(object->now_s - object->modified_s, 7);
  EXPECT_EQ(object->modified_s, 1'800'000'000);
  ASSERT_OK(bucket_->Delete("a/b c.db"));
  EXPECT_FALSE(server_.Has("a/b c.db"));
  ASSERT_OK(bucket_->Delete("a/b c.db"));
}

TEST_F(S3BucketTest, RequestsAreSignedWithTheirContent) {
  ASSERT_OK(bucket_->Put("k", "body", {.is_absent = true}));
  const ReceivedHttp request = server_.received().at(0);
  EXPECT_EQ(request.target, "/lake/k");
  EXPECT_EQ(request.headers.at("x-amz-content-sha256"), Sha256Hex("body"));
  EXPECT_THAT(request.headers.at("authorization"), HasSubstr("Credential=KEY/"));
  EXPECT_THAT(request.headers.at("authorization"), HasSubstr("/us-east-1/s3/aws4_request"));
  EXPECT_THAT(request.headers.at("authorization"),
              HasSubstr("SignedHeaders=content-type;host;if-none-match;x-amz-content-sha256;"
                        "x-amz-date,"));
}

TEST_F(S3BucketTest, ConditionsAreTheServices) {
  const auto put = [this](const PutCondition& condition) {
    return bucket_->Put("k", "bytes", condition).ValueOrDie();
  };
  EXPECT_EQ(put({.is_absent = false, .version = "\"1\""}), PutOutcome::kChanged);  // Removed.
  EXPECT_EQ(put({.is_absent = true}), PutOutcome::kWritten);
  EXPECT_EQ(put({.is_absent = true}), PutOutcome::kChanged);
  EXPECT_EQ(put({.is_absent = false, .version = "\"1\""}), PutOutcome::kWritten);
  EXPECT_EQ(put({.is_absent = false, .version = "\"1\""}), PutOutcome::kChanged);
  AnswerWith(BucketForTest::Error(409, "ConditionalRequestConflict"));
  EXPECT_EQ(put({.is_absent = true}), PutOutcome::kChanged);
  AnswerWith(BucketForTest::Error(501, "NotImplemented"));
  EXPECT_FAULT(Fault::kUser, "no conditional writes",
               bucket_->Put("k", "bytes", {.is_absent = true}));
}

TEST_F(S3BucketTest, ErrorsSayWhoCanMend) {
  const auto all = [this] {
    return std::vector<Status>{bucket_->Get("k").status(), bucket_->Put("k", "", {}).status(),
                               bucket_->Delete("k")};
  };
  AnswerWith(BucketForTest::Error(404, "NoSuchBucket"));
  for (const Status& status : all()) EXPECT_FAULT(Fault::kUser, "a bucket that is there", status);
  AnswerWith(BucketForTest::Error(403, "AccessDenied"));
  for (const Status& status : all()) {
    EXPECT_FAULT(Fault::kUser, "s3://lake/k", status);
    EXPECT_THAT(status.message(), HasSubstr("told so"));
    EXPECT_THAT(status.message(), Not(HasSubstr("s3cret")));
  }
  for (const int code : {500, 503, 429}) {
    AnswerWith(BucketForTest::Error(code, "SlowDown"));
    for (const Status& status : all()) {
      EXPECT_FAULT(Fault::kRemote, "SlowDown", status);
      EXPECT_TRUE(IsRetryable(status));
    }
  }
  AnswerWith(BucketForTest::Error(405, "MethodNotAllowed"));
  for (const Status& status : all()) {
    EXPECT_FAULT(Fault::kRemote, "MethodNotAllowed", status);
    EXPECT_FALSE(IsRetryable(status));
  }
}

TEST_F(S3BucketTest, ABucketIsAskedInItsOwnRegion) {
  server_.Before([](const ReceivedHttp& request) -> std::optional<HttpAnswer> {
    if (request.headers.at("authorization").find("/eu-west-1/s3/") != std::string::npos)
      return std::nullopt;
    return BucketForTest::Error(301, "PermanentRedirect", {"x-amz-bucket-region: eu-west-1"});
  });
  ASSERT_OK(bucket_->Put("k", "bytes", {}));
  EXPECT_EQ(server_.Bytes("k"), "bytes");
  ASSERT_OK(bucket_->Put("k", "again", {}));
  EXPECT_EQ(server_.received().size(), 3U);  // Asked for once.
  AnswerWith(BucketForTest::Error(301, "PermanentRedirect", {"x-amz-bucket-region: elsewhere"}));
  EXPECT_FAULT(Fault::kRemote, "PermanentRedirect", bucket_->Get("k"));
}

TEST_F(S3BucketTest, KeysThatExpiredAreAskedForAnewOnce) {
  int refused = 0;
  server_.Before([&refused](const ReceivedHttp&) -> std::optional<HttpAnswer> {
    if (++refused > 1) return std::nullopt;
    return BucketForTest::Error(400, "ExpiredToken");
  });
  EXPECT_OK(bucket_->Put("k", "bytes", {}));
  AnswerWith(BucketForTest::Error(400, "ExpiredToken"));
  EXPECT_FAULT(Fault::kRemote, "ExpiredToken", bucket_->Get("k"));
}

TEST_F(S3BucketTest, AnAnswerWithoutWhatLeasesNeedIsAnError) {
  for (const std::vector<std::string>& headers : std::vector<std::vector<std::string>>{
           {},
           {"ETag: \"1\"", "Date: Sun, 06 Nov 1994 08:49:37 GMT"},
           {"ETag: \"1\"", "Last-Modified: yesterday", "Date: Sun, 06 Nov 1994 08:49:37 GMT"}}) {
    AnswerWith({.body = "bytes", .headers = headers});
    EXPECT_FAULT(Fault::kRemote, "tells no ETag", bucket_->Get("k"));
  }
}

TEST_F(S3BucketTest, AServerThatClosesIsRemote) {
  AnswerWith({.raw = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", .close = true});
  const auto got = bucket_->Get("k");
  EXPECT_FAULT(Fault::kRemote, "s3://lake", got);
  EXPECT_TRUE(IsRetryable(got.status()));
}

}  // namespace
}  // namespace banquet::aws
