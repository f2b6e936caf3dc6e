#include "banquet/engine/sink_frame.h"

#include <map>
#include <nlohmann/json.hpp>

#include "banquet/base/base64.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Json FieldsToJson(const std::vector<Field>& fields) {
  auto list = Json::array();
  for (const Field& field : fields) {
    list.push_back(
        {{"name", field.name}, {"type", static_cast<int>(field.type)}, {"tags", field.tags}});
  }
  return list;
}

std::vector<Field> FieldsFromJson(const Json& list) {
  std::vector<Field> fields;
  for (const Json& one : list) {
    fields.push_back({.name = one.at("name"),
                      .type = static_cast<ValueType>(one.at("type").get<int>()),
                      .tags = one.at("tags").get<std::map<std::string, std::string>>(),
                      .description = {}});
  }
  return fields;
}

Json ViewToJson(const ViewColumns& view) {
  return {{"project", view.project},
          {"view", view.view},
          {"join_keys", FieldsToJson(view.join_keys)},
          {"features", FieldsToJson(view.features)},
          {"has_created_time", view.has_created_time},
          {"ttl_us", view.ttl_us},
          {"entity_key_version", view.entity_key_version},
          {"tags", view.tags},
          {"overwrite", static_cast<int>(view.overwrite)},
          {"guard", static_cast<int>(view.guard)}};
}

ViewColumns ViewFromJson(const Json& json) {
  return {.project = json.at("project"),
          .view = json.at("view"),
          .join_keys = FieldsFromJson(json.at("join_keys")),
          .features = FieldsFromJson(json.at("features")),
          .has_created_time = json.at("has_created_time"),
          .ttl_us = json.at("ttl_us"),
          .entity_key_version = json.at("entity_key_version"),
          .tags = json.at("tags").get<std::map<std::string, std::string>>(),
          .overwrite = static_cast<Overwrite>(json.at("overwrite").get<int>()),
          .guard = static_cast<Guard>(json.at("guard").get<int>())};
}

}  // namespace

Result<RepoConfig> SinkFrame::Config() const {
  ConfigRequest request{
      .chdir = repo_path, .yaml_file = {}, .overrides = overrides, .environment = {}};
  AppendBase64(feature_store_yaml, &request.environment["FEATURE_STORE_YAML_BASE64"]);
  return LoadRepoConfig(request);
}

std::string SinkFrameToJson(const SinkFrame& frame) {
  auto views = Json::array();
  for (const ViewColumns& view : frame.views) views.push_back(ViewToJson(view));
  auto overrides = Json::array();
  for (const auto& [name, value] : frame.overrides) overrides.push_back({name, value});
  const Json json = {{"banquet_sink", kFormat},
                     {"feature_store_yaml", frame.feature_store_yaml},
                     {"repo_path", frame.repo_path},
                     {"overrides", overrides},
                     {"views", views}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SinkFrame> SinkFrameFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("banquet_sink"))
    return DataError("Standard input does not begin with a frame of `banquet sink`");
  if (json["banquet_sink"] != kFormat) {
    return DataError("The frame is of format {}, this version of banquet reads {}",
                     json["banquet_sink"].dump(), kFormat);
  }
  SinkFrame frame;
  try {
    frame.feature_store_yaml = json.at("feature_store_yaml");
    frame.repo_path = json.at("repo_path");
    for (const Json& one : json.at("overrides")) frame.overrides.emplace_back(one.at(0), one.at(1));
    for (const Json& view : json.at("views")) frame.views.push_back(ViewFromJson(view));
  } catch (const Json::exception&) {
    return DataError("The frame of `banquet sink` is damaged");
  }
  if (frame.views.empty()) return DataError("The frame of `banquet sink` names no view");
  return frame;
}

}  // namespace banquet
