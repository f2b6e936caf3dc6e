#pragma once
// Objects on S3 and GCS, and this machine's files, through Arrow's file systems; the only folder
// that sees arrow/filesystem/.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"

namespace arrow::fs {
class FileSystem;
}
namespace arrow::io {
class OutputStream;
class RandomAccessFile;
}  // namespace arrow::io
namespace banquet::aws {
class CredentialChain;
}

namespace banquet::objects {

// Whether a path names an object or a folder of them: s3://bucket/…, s3a://…, gs://… or gcs://….
bool IsObjectUri(std::string_view path);

struct StoreSettings {
  // Of S3: "http://host:port"; empty: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS itself. Of GCS
  // the environment alone says so (STORAGE_EMULATOR_HOST, which is met without credentials).
  std::string s3_endpoint;
  bool anonymous = false;  // No credentials are looked for: public buckets.
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::stop_token stop;
  Clock* clock = &SystemClock();  // Borrowed.
};

struct ListedPath {
  enum class Kind { kMissing, kObject, kFolder };
  std::string uri;
  Kind kind = Kind::kMissing;
  int64_t size = 0;
};

// An object being read. Its file may be read by several threads at once.
struct OpenObject {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::string version;  // Another one: the object was written to.
};

// The objects that one endpoint and one identity reach; a path without a scheme is this machine's.
// Safe to share between threads.
//
// Who we are to S3 is what our own chain says (client/aws), asked anew before it expires; to GCS,
// Google's application default credentials. Errors: a bucket that is not there, credentials that
// are wrong or lack a right are the user's; a server that does not answer is a remote error.
class ObjectStore {
 public:
  explicit ObjectStore(StoreSettings settings);
  ~ObjectStore();

  Result<ListedPath> Look(const std::string& uri);
  // What lies in a folder, sorted by name; `below`: at any depth. A folder that is not there is
  // empty.
  Result<std::vector<ListedPath>> List(const std::string& folder_uri, bool below);
  Result<OpenObject> Open(const std::string& uri);
  // To be written; an object is there once its stream is closed. On this machine the folders above
  // are made.
  Result<std::shared_ptr<arrow::io::OutputStream>> Create(const std::string& uri);
  // Takes an object or a file away; nothing where there is none.
  Status Remove(const std::string& uri);
  // Takes a folder away with all that lies in it; nothing where there is none. Object stores keep
  // an empty object in the name of the folder above, as Arrow's file systems do.
  Status RemoveFolder(const std::string& uri);

 private:
  class Access;
  Result<std::shared_ptr<Access>> AccessOf(const std::string& uri);

  const StoreSettings settings_;
  std::mutex mutex_;
  std::unique_ptr<aws::CredentialChain> chain_;
  std::map<std::string, std::shared_ptr<Access>> s3_;  // By bucket.
  std::shared_ptr<Access> gcs_;
  std::shared_ptr<Access> local_;
};

// Ends what Arrow's file systems began, at the end of main: AWS's library must not outlive it.
class FileSystemsEnd {
 public:
  FileSystemsEnd() = default;
  ~FileSystemsEnd();
  FileSystemsEnd(const FileSystemsEnd&) = delete;
  FileSystemsEnd& operator=(const FileSystemsEnd&) = delete;
};

}  // namespace banquet::objects
