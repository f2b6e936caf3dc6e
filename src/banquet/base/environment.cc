#include "banquet/base/environment.h"

#include <cstdlib>

namespace banquet {

std::optional<std::string> Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string FirstOfEnvironment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = Environment(name)) return *std::move(value);
  }
  return {};
}

}  // namespace banquet
