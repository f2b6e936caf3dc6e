#pragma once
// Feast's views, fields and sources as plain data. Enums are open: numbers unknown here are kept.

#include <map>
#include <string>
#include <vector>

#include "banquet/model/feature_view.h"
#include "feast/core/FeatureView.pb.h"
#include "feast/core/LabelView.pb.h"
#include "feast/core/OnDemandFeatureView.pb.h"
#include "feast/core/StreamFeatureView.pb.h"

namespace banquet {

FeatureView DecodeView(const feast::core::FeatureView& view);
FeatureView DecodeView(const feast::core::StreamFeatureView& view);
FeatureView DecodeView(const feast::core::OnDemandFeatureView& view);
FeatureView DecodeView(const feast::core::LabelView& view);

Aggregation DecodeAggregation(const feast::core::Aggregation& aggregation);

DataSource DecodeSource(const feast::core::DataSource& source);

std::map<std::string, std::string> DecodeMap(
    const google::protobuf::Map<std::string, std::string>& map);

}  // namespace banquet
