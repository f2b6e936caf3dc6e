#pragma once
// A staging folder in place of a view's own source.

#include "banquet/model/data_source.h"
#include "banquet/model/staged_files.h"

namespace banquet {

// The files of the folder, as a view's batch source.
DataSource StagedSource(const StagedManifest& manifest, const std::string& folder_uri);

}  // namespace banquet
