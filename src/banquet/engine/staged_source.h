#pragma once
// A staging folder in place of a view's own source.

#include <string>

#include "banquet/model/feature_view.h"
#include "banquet/model/staged_files.h"

namespace banquet {

// From now on the view's rows are those that lie in the folder; its transformation has run.
void ReadStaged(const StagedManifest& manifest, const std::string& folder_uri, FeatureView* view);

}  // namespace banquet
