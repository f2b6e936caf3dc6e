#pragma once
// Feast's registry message as plain data (feast-compat 2.1 to 2.3).

#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/model/registry_contents.h"

namespace feast::core {
class Registry;
}  // namespace feast::core

namespace banquet {

// Data error when a snapshot in the version history is damaged; snapshots of kinds unknown here are
// left out.
Result<RegistryContents> DecodeRegistry(const feast::core::Registry& registry);

// Single objects as Feast's SDK serializes them. Bytes that do not parse are a data error.
// `kind` is the word of Feast's version history: "feature_view", "stream_feature_view" or
// "on_demand_feature_view"; nothing for a kind unknown here.
Result<std::optional<FeatureView>> DecodeSerializedView(const std::string& kind,
                                                        const std::string& bytes);
Result<Entity> DecodeSerializedEntity(const std::string& bytes);
Result<Aggregation> DecodeSerializedAggregation(const std::string& bytes);

}  // namespace banquet
