#pragma once
// A feature view of any kind as plain data (feast-compat 2.2).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/model/data_source.h"
#include "banquet/model/field.h"
#include "banquet/model/time_window.h"

namespace banquet {

enum class ViewKind {
  kPlain,     // FeatureView
  kBatch,     // BatchFeatureView: a FeatureView whose spec has a transformation.
  kStream,    // StreamFeatureView
  kOnDemand,  // OnDemandFeatureView
  kLabel,     // LabelView; never materialized.
};
std::string_view NameOf(ViewKind kind);  // "FeatureView", "StreamFeatureView", …

// feast.core.FeatureViewState.
enum class ViewState : int {
  kUnspecified = 0,
  kCreated = 1,
  kGenerated = 2,
  kMaterializing = 3,
  kAvailableOnline = 4
};

struct Aggregation {
  std::string column;
  std::string function;
  std::string name;
  int64_t time_window_us = 0;
  int64_t slide_interval_us = 0;
};

struct FeatureView {
  ViewKind kind = ViewKind::kPlain;
  std::string name;
  std::string project;
  std::string description;
  std::string owner;
  std::map<std::string, std::string> tags;

  std::vector<std::string> entities;  // Entity names; {"__dummy"} for an entityless view.
  std::vector<Field> features;        // In stored order.
  std::vector<Field> entity_columns;  // Names are join keys; in stored order.
  int64_t ttl_us = 0;                 // 0: none.
  bool online = false;
  bool offline = false;
  bool disabled = false;
  std::optional<DataSource> batch_source;
  std::optional<DataSource> stream_source;
  std::vector<Aggregation> aggregations;
  bool has_transformation = false;
  std::string mode;                 // Of the transformation: "python", "pandas", "spark_sql", …
  std::string transformation_name;  // Of its function.
  std::string transformation_text;  // The source text of the function; empty: not kept.
  int source_view_count = 0;        // > 0: a view on views.
  bool enable_validation = false;
  bool enable_tiling = false;
  bool write_to_online_store = false;  // On-demand views.

  std::vector<TimeWindow> materialization_intervals;  // In recorded order.
  int current_version_number = 0;
  std::string version;  // As written: "", "latest", "v2".
  ViewState state = ViewState::kUnspecified;
  int64_t created_us = 0;
  int64_t last_updated_us = 0;
};

}  // namespace banquet
