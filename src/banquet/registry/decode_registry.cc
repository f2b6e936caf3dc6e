#include "banquet/registry/decode_registry.h"

#include <algorithm>
#include <utility>

#include "banquet/registry/decode_feature_view.h"
#include "feast/core/Registry.pb.h"

namespace banquet {
namespace {

Entity DecodeEntity(const feast::core::EntitySpecV2& spec) {
  return {.name = spec.name(),
          .project = spec.project(),
          .join_key = spec.join_key(),
          .value_type = static_cast<ValueType>(spec.value_type()),
          .description = spec.description(),
          .owner = spec.owner(),
          .tags = DecodeMap(spec.tags())};
}

FeatureService DecodeService(const feast::core::FeatureServiceSpec& spec) {
  FeatureService service{.name = spec.name(),
                         .project = spec.project(),
                         .projections = {},
                         .precompute_online = spec.precompute_online()};
  for (const feast::core::FeatureViewProjection& projection : spec.features()) {
    FeatureViewProjection& decoded = service.projections.emplace_back();
    decoded.view = projection.feature_view_name();
    decoded.alias = projection.feature_view_name_alias();
    for (const feast::core::FeatureSpecV2& feature : projection.feature_columns())
      decoded.features.push_back(feature.name());
    decoded.join_key_map = DecodeMap(projection.join_key_map());
    if (projection.has_version_tag()) decoded.version_tag = projection.version_tag();
  }
  return service;
}

// Older Feast knows projects only by their metadata.
std::vector<std::string> DecodeProjects(const feast::core::Registry& registry) {
  std::vector<std::string> projects;
  const auto add = [&projects](const std::string& name) {
    if (std::ranges::find(projects, name) == projects.end()) projects.push_back(name);
  };
  for (const feast::core::Project& project : registry.projects()) add(project.spec().name());
  for (const feast::core::ProjectMetadata& project : registry.project_metadata())
    add(project.project());
  return projects;
}

template <typename Proto>
Result<std::optional<FeatureView>> DecodeViewAs(const std::string& bytes) {
  Proto proto;
  if (!proto.ParseFromString(bytes)) return DataError("The definition does not parse");
  return DecodeView(proto);
}

Status DecodeVersions(const feast::core::FeatureViewVersionHistory& history,
                      RegistryContents* contents) {
  for (const feast::core::FeatureViewVersionRecord& record : history.records()) {
    Result<std::optional<FeatureView>> definition =
        DecodeSerializedView(record.feature_view_type(), record.feature_view_proto());
    if (!definition.ok()) {
      return Annotate(definition.status(),
                      fmt::format("Version {} of view {}", record.version_number(),
                                  record.feature_view_name()));
    }
    if (!definition->has_value()) continue;
    contents->versions.push_back({.view = record.feature_view_name(),
                                  .project = record.project_id(),
                                  .number = record.version_number(),
                                  .definition = **std::move(definition)});
  }
  return Status::OK();
}

}  // namespace

Result<RegistryContents> DecodeRegistry(const feast::core::Registry& registry) {
  RegistryContents contents;
  contents.version_id = registry.version_id();
  contents.projects = DecodeProjects(registry);
  for (const auto& entity : registry.entities())
    contents.entities.push_back(DecodeEntity(entity.spec()));
  for (const auto& source : registry.data_sources()) {
    contents.data_sources.push_back(DecodeSource(source));
    contents.data_source_projects.push_back(source.project());
  }
  for (const auto& view : registry.feature_views())
    contents.feature_views.push_back(DecodeView(view));
  for (const auto& view : registry.stream_feature_views())
    contents.feature_views.push_back(DecodeView(view));
  for (const auto& view : registry.on_demand_feature_views())
    contents.feature_views.push_back(DecodeView(view));
  for (const auto& view : registry.label_views())
    contents.feature_views.push_back(DecodeView(view));
  for (const auto& service : registry.feature_services())
    contents.feature_services.push_back(DecodeService(service.spec()));
  BANQUET_RETURN_NOT_OK(DecodeVersions(registry.feature_view_version_history(), &contents));
  return contents;
}

Result<std::optional<FeatureView>> DecodeSerializedView(const std::string& kind,
                                                        const std::string& bytes) {
  if (kind == "feature_view") return DecodeViewAs<feast::core::FeatureView>(bytes);
  if (kind == "stream_feature_view") return DecodeViewAs<feast::core::StreamFeatureView>(bytes);
  if (kind == "on_demand_feature_view")
    return DecodeViewAs<feast::core::OnDemandFeatureView>(bytes);
  return std::nullopt;
}

Result<Entity> DecodeSerializedEntity(const std::string& bytes) {
  feast::core::Entity proto;
  if (!proto.ParseFromString(bytes)) return DataError("The entity does not parse");
  return DecodeEntity(proto.spec());
}

Result<Aggregation> DecodeSerializedAggregation(const std::string& bytes) {
  feast::core::Aggregation proto;
  if (!proto.ParseFromString(bytes)) return DataError("The aggregation does not parse");
  return DecodeAggregation(proto);
}

}  // namespace banquet
