#include "banquet/builtin/registries.h"

#include <cctype>
#include <string_view>
#include <utility>

#include "banquet/builtin/buckets.h"
#include "banquet/registry/bucket/bucket_registry.h"
#include "banquet/registry/file/file_registry.h"
#include "banquet/registry/sql/sql_registry.h"

namespace banquet {
namespace {

// "s3" of "s3://bucket/registry.db"; empty for a plain path.
std::string_view SchemeOf(std::string_view path) {
  const size_t end = path.find("://");
  if (end == std::string_view::npos) return {};
  for (const char c : path.substr(0, end)) {
    const bool legal =
        std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
    if (!legal) return {};
  }
  return path.substr(0, end);
}

Result<std::unique_ptr<Registry>> MakeBucketRegistryOf(const RepoConfig& config,
                                                       std::string_view scheme, Clock& clock) {
  const RunOptions& options = config.options;
  BANQUET_ASSIGN_OR_RETURN(OpenBucket open,
                           MakeOpenBucket(scheme,
                                          {.connect_timeout = options.connect_timeout,
                                           .stall_timeout = options.stall_timeout},
                                          clock));
  return bucket_registry::MakeBucketRegistry({.uri = config.registry.path,
                                              .open = std::move(open),
                                              .connect_timeout = options.connect_timeout,
                                              .stall_timeout = options.stall_timeout,
                                              .retry_timeout = options.retry_timeout,
                                              .lease_duration = options.lease_duration},
                                             clock);
}

// What Feast calls the class that reads a scheme.
std::string_view StoreTypeOf(std::string_view scheme) {
  if (scheme == "s3") return "S3RegistryStore";
  if (scheme == "gs") return "GCSRegistryStore";
  return {};
}

Result<std::unique_ptr<Registry>> MakeFileRegistryOf(const RepoConfig& config, Clock& clock) {
  const RegistrySettings& settings = config.registry;
  const std::string_view scheme = SchemeOf(settings.path);
  if (!settings.registry_store_type.empty() &&
      settings.registry_store_type != StoreTypeOf(scheme)) {
    return UserError(
        "registry_store_type '{}' is not supported: this version reads local files, s3://, gs:// "
        "and SQL databases; remove the key or copy the registry to a local file",
        settings.registry_store_type);
  }
  if (IsBucketScheme(scheme)) return MakeBucketRegistryOf(config, scheme, clock);
  if (!scheme.empty() && scheme != "file") {
    return UserError(
        "Registry path scheme '{}://' is not supported: this version reads local files, s3:// and "
        "gs://; a database needs registry_type: sql beside its path",
        scheme);
  }
  std::string path = scheme.empty() ? settings.path : settings.path.substr(scheme.size() + 3);
  if (path.empty()) return UserError("Registry has no path; set registry: in feature_store.yaml");
  return MakeFileRegistry(std::move(path), clock);
}

}  // namespace

Result<std::unique_ptr<Registry>> MakeRegistry(const RepoConfig& config, Clock& clock) {
  if (config.registry.type == "file") return MakeFileRegistryOf(config, clock);
  if (config.registry.type == "sql") {
    return sql_registry::MakeSqlRegistry({.url = config.registry.path,
                                          .repo_path = config.repo_path,
                                          .project = config.project,
                                          .connect_timeout = config.options.connect_timeout,
                                          .stall_timeout = config.options.stall_timeout,
                                          .retry_timeout = config.options.retry_timeout,
                                          .lease_duration = config.options.lease_duration},
                                         clock);
  }
  return UserError(
      "Registry type '{}' is not supported: this version reads files (registry_type: file) and SQL "
      "databases (registry_type: sql)",
      config.registry.type);
}

}  // namespace banquet
