#include "banquet/engine/view_columns_of.h"

#include <fmt/format.h>

namespace banquet {
namespace {

// A store's own `skip_dedup: true` means: do not look, write.
bool StoreSkipsDedup(const ConfigNode& online_store) {
  const ConfigNode* skip = online_store.Find("skip_dedup");
  return skip != nullptr &&
         (skip->scalar == "true" || skip->scalar == "True" || skip->scalar == "TRUE" ||
          skip->scalar == "yes" || skip->scalar == "on");
}

}  // namespace

std::string StorageNameOf(const RepoConfig& config, const std::string& view, int version_number) {
  if (!config.registry.online_feature_view_versioning || version_number <= 0) return view;
  return fmt::format("{}_v{}", view, version_number);
}

Result<std::vector<Field>> JoinKeysOf(const FeatureView& view, const RegistryContents& contents,
                                      const std::string& project) {
  if (!view.entity_columns.empty()) return view.entity_columns;
  std::vector<Field> keys;
  for (const std::string& name : view.entities) {
    if (name == kDummyEntityName) continue;
    const Entity* entity = contents.FindEntity(project, name);
    if (entity == nullptr) {
      return UserError(
          "The view's entity is not in the registry; run `feast apply`: {} (entity {})", view.name,
          name);
    }
    keys.push_back(
        {.name = entity->join_key, .type = entity->value_type, .tags = {}, .description = {}});
  }
  if (keys.empty())
    keys.push_back(
        {.name = kDummyJoinKey, .type = ValueType::kString, .tags = {}, .description = {}});
  return keys;
}

Result<ViewColumns> ViewColumnsOf(const MaterializationTask& task, const RegistryContents& contents,
                                  const RepoConfig& config) {
  ViewColumns columns;
  columns.project = task.project;
  columns.view = task.storage_name;
  BANQUET_ASSIGN_OR_RETURN(columns.join_keys, JoinKeysOf(task.view, contents, task.project));
  columns.features = task.view.features;
  columns.tags = task.view.tags;
  columns.ttl_us = task.view.ttl_us;
  columns.has_created_time = task.view.batch_source.has_value() &&
                             !task.view.batch_source->created_timestamp_column.empty();
  columns.entity_key_version = config.entity_key_serialization_version;
  const std::string& name = task.view.name;
  columns.overwrite = config.options.OverwriteOf(name).value_or(
      StoreSkipsDedup(config.online_store) ? Overwrite::kAlways : Overwrite::kNewest);
  columns.guard = config.options.GuardOf(name).value_or(
      task.view.stream_source.has_value() ? Guard::kStrict : Guard::kCheck);
  return columns;
}

}  // namespace banquet
