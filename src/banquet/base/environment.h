#pragma once
// Variables of the environment.

#include <initializer_list>
#include <optional>
#include <string>

namespace banquet {

// One that is set and not empty.
std::optional<std::string> Environment(const char* name);

// The first such of `names`; empty: none is.
std::string FirstOfEnvironment(std::initializer_list<const char*> names);

}  // namespace banquet
