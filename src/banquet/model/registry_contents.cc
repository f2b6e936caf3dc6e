#include "banquet/model/registry_contents.h"

namespace banquet {

const FeatureView* RegistryContents::FindView(const std::string& project,
                                              const std::string& name) const {
  for (const FeatureView& view : feature_views) {
    if (view.name == name && view.project == project) return &view;
  }
  return nullptr;
}

const Entity* RegistryContents::FindEntity(const std::string& project,
                                           const std::string& name) const {
  for (const Entity& entity : entities) {
    if (entity.name == name && entity.project == project) return &entity;
  }
  return nullptr;
}

}  // namespace banquet
