#include "banquet/client/aws/profiles.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "banquet/base/environment.h"
#include "banquet/client/filesystem/file_descriptor.h"

namespace banquet::aws {
namespace {

constexpr std::string_view kProfilePrefix = "profile ";

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// nullopt: another kind of section.
std::optional<std::string> ProfileName(std::string_view section, bool is_config_file) {
  section = Trimmed(section);
  if (!is_config_file || section == "default") return std::string(section);
  if (!section.starts_with(kProfilePrefix)) return std::nullopt;
  return std::string(Trimmed(section.substr(kProfilePrefix.size())));
}

Result<Profiles> LoadFile(const char* variable, const char* default_name, bool is_config_file) {
  std::string path = Environment(variable).value_or("");
  if (path.empty()) {
    const auto home = Environment("HOME");
    if (!home.has_value()) return Profiles{};
    path = *home + "/.aws/" + default_name;
  }
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return Profiles{};
  BANQUET_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  return ParseProfiles(text, is_config_file);
}

}  // namespace

std::string ChosenProfile() { return Environment("AWS_PROFILE").value_or("default"); }

Profiles ParseProfiles(std::string_view text, bool is_config_file) {
  Profiles profiles;
  Profile* profile = nullptr;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view content = Trimmed(line);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if (content[0] == '[') {
      const auto name = ProfileName(content.substr(1, content.find(']') - 1), is_config_file);
      profile = name.has_value() ? &profiles[*name] : nullptr;
      continue;
    }
    const size_t equals = content.find('=');
    const bool is_nested = line[0] == ' ' || line[0] == '\t';
    if (profile == nullptr || is_nested || equals == std::string_view::npos) continue;
    std::string key(Trimmed(content.substr(0, equals)));
    std::ranges::transform(key, key.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    (*profile)[key] = Trimmed(content.substr(equals + 1));
  }
  return profiles;
}

Result<Profiles> LoadProfiles() {
  BANQUET_ASSIGN_OR_RETURN(Profiles profiles, LoadFile("AWS_CONFIG_FILE", "config", true));
  BANQUET_ASSIGN_OR_RETURN(const Profiles credentials,
                           LoadFile("AWS_SHARED_CREDENTIALS_FILE", "credentials", false));
  for (const auto& [name, profile] : credentials) {
    for (const auto& [key, value] : profile) profiles[name][key] = value;
  }
  return profiles;
}

}  // namespace banquet::aws
