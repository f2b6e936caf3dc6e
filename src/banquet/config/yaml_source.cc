#include "banquet/config/yaml_source.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "banquet/base/base64.h"
#include "banquet/config/yaml_reader.h"

namespace banquet {
namespace {

constexpr char kBase64Variable[] = "FEATURE_STORE_YAML_BASE64";
constexpr char kFileVariable[] = "FEAST_FS_YAML_FILE_PATH";
constexpr char kFolderVariable[] =
    "FEATURE_REPO_DIR_ENV_VAR";  // Feast's CLI asks for it by this very name.
constexpr char kFileName[] = "feature_store.yaml";
constexpr char kGivenName[] = "feature_store.yaml (as handed over)";

Result<std::string> ReadText(const std::string& path, const std::string& name) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return UserError("{}: is a folder; name the file with -f/--feature-store-yaml", name);
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return UserError(
        "{}: cannot be read ({}); name the repository's folder with -c/--chdir or the file with "
        "-f/--feature-store-yaml",
        name, std::strerror(errno));
  }
  std::string text(kYamlBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return UserError("{}: cannot be read to its end", name);
  return text;
}

}  // namespace

std::string VariableOf(const std::map<std::string, std::string>& environment,
                       const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::string JoinPath(const std::string& folder, const std::string& path) {
  std::filesystem::path joined;
  for (const std::filesystem::path& part : std::filesystem::path(folder) / path) {
    if (part != "." && !part.empty()) joined /= part;
  }
  return joined.string();
}

Result<YamlSource> ReadYamlSource(const ConfigRequest& request) {
  const std::string folder =
      !request.chdir.empty() ? request.chdir : VariableOf(request.environment, kFolderVariable);
  std::error_code error;
  const std::string working = std::filesystem::current_path(error).string();
  YamlSource source{.text = {}, .name = {}, .repo_path = JoinPath(working, folder)};
  if (!std::filesystem::is_directory(source.repo_path, error)) {
    return UserError("{}: no such folder; name the feature repository's with -c/--chdir",
                     folder.empty() ? "The working directory" : folder);
  }
  if (request.given_text.has_value()) {
    source.name = kGivenName;
    source.text = *request.given_text;
    return source;
  }
  if (const std::string encoded = VariableOf(request.environment, kBase64Variable);
      !encoded.empty()) {
    source.name = kBase64Variable;
    const std::optional<std::string> text = DecodeBase64(encoded);
    if (!text.has_value()) {
      return UserError("{}: not base64; encode feature_store.yaml with base64, or unset it",
                       source.name);
    }
    source.text = *text;
    return source;
  }
  source.name = !request.yaml_file.empty() ? request.yaml_file
                                           : VariableOf(request.environment, kFileVariable);
  if (source.name.empty()) {
    source.name = folder.empty() ? kFileName : (std::filesystem::path(folder) / kFileName).string();
  }
  BANQUET_ASSIGN_OR_RETURN(source.text, ReadText(JoinPath(working, source.name), source.name));
  return source;
}

}  // namespace banquet
