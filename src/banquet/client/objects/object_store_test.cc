#include "banquet/client/objects/object_store.h"

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/temporary_directory.h"
#include "banquet/client/process/server_for_test.h"

namespace banquet::objects {
namespace {

TEST(IsObjectUriTest, KnowsTheStoresByTheirWords) {
  for (const char* uri : {"s3://b/k", "s3a://b/k", "gs://b/k", "gcs://b", "s3://"}) {
    EXPECT_TRUE(IsObjectUri(uri)) << uri;
  }
  for (const char* path : {"", "/s3/b", "data/x.parquet", "file:///x", "hdfs://n/x", "s3:/b"}) {
    EXPECT_FALSE(IsObjectUri(path)) << path;
  }
}

// Who asks for credentials finds none and asks nobody.
class WithoutCredentials {
 public:
  WithoutCredentials() {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE",
          "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
          "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
      unsetenv(name);
    }
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", folder_.File("none").c_str(), 1);
    setenv("AWS_CONFIG_FILE", folder_.File("none").c_str(), 1);
  }

 private:
  TemporaryDirectory folder_;
};

TEST(ObjectStoreTest, WithoutCredentialsNothingIsAsked) {
  const WithoutCredentials nobody;
  ObjectStore store({.s3_endpoint = "http://127.0.0.1:1"});
  EXPECT_FAULT(Fault::kUser, "AWS_ACCESS_KEY_ID", store.Look("s3://bucket/key"));
  EXPECT_FAULT(Fault::kUser, "AWS_ACCESS_KEY_ID", store.List("s3://bucket", true));
  EXPECT_FAULT(Fault::kUser, "AWS_ACCESS_KEY_ID", store.Open("s3://bucket/key"));
}

TEST(ObjectStoreTest, AServerThatIsNotThereMayComeBack) {
  const FileSystemsEnd end;
  ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  setenv("STORAGE_EMULATOR_HOST", url.c_str(), 1);
  ObjectStore store(
      {.s3_endpoint = url, .anonymous = true, .connect_timeout = std::chrono::milliseconds(100)});
  for (const char* uri : {"s3://bucket/key", "gs://bucket/key"}) {
    const Status status = store.Look(uri).status();
    EXPECT_FAULT(Fault::kRemote, uri, status);
    EXPECT_TRUE(IsRetryable(status)) << status.ToString();
  }
  unsetenv("STORAGE_EMULATOR_HOST");
}

}  // namespace
}  // namespace banquet::objects
