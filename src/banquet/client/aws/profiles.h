#pragma once
// The shared files of AWS's tools: ~/.aws/config and ~/.aws/credentials.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "banquet/base/status.h"

namespace banquet::aws {

using Profile = std::map<std::string, std::string>;  // By key in lower case.
using Profiles = std::map<std::string, Profile>;     // By name.

// Sections of one file. In the config file a profile is "[profile name]" (or "[default]"), in the
// credentials file "[name]"; other kinds of sections are left out. Nested keys are left out too.
Profiles ParseProfiles(std::string_view text, bool is_config_file);

// Both files, as AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE or the home folder name them; what
// the credentials file says counts. A file that is not there is empty.
Result<Profiles> LoadProfiles();

// AWS_PROFILE, else "default".
std::string ChosenProfile();

}  // namespace banquet::aws
