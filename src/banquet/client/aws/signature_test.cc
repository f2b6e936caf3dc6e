// AWS's published vectors: the test suite of Signature Version 4 (AKIDEXAMPLE, 2015-08-30,
// us-east-1, service) and the worked example of the General Reference (iam).

#include "banquet/client/aws/signature.h"

#include "banquet/base/testing.h"
#include "banquet/base/time_text.h"

namespace banquet::aws {
namespace {

const Credentials kExample = {.access_key_id = "AKIDEXAMPLE",
                              .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

int64_t Aug30() { return *ParseInstant("2015-08-30T12:36:00Z"); }

std::string SignatureOf(const SigningRequest& request, std::string_view service = "service",
                        const Credentials& credentials = kExample) {
  const auto headers =
      SignatureHeaders(request, {.region = "us-east-1", .service = service}, credentials, Aug30());
  const std::string& authorization = headers.back();
  return authorization.substr(authorization.find("Signature=") + 10);
}

SigningRequest Request(std::string_view method = "GET") {
  return {.method = method, .host = "example.amazonaws.com"};
}

TEST(Signature, GetVanilla) {
  EXPECT_EQ(SignatureOf(Request()),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Signature, PostVanilla) {
  EXPECT_EQ(SignatureOf(Request("POST")),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(Signature, GetVanillaQueryOrderKeyCase) {
  SigningRequest request = Request();
  request.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(SignatureOf(request),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(Signature, PostFormUrlEncoded) {
  SigningRequest request = Request("POST");
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = "Param1=value1";
  EXPECT_EQ(SignatureOf(request),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST(Signature, GetHeaderValueTrimAndOrder) {
  SigningRequest request = Request();
  request.headers = {{"my-header2", " \"a   b   c\""}, {"my-header1", " value1"}};
  EXPECT_EQ(SignatureOf(request),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(Signature, TheWorkedExampleOfTheGeneralReference) {
  SigningRequest request{.method = "GET", .host = "iam.amazonaws.com"};
  request.query = {{"Action", "ListUsers"}, {"Version", "2010-05-08"}};
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  EXPECT_EQ(SignatureOf(request, "iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(Signature, ATokenIsSentAndSigned) {
  Credentials credentials = kExample;
  credentials.session_token = "token";
  const auto headers = SignatureHeaders(Request(), {.region = "us-east-1", .service = "service"},
                                        credentials, Aug30());
  EXPECT_THAT(headers, ::testing::Contains("x-amz-security-token: token"));
  EXPECT_THAT(headers, ::testing::Contains("x-amz-date: 20150830T123600Z"));
  EXPECT_THAT(headers.back(),
              ::testing::HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
  EXPECT_THAT(
      headers.back(),
      ::testing::HasSubstr("Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"));
}

TEST(Signature, TheSecretIsNowhereInTheHeaders) {
  for (const std::string& header :
       SignatureHeaders(Request(), {.region = "us-east-1", .service = "service"}, kExample, 0)) {
    EXPECT_EQ(header.find(kExample.secret_access_key), std::string::npos);
  }
}

}  // namespace
}  // namespace banquet::aws
