#pragma once
// Forms as the token services of AWS and Google take them.

#include <string>
#include <utility>
#include <vector>

namespace banquet {

inline constexpr char kFormType[] = "application/x-www-form-urlencoded";

using Form = std::vector<std::pair<std::string, std::string>>;  // Name and value.

// "name=value&…", escaped; what is empty is left out.
std::string FormBody(const Form& form);

}  // namespace banquet
