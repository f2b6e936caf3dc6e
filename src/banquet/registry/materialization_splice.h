#pragma once
// The one change Banquet makes to a registry, done on its bytes (feast-compat 2.6).

#include <cstdint>
#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/registry/registry.h"

namespace banquet {

struct RegistryStamp {
  int64_t now_us = 0;
  std::string version_id;
};

// The registry file with the interval appended to the view's meta, the view's last-updated time and
// AVAILABLE_ONLINE, and with the registry's own version_id and last_updated. Every other byte
// stays: unknown fields, pickled functions, the order of maps, the view's place in the list (Feast
// moves the view to the end of it, which changes nothing but the order of its next run). Looks
// among the feature views, then the stream feature views; a view in neither is a user error.
Result<std::string> SpliceMaterialization(std::string_view registry,
                                          const MaterializationRecord& record,
                                          const RegistryStamp& stamp);

// The same change to one view's message, as SQL registries keep it: a row of its own, whose name
// and project stand beside it.
Result<std::string> SpliceViewMaterialization(std::string_view view,
                                              const MaterializationRecord& record, int64_t now_us);

// Whether the change, made at `now_us`, is in the registry file; false also without the view.
Result<bool> RegistryHoldsMaterialization(std::string_view registry,
                                          const MaterializationRecord& record, int64_t now_us);
// Whether it is in the view's message.
Result<bool> HoldsMaterialization(std::string_view view, const MaterializationRecord& record,
                                  int64_t now_us);

// The user error of a view that vanished while it was materialized.
Status ViewIsGone(const MaterializationRecord& record);

}  // namespace banquet
