#include "banquet/builtin/registries.h"

#include <cctype>
#include <cstdlib>
#include <string_view>

#include "banquet/registry/file/file_registry.h"
#include "banquet/registry/s3/s3_registry.h"
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

std::string FirstSet(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

Result<std::unique_ptr<Registry>> MakeS3RegistryOf(const RepoConfig& config, Clock& clock) {
  std::string endpoint =
      FirstSet({"FEAST_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return s3_registry::MakeS3Registry({.uri = config.registry.path,
                                      .endpoint = endpoint,
                                      .region = FirstSet({"AWS_REGION", "AWS_DEFAULT_REGION"}),
                                      .connect_timeout = config.options.connect_timeout,
                                      .stall_timeout = config.options.stall_timeout,
                                      .retry_timeout = config.options.retry_timeout,
                                      .lease_duration = config.options.lease_duration},
                                     clock);
}

Result<std::unique_ptr<Registry>> MakeFileRegistryOf(const RepoConfig& config, Clock& clock) {
  const RegistrySettings& settings = config.registry;
  const std::string_view scheme = SchemeOf(settings.path);
  const bool is_s3 = scheme == "s3";
  if (!settings.registry_store_type.empty() &&
      !(is_s3 && settings.registry_store_type == "S3RegistryStore")) {
    return UserError(
        "registry_store_type '{}' is not supported: this version reads local files, s3:// and "
        "SQL databases; remove the key or copy the registry to a local file",
        settings.registry_store_type);
  }
  if (is_s3) return MakeS3RegistryOf(config, clock);
  if (!scheme.empty() && scheme != "file") {
    return UserError(
        "Registry path scheme '{}://' is not supported: this version reads local files and s3://; "
        "a "
        "database needs registry_type: sql beside its path",
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
