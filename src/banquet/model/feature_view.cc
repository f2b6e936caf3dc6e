#include "banquet/model/feature_view.h"

namespace banquet {

std::string_view NameOf(ViewKind kind) {
  switch (kind) {
    case ViewKind::kPlain:
      return "FeatureView";
    case ViewKind::kBatch:
      return "BatchFeatureView";
    case ViewKind::kStream:
      return "StreamFeatureView";
    case ViewKind::kOnDemand:
      return "OnDemandFeatureView";
    case ViewKind::kLabel:
      return "LabelView";
  }
  return "FeatureView";
}

}  // namespace banquet
