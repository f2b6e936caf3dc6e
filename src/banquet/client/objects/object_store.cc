#include "banquet/client/objects/object_store.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/filesystem/filesystem.h"
#include "arrow/filesystem/gcsfs.h"
#include "arrow/filesystem/localfs.h"
#include "arrow/io/interfaces.h"
#include "arrow/util/config.h"
#include "arrow/util/key_value_metadata.h"
#include "banquet/base/environment.h"
#include "banquet/client/aws/credential_chain.h"

namespace banquet::objects {
namespace {

constexpr std::string_view kS3 = "s3";
constexpr std::string_view kGcs = "gs";
constexpr std::string_view kLocal = "file";

// What differs when an object was written to, among what the stores tell of it.
constexpr std::string_view kVersionKeys[] = {"ETag", "etag", "generation", "Last-Modified",
                                             "updated"};

// For all attempts at one request; Google's own default is a quarter of an hour, also without any
// credentials.
constexpr std::chrono::milliseconds kGcsRetryMax(30'000);

struct SplitUri {
  std::string_view scheme;  // kS3, kGcs, kLocal, or empty: another.
  std::string prefix;       // As written, with "://".
  std::string path;         // bucket/key, without slashes at its end.
  std::string bucket() const { return path.substr(0, path.find('/')); }
};

SplitUri Split(std::string_view uri) {
  const size_t colon = uri.find("://");
  if (colon == std::string_view::npos) {
    SplitUri split{.scheme = kLocal, .prefix = {}, .path = std::string(uri)};
    while (split.path.ends_with('/')) split.path.pop_back();
    return split;
  }
  const std::string_view written = uri.substr(0, colon);
  SplitUri split;
  if (written == "s3" || written == "s3a") split.scheme = kS3;
  if (written == "gs" || written == "gcs") split.scheme = kGcs;
  split.prefix = uri.substr(0, colon + 3);
  split.path = uri.substr(colon + 3);
  while (split.path.ends_with('/')) split.path.pop_back();
  return split;
}

struct Endpoint {
  std::string scheme;
  std::string address;  // host:port
};

// "http://host:port/" in two; without a scheme it is https.
Endpoint EndpointOf(std::string url) {
  Endpoint endpoint{.scheme = "https", .address = {}};
  if (const size_t colon = url.find("://"); colon != std::string::npos) {
    endpoint.scheme = url.substr(0, colon);
    url.erase(0, colon + 3);
  }
  while (url.ends_with('/')) url.pop_back();
  endpoint.address = std::move(url);
  return endpoint;
}

// Arrow's wheel keeps S3 in a library of its own beside libarrow, which nothing else needs to load;
// where there is none, libarrow holds it, or says that it does not.
Status LoadS3() {
  static const Status status = []() -> Status {
    Dl_info arrow_library = {};
    if (::dladdr(reinterpret_cast<const void*>(&arrow::fs::EnsureFinalized), &arrow_library) == 0)
      return Bug("libarrow cannot be found");
    const std::string arrow_path = arrow_library.dli_fname;
    const std::string folder = arrow_path.substr(0, arrow_path.rfind('/') + 1);
    const std::string path = folder + "libarrow_s3.so." ARROW_SO_VERSION;
    if (::access(path.c_str(), F_OK) != 0) return Status::OK();
    const Status loaded = arrow::fs::LoadFileSystemFactories(path.c_str());
    if (loaded.ok()) return loaded;
    return UserError("Arrow's S3 library cannot be loaded: {}: {}", path, loaded.message());
  }();
  return status;
}

// What a person can use of an error: Google's client repeats it all among its own notes.
std::string OneLine(std::string text) {
  if (const size_t notes = text.find(" error_info="); notes != std::string::npos)
    text.resize(notes);
  std::ranges::replace(text, '\n', ' ');
  return text;
}

bool Says(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

enum class Doing { kRead, kWrite };

// Both stores' errors come as text with HTTP's or their own words in it.
// What is on this machine is its user's to mend.
Status ErrorOf(const Status& status, const std::string& uri, Doing doing) {
  if (dynamic_cast<const FaultDetail*>(status.detail().get()) != nullptr) return status;
  const std::string text = OneLine(status.message());
  if (Says(text, {"NO_SUCH_BUCKET", "NoSuchBucket", "bucket does not exist"}))
    return UserError("The bucket does not exist: {}: {}", uri, text);
  if (Says(text,
           {"OAuth2 access token", "ACCESS_DENIED", "AccessDenied", "HTTP status 403", "Forbidden",
            "SIGNATURE_DOES_NOT_MATCH", "INVALID_ACCESS_KEY_ID", "InvalidAccessKeyId",
            "HTTP status 401", "UNAUTHENTICATED", "PERMISSION_DENIED"})) {
    return UserError("No right to {}, or wrong credentials: {}: {}",
                     doing == Doing::kRead ? "read" : "write", uri, text);
  }
  if (status.IsInvalid()) return UserError("{}: {}", uri, text);
  const std::string_view done = doing == Doing::kRead ? "read" : "written";
  if (!IsObjectUri(uri)) return UserError("Cannot be {}: {}: {}", done, uri, text);
  return RemoteError({.retryable = true}, "Cannot be {}: {}: {}", done, uri, text);
}

template <typename T>
Result<T> AtTheStore(Result<T> result, const std::string& uri, Doing doing = Doing::kRead) {
  if (!result.ok()) return ErrorOf(result.status(), uri, doing);
  return result;
}

Status Written(const Status& status, const std::string& uri) {
  return status.ok() ? status : ErrorOf(status, uri, Doing::kWrite);
}

ListedPath InfoOf(const arrow::fs::FileInfo& found, const std::string& prefix) {
  ListedPath info{.uri = prefix + found.path(), .size = std::max<int64_t>(found.size(), 0)};
  while (info.uri.ends_with('/')) info.uri.pop_back();
  if (found.type() == arrow::fs::FileType::File) info.kind = ListedPath::Kind::kObject;
  if (found.type() == arrow::fs::FileType::Directory) info.kind = ListedPath::Kind::kFolder;
  return info;
}

// The folders that an object's name implies, below the first `from` letters of its URI.
void AddFoldersAbove(const std::string& uri, size_t from,
                     std::map<std::string, ListedPath>* infos) {
  for (size_t slash = uri.find('/', from); slash != std::string::npos;
       slash = uri.find('/', slash + 1)) {
    const std::string folder = uri.substr(0, slash);
    infos->try_emplace(folder, ListedPath{.uri = folder, .kind = ListedPath::Kind::kFolder});
  }
}

// What is read of an object fails as the other calls of its store do.
class ObjectFile final : public arrow::io::RandomAccessFile {
 public:
  ObjectFile(std::shared_ptr<arrow::io::RandomAccessFile> inner, std::string uri)
      : inner_(std::move(inner)), uri_(std::move(uri)) {}

  Status Close() override { return Told(inner_->Close()); }
  bool closed() const override { return inner_->closed(); }
  Result<int64_t> Tell() const override { return AtTheStore(inner_->Tell(), uri_); }
  Status Seek(int64_t position) override { return Told(inner_->Seek(position)); }
  Result<int64_t> GetSize() override { return AtTheStore(inner_->GetSize(), uri_); }
  Result<int64_t> Read(int64_t count, void* out) override {
    return AtTheStore(inner_->Read(count, out), uri_);
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t count) override {
    return AtTheStore(inner_->Read(count), uri_);
  }
  Result<int64_t> ReadAt(int64_t position, int64_t count, void* out) override {
    return AtTheStore(inner_->ReadAt(position, count, out), uri_);
  }
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t count) override {
    return AtTheStore(inner_->ReadAt(position, count), uri_);
  }

 private:
  Status Told(const Status& status) const {
    return status.ok() ? status : ErrorOf(status, uri_, Doing::kRead);
  }

  const std::shared_ptr<arrow::io::RandomAccessFile> inner_;
  const std::string uri_;
};

// What is written to an object fails as the other calls of its store do.
class ObjectStream final : public arrow::io::OutputStream {
 public:
  ObjectStream(std::shared_ptr<arrow::io::OutputStream> inner, std::string uri)
      : inner_(std::move(inner)), uri_(std::move(uri)) {}

  Status Close() override { return Written(inner_->Close(), uri_); }
  Status Abort() override { return Written(inner_->Abort(), uri_); }
  bool closed() const override { return inner_->closed(); }
  Result<int64_t> Tell() const override { return AtTheStore(inner_->Tell(), uri_, Doing::kWrite); }
  Status Write(const void* data, int64_t size) override {
    return Written(inner_->Write(data, size), uri_);
  }
  Status Write(const std::shared_ptr<arrow::Buffer>& data) override {
    return Written(inner_->Write(data), uri_);
  }

 private:
  const std::shared_ptr<arrow::io::OutputStream> inner_;
  const std::string uri_;
};

std::string VersionOf(const arrow::KeyValueMetadata* metadata, int64_t size) {
  std::string version = std::to_string(size);
  if (metadata == nullptr) return version;
  for (const std::string_view key : kVersionKeys) {
    const int found = metadata->FindKey(key);
    if (found >= 0) version += " " + metadata->value(found);
  }
  return version;
}

// Without a region and an endpoint, Arrow asks AWS where the bucket is.
Result<std::shared_ptr<arrow::fs::FileSystem>> MakeS3(const StoreSettings& settings,
                                                      const std::string& bucket,
                                                      const aws::Credentials& keys) {
  BANQUET_RETURN_NOT_OK(LoadS3());
  std::string url = settings.s3_endpoint;
  if (url.empty()) url = FirstOfEnvironment({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  std::string region = FirstOfEnvironment({"AWS_REGION", "AWS_DEFAULT_REGION"});
  std::string uri = "s3://" + bucket;
  if (!url.empty()) {
    const Endpoint endpoint = EndpointOf(url);
    if (region.empty()) region = "us-east-1";
    uri += "?scheme=" + endpoint.scheme + "&endpoint_override=" + endpoint.address;
  }
  if (!region.empty()) uri += (url.empty() ? "?region=" : "&region=") + region;
  arrow::fs::FileSystemFactoryOptions options = {{"access_key", keys.access_key_id},
                                                 {"secret_key", keys.secret_access_key}};
  if (!keys.session_token.empty()) options.emplace_back("session_token", keys.session_token);
  return arrow::fs::FileSystemFromUriAndOptions(uri, options);
}

Result<std::shared_ptr<arrow::fs::FileSystem>> MakeGcs(const StoreSettings& settings) {
  const std::string emulator = FirstOfEnvironment({"STORAGE_EMULATOR_HOST"});
  arrow::fs::GcsOptions options = settings.anonymous || !emulator.empty()
                                      ? arrow::fs::GcsOptions::Anonymous()
                                      : arrow::fs::GcsOptions::Defaults();
  options.retry_limit_seconds =
      std::chrono::duration<double>(std::min(settings.stall_timeout, kGcsRetryMax)).count();
  if (!emulator.empty()) {
    const Endpoint endpoint = EndpointOf(emulator);
    options.scheme = endpoint.scheme;
    options.endpoint_override = endpoint.address;
    options.retry_limit_seconds = std::chrono::duration<double>(settings.connect_timeout).count();
  }
  return arrow::fs::GcsFileSystem::Make(options);
}

}  // namespace

// A file system, and for whom it was made.
class ObjectStore::Access {
 public:
  Access(std::shared_ptr<arrow::fs::FileSystem> made, aws::Credentials made_for)
      : files(std::move(made)), keys(std::move(made_for)) {}
  const std::shared_ptr<arrow::fs::FileSystem> files;
  const aws::Credentials keys;
};

bool IsObjectUri(std::string_view path) {
  const std::string_view scheme = Split(path).scheme;
  return scheme == kS3 || scheme == kGcs;
}

ObjectStore::ObjectStore(StoreSettings settings)
    : settings_(std::move(settings)),
      chain_(std::make_unique<aws::CredentialChain>(
          aws::ChainSettings{.region = FirstOfEnvironment({"AWS_REGION", "AWS_DEFAULT_REGION"}),
                             .connect_timeout = settings_.connect_timeout,
                             .stall_timeout = settings_.stall_timeout,
                             .stop = settings_.stop,
                             .clock = settings_.clock})) {}

ObjectStore::~ObjectStore() = default;

Result<std::shared_ptr<ObjectStore::Access>> ObjectStore::AccessOf(const std::string& uri) {
  const SplitUri split = Split(uri);
  const std::lock_guard lock(mutex_);
  if (split.scheme == kLocal) {
    if (local_ == nullptr) {
      local_ = std::make_shared<Access>(std::make_shared<arrow::fs::LocalFileSystem>(),
                                        aws::Credentials{});
    }
    return local_;
  }
  if (split.scheme == kGcs) {
    if (gcs_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(auto made, AtTheStore(MakeGcs(settings_), uri));
      gcs_ = std::make_shared<Access>(std::move(made), aws::Credentials{});
    }
    return gcs_;
  }
  aws::Credentials keys;  // Empty ones: requests are not signed.
  if (!settings_.anonymous) {
    BANQUET_ASSIGN_OR_RETURN(keys, chain_->Get());
  }
  // Keys that expire are replaced by others: so is what was made for them.
  std::shared_ptr<Access>& access = s3_[split.bucket()];
  if (access == nullptr || !(access->keys == keys)) {
    BANQUET_ASSIGN_OR_RETURN(auto made, AtTheStore(MakeS3(settings_, split.bucket(), keys), uri));
    access = std::make_shared<Access>(std::move(made), std::move(keys));
  }
  return access;
}

Result<ListedPath> ObjectStore::Look(const std::string& uri) {
  const SplitUri split = Split(uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(uri));
  BANQUET_ASSIGN_OR_RETURN(const arrow::fs::FileInfo info,
                           AtTheStore(access->files->GetFileInfo(split.path), uri));
  return InfoOf(info, split.prefix);
}

Result<std::vector<ListedPath>> ObjectStore::List(const std::string& folder_uri, bool below) {
  const SplitUri split = Split(folder_uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(folder_uri));
  arrow::fs::FileSelector selector;
  selector.base_dir = split.path;
  // Of GCS, Arrow lists objects alone; a folder shows only in what lies below it.
  selector.recursive = below || split.scheme == kGcs;
  selector.allow_not_found = true;
  BANQUET_ASSIGN_OR_RETURN(const std::vector<arrow::fs::FileInfo> found,
                           AtTheStore(access->files->GetFileInfo(selector), folder_uri));
  const std::string folder = split.prefix + split.path + "/";
  std::map<std::string, ListedPath> infos;
  for (const arrow::fs::FileInfo& info : found) {
    ListedPath object = InfoOf(info, split.prefix);
    AddFoldersAbove(object.uri, folder.size(), &infos);
    infos.insert_or_assign(object.uri, std::move(object));
  }
  std::vector<ListedPath> listed;
  for (auto& [uri, info] : infos) {
    if (below || uri.find('/', folder.size()) == std::string::npos)
      listed.push_back(std::move(info));
  }
  return listed;
}

Result<OpenObject> ObjectStore::Open(const std::string& uri) {
  const SplitUri split = Split(uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(uri));
  BANQUET_ASSIGN_OR_RETURN(const auto file,
                           AtTheStore(access->files->OpenInputFile(split.path), uri));
  BANQUET_ASSIGN_OR_RETURN(const int64_t size, AtTheStore(file->GetSize(), uri));
  BANQUET_ASSIGN_OR_RETURN(const auto metadata, AtTheStore(file->ReadMetadata(), uri));
  return OpenObject{.file = std::make_shared<ObjectFile>(file, uri),
                    .version = VersionOf(metadata.get(), size)};
}

Result<std::shared_ptr<arrow::io::OutputStream>> ObjectStore::Create(const std::string& uri) {
  const SplitUri split = Split(uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(uri));
  if (split.scheme == kLocal) {
    const std::string folder = split.path.substr(0, split.path.rfind('/'));
    BANQUET_RETURN_NOT_OK(Written(access->files->CreateDir(folder, /*recursive=*/true), uri));
  }
  BANQUET_ASSIGN_OR_RETURN(
      auto stream, AtTheStore(access->files->OpenOutputStream(split.path), uri, Doing::kWrite));
  return std::make_shared<ObjectStream>(std::move(stream), uri);
}

Status ObjectStore::Remove(const std::string& uri) {
  const SplitUri split = Split(uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(uri));
  BANQUET_ASSIGN_OR_RETURN(const ListedPath found, Look(uri));
  if (found.kind != ListedPath::Kind::kObject) return Status::OK();
  return Written(access->files->DeleteFile(split.path), uri);
}

Status ObjectStore::RemoveFolder(const std::string& uri) {
  const SplitUri split = Split(uri);
  BANQUET_ASSIGN_OR_RETURN(const auto access, AccessOf(uri));
  BANQUET_ASSIGN_OR_RETURN(const ListedPath found, Look(uri));
  if (found.kind != ListedPath::Kind::kFolder) return Status::OK();
  if (split.scheme != kGcs) return Written(access->files->DeleteDir(split.path), uri);
  // Arrow takes away an object in the folder's own name too, and fails where there is none.
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ListedPath> listed, List(uri, /*below=*/true));
  for (const ListedPath& path : listed) {
    if (path.kind != ListedPath::Kind::kObject) continue;
    BANQUET_RETURN_NOT_OK(Written(access->files->DeleteFile(Split(path.uri).path), uri));
  }
  return Status::OK();
}

FileSystemsEnd::~FileSystemsEnd() { arrow::fs::EnsureFinalized(); }

}  // namespace banquet::objects
