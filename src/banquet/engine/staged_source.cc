#include "banquet/engine/staged_source.h"

namespace banquet {

DataSource StagedSource(const StagedManifest& manifest, const std::string& folder_uri) {
  DataSource source;
  source.name = "staged " + manifest.run_id;
  source.type = SourceType::kFile;
  source.timestamp_field = kStagedEventTime;
  if (manifest.has_created_time) source.created_timestamp_column = kStagedCreatedTime;
  source.uri = folder_uri;
  return source;
}

}  // namespace banquet
