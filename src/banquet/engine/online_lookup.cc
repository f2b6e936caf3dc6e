#include "banquet/engine/online_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "banquet/base/option_table.h"
#include "banquet/encode/entity_key.h"
#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

// What is read of one view.
struct ViewLookup {
  const FeatureView* view = nullptr;
  std::string shown_name;  // The alias of a projection, or the view's name.
  std::optional<int> version;
  std::vector<std::string> features;
  std::map<std::string, std::string> join_key_map;  // Join key of the view -> name in the request.
};

Result<const FeatureView*> FindView(const RegistryContents& contents, const std::string& project,
                                    const std::string& name) {
  const FeatureView* view = contents.FindView(project, name);
  if (view != nullptr) return view;
  std::vector<std::string> names;
  for (const FeatureView& known : contents.feature_views) {
    if (known.project == project) names.push_back(known.name);
  }
  return UserError("Feature view {} does not exist in project {}.{}", name, project,
                   DidYouMean(name, names));
}

// "view:feature" or "view@v2:feature".
Status AddReference(const RegistryContents& contents, const std::string& project,
                    const std::string& reference, std::vector<ViewLookup>* lookups) {
  const size_t colon = reference.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == reference.size()) {
    return UserError("Not a feature reference; write view:feature: {}", reference);
  }
  std::string view_name = reference.substr(0, colon);
  std::optional<int> version;
  if (const size_t at = view_name.find("@v"); at != std::string::npos) {
    int number = 0;
    const std::string digits = view_name.substr(at + 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return UserError("Not a version of a view; write view@v2:feature: {}", reference);
    }
    version = number;
    view_name.resize(at);
  }
  auto lookup = std::ranges::find_if(*lookups, [&](const ViewLookup& known) {
    return known.view->name == view_name && known.version == version;
  });
  if (lookup == lookups->end()) {
    BANQUET_ASSIGN_OR_RETURN(const FeatureView* view, FindView(contents, project, view_name));
    lookups->push_back({.view = view,
                        .shown_name = view_name,
                        .version = version,
                        .features = {},
                        .join_key_map = {}});
    lookup = lookups->end() - 1;
  }
  const std::string feature = reference.substr(colon + 1);
  if (std::ranges::find(lookup->features, feature) != lookup->features.end()) {
    return UserError("The feature is asked for twice: {}", reference);
  }
  lookup->features.push_back(feature);
  return Status::OK();
}

Status AddService(const RegistryContents& contents, const std::string& project,
                  const std::string& name, std::vector<ViewLookup>* lookups) {
  for (const FeatureService& service : contents.feature_services) {
    if (service.name != name || service.project != project) continue;
    for (const FeatureViewProjection& projection : service.projections) {
      BANQUET_ASSIGN_OR_RETURN(const FeatureView* view,
                               FindView(contents, project, projection.view));
      lookups->push_back(
          {.view = view,
           .shown_name = projection.alias.empty() ? projection.view : projection.alias,
           .version = projection.version_tag,
           .features = projection.features,
           .join_key_map = projection.join_key_map});
    }
    return Status::OK();
  }
  std::vector<std::string> names;
  for (const FeatureService& service : contents.feature_services) {
    if (service.project == project) names.push_back(service.name);
  }
  return UserError("Feature service {} does not exist in project {}.{}", name, project,
                   DidYouMean(name, names));
}

// Those whose rows no materialization writes.
Status CheckIsStored(const FeatureView& view) {
  if (view.kind == ViewKind::kOnDemand && !view.write_to_online_store) {
    return UserError(
        "Features of an on-demand view are computed when they are asked for; this command reads "
        "stored ones only: {}",
        view.name);
  }
  if (view.kind == ViewKind::kLabel) {
    return UserError("Label views are not in the online store: {}", view.name);
  }
  return Status::OK();
}

// The columns of the view or of its version that are read, features in the order asked for.
Result<ViewColumns> ColumnsOf(const ViewLookup& lookup, const RegistryContents& contents,
                              const RepoConfig& config) {
  const FeatureView* definition = lookup.view;
  if (lookup.version.has_value() && *lookup.version != lookup.view->current_version_number) {
    const auto version =
        std::ranges::find_if(contents.versions, [&](const FeatureViewVersion& known) {
          return known.view == lookup.view->name && known.project == config.project &&
                 known.number == *lookup.version;
        });
    if (version == contents.versions.end()) {
      return UserError("The registry holds no version v{} of feature view {}", *lookup.version,
                       lookup.view->name);
    }
    definition = &version->definition;
  }
  BANQUET_RETURN_NOT_OK(CheckIsStored(*definition));
  ViewColumns columns;
  columns.project = config.project;
  columns.view = StorageNameOf(config, lookup.view->name,
                               lookup.version.value_or(lookup.view->current_version_number));
  columns.entity_key_version = config.entity_key_serialization_version;
  BANQUET_ASSIGN_OR_RETURN(columns.join_keys, JoinKeysOf(*definition, contents, config.project));
  std::vector<std::string> names;
  for (const Field& field : definition->features) names.push_back(field.name);
  for (const std::string& feature : lookup.features) {
    const auto field = std::ranges::find(definition->features, feature, &Field::name);
    if (field == definition->features.end()) {
      return UserError("Feature view {} has no feature {}.{}", lookup.view->name, feature,
                       DidYouMean(feature, names));
    }
    columns.features.push_back(*field);
  }
  return columns;
}

std::string NameInRequest(const ViewLookup& lookup, const std::string& join_key) {
  const auto renamed = lookup.join_key_map.find(join_key);
  return renamed == lookup.join_key_map.end() ? join_key : renamed->second;
}

Result<std::vector<std::string>> KeysOf(const ViewLookup& lookup, const ViewColumns& columns,
                                        const LookupQuery& query) {
  std::vector<std::string> keys;
  for (const auto& entity : query.entities) {
    std::vector<std::string> values;
    for (const Field& key : columns.join_keys) {
      if (key.name == kDummyJoinKey) {
        values.emplace_back();
        continue;
      }
      const auto value = entity.find(NameInRequest(lookup, key.name));
      if (value == entity.end()) {
        return UserError("The entity row lacks a join key of view {}; add {}=…", lookup.view->name,
                         NameInRequest(lookup, key.name));
      }
      values.push_back(value->second);
    }
    BANQUET_ASSIGN_OR_RETURN(
        keys.emplace_back(),
        SerializeEntityKey(columns.join_keys, columns.entity_key_version, values));
  }
  return keys;
}

bool IsNumber(ValueType type) {
  return type == ValueType::kInt32 || type == ValueType::kInt64 ||
         type == ValueType::kUnixTimestamp;
}

// One view of the question, with all that is needed to read it.
struct ResolvedLookup {
  ViewLookup lookup;
  ViewColumns columns;
};

Result<std::vector<ResolvedLookup>> Resolve(const RegistryContents& contents,
                                            const RepoConfig& config, const LookupQuery& query) {
  std::vector<ViewLookup> lookups;
  if (!query.feature_service.empty()) {
    BANQUET_RETURN_NOT_OK(AddService(contents, config.project, query.feature_service, &lookups));
  }
  for (const std::string& reference : query.features) {
    BANQUET_RETURN_NOT_OK(AddReference(contents, config.project, reference, &lookups));
  }
  std::vector<ResolvedLookup> resolved;
  for (ViewLookup& lookup : lookups) {
    BANQUET_ASSIGN_OR_RETURN(ViewColumns columns, ColumnsOf(lookup, contents, config));
    resolved.push_back({.lookup = std::move(lookup), .columns = std::move(columns)});
  }
  return resolved;
}

// A key that no view asked for has is a slip: its value would be without effect.
Status CheckEntities(const RegistryContents& contents, const RepoConfig& config,
                     const std::vector<ResolvedLookup>& views, const LookupQuery& query) {
  std::vector<std::string> wanted;
  for (const ResolvedLookup& view : views) {
    for (const Field& key : view.columns.join_keys) {
      if (key.name != kDummyJoinKey) wanted.push_back(NameInRequest(view.lookup, key.name));
    }
  }
  for (const auto& entity : query.entities) {
    for (const auto& [key, value] : entity) {
      if (std::ranges::find(wanted, key) != wanted.end()) continue;
      std::string hint = DidYouMean(key, wanted);
      for (const Entity& known : contents.entities) {
        if (known.project != config.project || known.name != key) continue;
        hint = " The join key of this entity is '" + known.join_key + "'.";
      }
      return UserError("--entity {}={}: no view asked for is joined by {}.{}", key, value, key,
                       hint);
    }
  }
  return Status::OK();
}

void AddJoinKeys(const ResolvedLookup& view, const LookupQuery& query, std::set<std::string>* names,
                 std::vector<LookupColumn>* join_keys) {
  for (const Field& key : view.columns.join_keys) {
    const std::string name = NameInRequest(view.lookup, key.name);
    if (key.name == kDummyJoinKey || !names->insert(name).second) continue;
    LookupColumn& column = join_keys->emplace_back();
    column = {.name = name,
              .is_join_key = true,
              .values = {},
              .keys = {},
              .key_is_number = IsNumber(key.type)};
    for (const auto& entity : query.entities) {
      const auto value = entity.find(name);
      column.keys.push_back(value == entity.end() ? "" : value->second);
    }
  }
}

Status AddFeatures(const ResolvedLookup& view, const StoredRows& rows, bool full_names,
                   std::set<std::string>* names, std::vector<LookupColumn>* features) {
  for (size_t f = 0; f < view.columns.features.size(); ++f) {
    LookupColumn& column = features->emplace_back();
    const std::string& name = view.columns.features[f].name;
    column.name = full_names ? view.lookup.shown_name + "__" + name : name;
    if (!names->insert(column.name).second) {
      return UserError("Two features are called {}; ask with --full-feature-names", column.name);
    }
    for (const std::optional<StoredRow>& row : rows) {
      LookupValue& value = column.values.emplace_back();
      if (!row.has_value() || !row->values[f].has_value()) continue;
      value = {
          .found = true, .value_bytes = *row->values[f], .event_us = row->event_us.value_or(0)};
    }
  }
  return Status::OK();
}

std::string NothingStoredHint(const ResolvedLookup& view, const OnlineStore& store) {
  const bool never = view.lookup.view->materialization_intervals.empty();
  return fmt::format(
      "none of these entities is stored for view {} ({}){}", view.columns.view, store.Describe(),
      never ? "; the registry says that it was never materialized: run `banquet materialize`" : "");
}

}  // namespace

Result<LookupAnswer> LookUpOnline(const RegistryContents& contents, const RepoConfig& config,
                                  OnlineStore& store, const LookupQuery& query) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<ResolvedLookup> views,
                           Resolve(contents, config, query));
  BANQUET_RETURN_NOT_OK(CheckEntities(contents, config, views, query));
  LookupAnswer answer;
  std::vector<LookupColumn> features;
  std::set<std::string> names;
  for (const ResolvedLookup& view : views) {
    AddJoinKeys(view, query, &names, &answer.columns);
    BANQUET_ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                             KeysOf(view.lookup, view.columns, query));
    BANQUET_ASSIGN_OR_RETURN(const StoredRows rows, store.Read(view.columns, keys));
    if (std::ranges::none_of(rows, &std::optional<StoredRow>::has_value)) {
      answer.hints.push_back(NothingStoredHint(view, store));
    }
    BANQUET_RETURN_NOT_OK(AddFeatures(view, rows, query.full_feature_names, &names, &features));
  }
  std::ranges::move(features, std::back_inserter(answer.columns));
  return answer;
}

}  // namespace banquet
