#include "banquet/client/google/gcs_bucket.h"

#include <nlohmann/json.hpp>

#include "banquet/base/percent_text.h"
#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"
#include "banquet/client/http/scripted_server.h"

namespace banquet::google {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kDate[] = "Date: Fri, 15 Jan 2027 08:00:07 GMT";
constexpr int64_t kNowS = 1'800'000'007;

HttpAnswer Error(int status, const std::string& message) {
  return {.status = status,
          .body = R"({"error":{"code":)" + std::to_string(status) + R"(,"message":")" + message +
                  R"("}})"};
}

HttpAnswer Metadata(const std::string& generation) {
  return {.body = R"({"generation":")" + generation +
                  R"(","timeCreated":"2027-01-15T08:00:00.250000Z"})",
          .headers = {kDate}};
}

class GcsBucketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        bucket_, GcsBucket::Open({.bucket = "lake", .endpoint = server_.url(), .clock = &clock_}));
  }
  void AnswerWith(const HttpAnswer& answer) {
    script_ = [answer](const ReceivedHttp&) { return answer; };
  }
  Result<PutOutcome> Put(const PutCondition& condition) {
    return bucket_->Put("a/b c", "bytes", condition);
  }

  ScriptedHttpServer::Script script_;
  ScriptedHttpServer server_{[this](const ReceivedHttp& request) { return script_(request); }};
  ManualClock clock_{kNowS * 1'000'000};
  std::unique_ptr<GcsBucket> bucket_;
};

TEST_F(GcsBucketTest, BytesAreThoseOfTheGenerationThatIsTold) {
  script_ = [](const ReceivedHttp& request) -> HttpAnswer {
    if (request.target.find("alt=media") == std::string::npos) return Metadata("17");
    return {.body = std::string("\0\xff<>", 4)};
  };
  ASSERT_OK_AND_ASSIGN(const auto object, bucket_->Get("a/b c"));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->bytes, std::string("\0\xff<>", 4));
  EXPECT_EQ(object->version, "17");
  EXPECT_EQ(object->modified_s, 1'800'000'000);
  EXPECT_EQ(object->now_s, kNowS);
  const auto received = server_.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].target, "/storage/v1/b/lake/o/a%2Fb%20c");
  EXPECT_EQ(received[1].target, "/storage/v1/b/lake/o/a%2Fb%20c?alt=media&generation=17");
}

TEST_F(GcsBucketTest, AnObjectThatIsReplacedMeanwhileIsReadAnew) {
  int looks = 0;
  script_ = [&](const ReceivedHttp& request) -> HttpAnswer {
    if (request.target.find("alt=media") == std::string::npos)
      return Metadata(std::to_string(++looks));
    return request.target.ends_with("=2") ? HttpAnswer{.body = "second"} : Error(404, "Not Found");
  };
  ASSERT_OK_AND_ASSIGN(const auto object, bucket_->Get("k"));
  EXPECT_EQ(object->bytes, "second");
  EXPECT_EQ(object->version, "2");
  script_ = [](const ReceivedHttp& request) {
    return request.target.find("alt=media") == std::string::npos ? Metadata("1")
                                                                 : Error(404, "Not Found");
  };
  EXPECT_FAULT(Fault::kRemote, "replaced all the time", bucket_->Get("k"));
}

TEST_F(GcsBucketTest, WhatIsNotThereIsNothing) {
  AnswerWith(Error(404, "No such object: lake/k"));
  ASSERT_OK_AND_ASSIGN(const auto object, bucket_->Get("k"));
  EXPECT_FALSE(object.has_value());
  EXPECT_OK(bucket_->Delete("k"));
  EXPECT_EQ(server_.received().back().method, "DELETE");
  AnswerWith({.status = 204});
  EXPECT_OK(bucket_->Delete("k"));
}

TEST_F(GcsBucketTest, ConditionsAreGenerations) {
  AnswerWith({});
  ASSERT_OK_AND_ASSIGN(PutOutcome outcome, Put({}));
  EXPECT_EQ(outcome, PutOutcome::kWritten);
  EXPECT_EQ(server_.received().back().target, "/upload/storage/v1/b/lake/o?uploadType=multipart");
  ASSERT_OK(Put({.is_absent = true}));
  EXPECT_THAT(server_.received().back().target, HasSubstr("&ifGenerationMatch=0"));
  ASSERT_OK(Put({.is_absent = false, .version = "17"}));
  EXPECT_THAT(server_.received().back().target, HasSubstr("&ifGenerationMatch=17"));
  for (const int status : {412, 409}) {
    AnswerWith(Error(status, "At least one of the pre-conditions you specified did not hold."));
    ASSERT_OK_AND_ASSIGN(outcome, Put({.is_absent = true}));
    EXPECT_EQ(outcome, PutOutcome::kChanged);
  }
}

TEST_F(GcsBucketTest, AnUploadNamesItsObjectAndHoldsItsBytes) {
  AnswerWith({});
  ASSERT_OK(Put({}));
  const ReceivedHttp request = server_.received().back();
  const std::string type = request.headers.at("content-type");
  ASSERT_THAT(type, StartsWith("multipart/related; boundary="));
  const std::string boundary = "--" + type.substr(type.find('=') + 1);
  EXPECT_EQ(request.body, boundary + "\r\ncontent-type: application/json\r\n\r\n" +
                              R"({"name":"a/b c"})" + "\r\n" + boundary +
                              "\r\ncontent-type: application/octet-stream\r\n\r\nbytes\r\n" +
                              boundary + "--\r\n");
}

// One write of an object a second is all that the service takes.
TEST_F(GcsBucketTest, AWriteThatComesTooSoonIsTriedAgain) {
  int refused = 0;
  script_ = [&](const ReceivedHttp&) -> HttpAnswer {
    if (++refused > 2) return {};
    return Error(429, "rate of change");
  };
  const int64_t began_us = clock_.NowUs();
  ASSERT_OK_AND_ASSIGN(const PutOutcome outcome, Put({}));
  EXPECT_EQ(outcome, PutOutcome::kWritten);
  EXPECT_EQ(clock_.NowUs() - began_us, 2'200'000);
  refused = 1;
  EXPECT_OK(bucket_->Delete("k"));
  AnswerWith(Error(429, "rate of change"));
  const auto given_up = Put({});
  EXPECT_FAULT(Fault::kRemote, "rate of change", given_up);
  EXPECT_TRUE(IsRetryable(given_up.status()));
}

TEST_F(GcsBucketTest, ErrorsSayWhoCanMend) {
  const auto all = [this] {
    return std::vector<Status>{bucket_->Get("k").status(), bucket_->Put("k", "", {}).status(),
                               bucket_->Delete("k")};
  };
  AnswerWith(Error(404, "The specified bucket does not exist."));
  for (const Status& status : all()) EXPECT_FAULT(Fault::kUser, "a bucket that is there", status);
  for (const int code : {401, 403}) {
    AnswerWith(Error(code, "told so"));
    for (const Status& status : all()) {
      EXPECT_FAULT(Fault::kUser, "gs://lake/k", status);
      EXPECT_THAT(status.message(), HasSubstr("told so"));
    }
  }
  for (const int code : {500, 503, 429, 408}) {
    AnswerWith(Error(code, "told so"));
    for (const Status& status : all()) {
      EXPECT_FAULT(Fault::kRemote, "told so", status);
      EXPECT_TRUE(IsRetryable(status));
    }
  }
  AnswerWith({.status = 400, .body = "<html>\nlong"});
  for (const Status& status : all()) {
    EXPECT_FAULT(Fault::kRemote, "400 <html>", status);
    EXPECT_FALSE(IsRetryable(status));
  }
}

TEST_F(GcsBucketTest, AnAnswerWithoutWhatLeasesNeedIsAnError) {
  for (const HttpAnswer& answer :
       {HttpAnswer{.body = "no json", .headers = {kDate}},
        HttpAnswer{.body = R"({"timeCreated":"2027-01-15T08:00:00Z"})", .headers = {kDate}},
        HttpAnswer{.body = R"({"generation":"1","timeCreated":"lately"})", .headers = {kDate}},
        HttpAnswer{.body = R"({"generation":"1","timeCreated":"2027-01-15T08:00:00Z"})"}}) {
    AnswerWith(answer);
    EXPECT_FAULT(Fault::kRemote, "tells no generation", bucket_->Get("k"));
  }
  script_ = [](const ReceivedHttp& request) {
    return request.target.find("alt=media") == std::string::npos ? Metadata("1")
                                                                 : Error(403, "told so");
  };
  EXPECT_FAULT(Fault::kUser, "told so", bucket_->Get("k"));
}

TEST_F(GcsBucketTest, AServerThatClosesIsRemote) {
  AnswerWith({.raw = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", .close = true});
  for (const Status& status :
       {bucket_->Get("k").status(), Put({}).status(), bucket_->Delete("k")}) {
    EXPECT_FAULT(Fault::kRemote, "gs://lake", status);
    EXPECT_TRUE(IsRetryable(status));
  }
}

}  // namespace
}  // namespace banquet::google
