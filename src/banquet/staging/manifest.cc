#include "banquet/staging/manifest.h"

#include <nlohmann/json.hpp>

#include "banquet/base/time_text.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

}  // namespace

std::string ManifestToJson(const StagedManifest& manifest) {
  auto views = Json::array();
  for (const StagedView& view : manifest.views) {
    views.push_back(
        {{"name", view.view}, {"version", view.version}, {"storage_name", view.storage_name}});
  }
  auto files = Json::array();
  for (const StagedFile& file : manifest.files)
    files.push_back({{"name", file.name}, {"rows", file.rows}, {"bytes", file.bytes}});
  const Json json = {{"banquet_manifest", kFormat},
                     {"run_id", manifest.run_id},
                     {"project", manifest.project},
                     {"window",
                      {{"start", FormatRfc3339(manifest.window.start_us)},
                       {"end", FormatRfc3339(manifest.window.end_us)}}},
                     {"records_interval", manifest.records_interval},
                     {"has_created_time", manifest.has_created_time},
                     {"views", views},
                     {"files", files}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StagedManifest> ManifestFromJson(std::string_view text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("banquet_manifest"))
    return DataError("It is no manifest of a staging folder: {}", where);
  if (json["banquet_manifest"] != kFormat) {
    return DataError("The manifest is of format {}, this version reads {}: {}",
                     json["banquet_manifest"].dump(), kFormat, where);
  }
  StagedManifest manifest;
  try {
    manifest.run_id = json.at("run_id");
    manifest.project = json.at("project");
    BANQUET_ASSIGN_OR_RETURN(
        manifest.window.start_us,
        ParseInstant(json.at("window").at("start").get_ref<const std::string&>()));
    BANQUET_ASSIGN_OR_RETURN(
        manifest.window.end_us,
        ParseInstant(json.at("window").at("end").get_ref<const std::string&>()));
    manifest.records_interval = json.at("records_interval");
    manifest.has_created_time = json.at("has_created_time");
    for (const Json& view : json.at("views")) {
      manifest.views.push_back({.view = view.at("name"),
                                .version = view.at("version"),
                                .storage_name = view.at("storage_name")});
    }
    for (const Json& file : json.at("files")) {
      manifest.files.push_back(
          {.name = file.at("name"), .rows = file.at("rows"), .bytes = file.at("bytes")});
    }
  } catch (const Json::exception&) {
    return DataError("The manifest is damaged: {}", where);
  }
  for (const StagedFile& file : manifest.files) {
    if (file.name.empty() || file.name.find('/') != std::string::npos)
      return DataError("The manifest is damaged: {}", where);
  }
  if (manifest.views.empty()) return DataError("The manifest is damaged: {}", where);
  return manifest;
}

}  // namespace banquet
