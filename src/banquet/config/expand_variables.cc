// Python's os.path.expandvars, to which Feast hands the whole text of feature_store.yaml.
#include <string>

#include "banquet/config/repo_config.h"

namespace banquet {
namespace {

bool IsNameLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string ExpandVariables(const std::string& text,
                            const std::map<std::string, std::string>& environment) {
  std::string expanded;
  size_t position = 0;
  while (position < text.size()) {
    const size_t dollar = text.find('$', position);
    expanded.append(text, position, dollar - position);
    if (dollar == std::string::npos) break;
    std::string name;
    size_t end = dollar + 1;
    if (end < text.size() && text[end] == '{') {
      const size_t brace = text.find('}', end);
      if (brace != std::string::npos) {
        name = text.substr(end + 1, brace - end - 1);
        end = brace + 1;
      }
    } else {
      while (end < text.size() && IsNameLetter(text[end])) ++end;
      name = text.substr(dollar + 1, end - dollar - 1);
    }
    const auto value = environment.find(name);
    if (value == environment.end()) {
      expanded.append(text, dollar, end - dollar);
    } else {
      expanded += value->second;
    }
    position = end;
  }
  return expanded;
}

}  // namespace banquet
