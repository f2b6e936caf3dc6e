#include "banquet/engine/staged_source.h"

#include <utility>

namespace banquet {

void ReadStaged(const StagedManifest& manifest, const std::string& folder_uri, FeatureView* view) {
  DataSource source;
  source.name = "staged " + manifest.run_id;
  source.type = SourceType::kFile;
  source.timestamp_field = kStagedEventTime;
  if (manifest.has_created_time) source.created_timestamp_column = kStagedCreatedTime;
  source.uri = folder_uri;
  view->batch_source = std::move(source);
  view->has_transformation = false;
}

}  // namespace banquet
