#pragma once
// _manifest.json of a staging folder (docs/formats/staging.md).

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/model/staged_files.h"

namespace banquet {

inline constexpr char kManifestName[] = "_manifest.json";

std::string ManifestToJson(const StagedManifest& manifest);

// `where` names it in errors. Text that is none, or of a format that this version does not know, is
// a data error.
Result<StagedManifest> ManifestFromJson(std::string_view text, const std::string& where);

}  // namespace banquet
