#include "banquet/registry/decode_feature_view.h"

#include "banquet/registry/proto_time.h"

namespace banquet {
namespace {

using FieldList = google::protobuf::RepeatedPtrField<feast::core::FeatureSpecV2>;

std::vector<Field> DecodeFields(const FieldList& list) {
  std::vector<Field> fields;
  fields.reserve(static_cast<size_t>(list.size()));
  for (const feast::core::FeatureSpecV2& field : list) {
    fields.push_back({.name = field.name(),
                      .type = static_cast<ValueType>(field.value_type()),
                      .tags = DecodeMap(field.tags()),
                      .description = field.description()});
  }
  return fields;
}

std::vector<Aggregation> DecodeAggregations(
    const google::protobuf::RepeatedPtrField<feast::core::Aggregation>& list) {
  std::vector<Aggregation> aggregations;
  for (const feast::core::Aggregation& aggregation : list) {
    aggregations.push_back(DecodeAggregation(aggregation));
  }
  return aggregations;
}

// What every kind of spec has under the same names.
template <typename Spec>
FeatureView DecodeCommonSpec(ViewKind kind, const Spec& spec) {
  FeatureView view;
  view.kind = kind;
  view.name = spec.name();
  view.project = spec.project();
  view.description = spec.description();
  view.owner = spec.owner();
  view.tags = DecodeMap(spec.tags());
  view.entities.assign(spec.entities().begin(), spec.entities().end());
  view.features = DecodeFields(spec.features());
  view.entity_columns = DecodeFields(spec.entity_columns());
  return view;
}

template <typename Meta>
void DecodeCommonMeta(const Meta& meta, FeatureView* view) {
  view->created_us = MicrosecondsOf(meta.created_timestamp());
  view->last_updated_us = MicrosecondsOf(meta.last_updated_timestamp());
}

void DecodeMeta(const feast::core::FeatureViewMeta& meta, FeatureView* view) {
  DecodeCommonMeta(meta, view);
  for (const feast::core::MaterializationInterval& interval : meta.materialization_intervals()) {
    view->materialization_intervals.push_back({.start_us = MicrosecondsOf(interval.start_time()),
                                               .end_us = MicrosecondsOf(interval.end_time())});
  }
  view->current_version_number = meta.current_version_number();
  view->state = static_cast<ViewState>(meta.state());
}

// What plain and stream views share: sources, and the source to materialize from.
template <typename Spec>
void DecodeSources(const Spec& spec, FeatureView* view) {
  view->ttl_us = MicrosecondsOf(spec.ttl());
  view->online = spec.online();
  if (spec.has_batch_source()) view->batch_source = DecodeSource(spec.batch_source());
  if (!spec.has_stream_source()) return;
  view->stream_source = DecodeSource(spec.stream_source());
  if (!view->batch_source.has_value() && spec.stream_source().has_batch_source())
    view->batch_source = DecodeSource(spec.stream_source().batch_source());
}

// The mode the view names, or else the one its function names.
template <typename Spec>
std::string ModeOf(const Spec& spec) {
  if (!spec.mode().empty()) return spec.mode();
  return spec.feature_transformation().user_defined_function().mode();
}

template <typename Function>
void DecodeFunction(const Function& function, FeatureView* view) {
  view->transformation_name = function.name();
  view->transformation_text = function.body_text();
}

}  // namespace

std::map<std::string, std::string> DecodeMap(
    const google::protobuf::Map<std::string, std::string>& map) {
  return {map.begin(), map.end()};
}

Aggregation DecodeAggregation(const feast::core::Aggregation& aggregation) {
  return {.column = aggregation.column(),
          .function = aggregation.function(),
          .name = aggregation.name(),
          .time_window_us = MicrosecondsOf(aggregation.time_window()),
          .slide_interval_us = MicrosecondsOf(aggregation.slide_interval())};
}

FeatureView DecodeView(const feast::core::FeatureView& view) {
  const feast::core::FeatureViewSpec& spec = view.spec();
  // Feast has no message for batch feature views: a transformation makes the difference.
  const bool is_batch = spec.has_feature_transformation();
  FeatureView decoded = DecodeCommonSpec(is_batch ? ViewKind::kBatch : ViewKind::kPlain, spec);
  DecodeSources(spec, &decoded);
  decoded.offline = spec.offline();
  decoded.has_transformation = is_batch;
  decoded.mode = ModeOf(spec);
  DecodeFunction(spec.feature_transformation().user_defined_function(), &decoded);
  decoded.source_view_count = spec.source_views_size();
  decoded.enable_validation = spec.enable_validation();
  decoded.version = spec.version();
  decoded.disabled = spec.disabled();
  DecodeMeta(view.meta(), &decoded);
  return decoded;
}

FeatureView DecodeView(const feast::core::StreamFeatureView& view) {
  const feast::core::StreamFeatureViewSpec& spec = view.spec();
  FeatureView decoded = DecodeCommonSpec(ViewKind::kStream, spec);
  DecodeSources(spec, &decoded);
  if (decoded.batch_source.has_value() && decoded.batch_source->timestamp_field.empty())
    decoded.batch_source->timestamp_field = spec.timestamp_field();
  decoded.aggregations = DecodeAggregations(spec.aggregations());
  decoded.has_transformation =
      spec.has_user_defined_function() || spec.has_feature_transformation();
  decoded.mode = ModeOf(spec);
  if (spec.has_feature_transformation()) {
    DecodeFunction(spec.feature_transformation().user_defined_function(), &decoded);
  } else {
    DecodeFunction(spec.user_defined_function(), &decoded);
  }
  decoded.enable_tiling = spec.enable_tiling();
  decoded.enable_validation = spec.enable_validation();
  decoded.version = spec.version();
  decoded.disabled = spec.disabled();
  DecodeMeta(view.meta(), &decoded);
  return decoded;
}

FeatureView DecodeView(const feast::core::OnDemandFeatureView& view) {
  const feast::core::OnDemandFeatureViewSpec& spec = view.spec();
  FeatureView decoded = DecodeCommonSpec(ViewKind::kOnDemand, spec);
  decoded.has_transformation =
      spec.has_user_defined_function() || spec.has_feature_transformation();
  decoded.mode = ModeOf(spec);
  decoded.write_to_online_store = spec.write_to_online_store();
  decoded.aggregations = DecodeAggregations(spec.aggregations());
  decoded.version = spec.version();
  decoded.disabled = spec.disabled();
  DecodeCommonMeta(view.meta(), &decoded);
  decoded.current_version_number = view.meta().current_version_number();
  decoded.state = static_cast<ViewState>(view.meta().state());
  return decoded;
}

FeatureView DecodeView(const feast::core::LabelView& view) {
  const feast::core::LabelViewSpec& spec = view.spec();
  FeatureView decoded = DecodeCommonSpec(ViewKind::kLabel, spec);
  decoded.ttl_us = MicrosecondsOf(spec.ttl());
  decoded.online = spec.online();
  if (spec.source().has_batch_source()) {
    decoded.stream_source = DecodeSource(spec.source());
    decoded.batch_source = DecodeSource(spec.source().batch_source());
  } else if (spec.has_source()) {
    decoded.batch_source = DecodeSource(spec.source());
  }
  DecodeCommonMeta(view.meta(), &decoded);
  return decoded;
}

}  // namespace banquet
