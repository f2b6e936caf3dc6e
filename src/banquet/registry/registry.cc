#include "banquet/registry/registry.h"

#include <cctype>
#include <string_view>

#include "banquet/registry/file_registry.h"

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

}  // namespace

Result<std::unique_ptr<Registry>> MakeRegistry(const RegistrySettings& settings, Clock& clock) {
  if (settings.type != "file") {
    return UserError(
        "Registry type '{}' is not supported: this version reads only local file registries "
        "(registry_type: file)",
        settings.type);
  }
  if (!settings.registry_store_type.empty()) {
    return UserError(
        "registry_store_type '{}' is not supported: this version reads only local file registries; "
        "remove the key or copy the registry to a local file",
        settings.registry_store_type);
  }
  const std::string_view scheme = SchemeOf(settings.path);
  if (!scheme.empty() && scheme != "file") {
    return UserError(
        "Registry path scheme '{}://' is not supported: this version reads only local file "
        "registries; copy {} to a local file and name that",
        scheme, settings.path);
  }
  std::string path = scheme.empty() ? settings.path : settings.path.substr(scheme.size() + 3);
  if (path.empty()) return UserError("Registry has no path; set registry: in feature_store.yaml");
  return MakeFileRegistry(std::move(path), clock);
}

}  // namespace banquet
