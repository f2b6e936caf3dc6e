#pragma once
// The unit of work (Feast's MaterializationTask).

#include <string>

#include "banquet/model/feature_view.h"
#include "banquet/model/time_window.h"

namespace banquet {

struct MaterializationTask {
  std::string project;
  FeatureView view;          // The definition to run: the active one, or a version of it.
  std::string storage_name;  // Its name in online storage: `view.name`, or with _vN.
  TimeWindow window;
  bool only_latest = true;
  // False for a version other than the active one: the registry's intervals are the active one's.
  bool records_interval = true;
  // The window begins where the view's recorded intervals end.
  bool incremental = false;
  bool disable_event_timestamp = false;  // Changes the window only, as in Feast (feast-compat 3.5).
};

}  // namespace banquet
