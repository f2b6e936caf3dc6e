#pragma once
// A registry, read: plain data, never changed after it was made.

#include <string>
#include <vector>

#include "banquet/model/data_source.h"
#include "banquet/model/entity.h"
#include "banquet/model/feature_view.h"

namespace banquet {

// One view a feature service serves, and which of its features.
struct FeatureViewProjection {
  std::string view;
  std::string alias;  // Empty: none.
  std::vector<std::string> features;
  std::map<std::string, std::string> join_key_map;
  std::optional<int> version_tag;
};

struct FeatureService {
  std::string name;
  std::string project;
  std::vector<FeatureViewProjection> projections;
  bool precompute_online = false;
};

// A snapshot of a view's definition in the version history.
struct FeatureViewVersion {
  std::string view;
  std::string project;
  int number = 0;
  FeatureView definition;
};

struct RegistryContents {
  std::string version_id;
  std::vector<std::string> projects;
  std::vector<Entity> entities;
  std::vector<DataSource> data_sources;
  std::vector<std::string> data_source_projects;  // Beside data_sources, same length.
  std::vector<FeatureView> feature_views;  // Every kind: plain and batch, stream, on-demand, label;
                                           // each in stored order.
  std::vector<FeatureService> feature_services;
  std::vector<FeatureViewVersion> versions;

  // The view of this name in this project, in Feast's look-up order (plain/batch, stream,
  // on-demand, label), or nullptr.
  const FeatureView* FindView(const std::string& project, const std::string& name) const;
  const Entity* FindEntity(const std::string& project, const std::string& name) const;
};

}  // namespace banquet
