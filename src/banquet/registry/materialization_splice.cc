#include "banquet/registry/materialization_splice.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "banquet/registry/proto_time.h"
#include "banquet/registry/wire_fields.h"
#include "feast/core/Registry.pb.h"

namespace banquet {
namespace {

using feast::core::FeatureView;
using feast::core::FeatureViewMeta;
using feast::core::FeatureViewSpec;
using feast::core::StreamFeatureView;
using feast::core::StreamFeatureViewSpec;

// One code edits both kinds of views.
static_assert(int{FeatureView::kSpecFieldNumber} == int{StreamFeatureView::kSpecFieldNumber});
static_assert(int{FeatureView::kMetaFieldNumber} == int{StreamFeatureView::kMetaFieldNumber});
static_assert(int{FeatureViewSpec::kNameFieldNumber} ==
              int{StreamFeatureViewSpec::kNameFieldNumber});
static_assert(int{FeatureViewSpec::kProjectFieldNumber} ==
              int{StreamFeatureViewSpec::kProjectFieldNumber});

constexpr uint32_t kMetaField = FeatureView::kMetaFieldNumber;

// A message as pieces that are put together again: borrowed fields and our own.
struct Piece {
  uint32_t number = 0;
  std::string_view borrowed;
  std::string owned;
  std::string_view bytes() const { return owned.empty() ? borrowed : std::string_view(owned); }
};

class Pieces {
 public:
  explicit Pieces(const std::vector<WireField>& fields) {
    for (const WireField& field : fields)
      pieces_.push_back({.number = field.number, .borrowed = field.all, .owned = {}});
  }

  // Puts `field` where the first field of its number stands and drops the others of that number.
  void Replace(uint32_t number, std::string field) {
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (pieces_[i].number != number) continue;
      pieces_[i].owned = std::move(field);
      for (size_t later = pieces_.size() - 1; later > i; --later) {
        if (pieces_[later].number == number)
          pieces_.erase(pieces_.begin() + static_cast<ptrdiff_t>(later));
      }
      return;
    }
    Insert(number, std::move(field));
  }

  // Puts `field` behind the last field with its number or a smaller one, as protobuf itself would
  // order them.
  void Insert(uint32_t number, std::string field) {
    size_t place = pieces_.size();
    while (place > 0 && pieces_[place - 1].number > number) --place;
    pieces_.insert(pieces_.begin() + static_cast<ptrdiff_t>(place),
                   Piece{.number = number, .borrowed = {}, .owned = std::move(field)});
  }

  // Puts `field` at the place of the `index`-th of the original fields. Before any Insert.
  void ReplaceAt(size_t index, std::string field) { pieces_[index].owned = std::move(field); }

  std::string Join() const {
    size_t size = 0;
    for (const Piece& piece : pieces_) size += piece.bytes().size();
    std::string message;
    message.reserve(size);
    for (const Piece& piece : pieces_) message.append(piece.bytes());
    return message;
  }

 private:
  std::vector<Piece> pieces_;
};

std::string BytesField(uint32_t number, std::string_view content) {
  std::string field;
  AppendBytesField(number, content, &field);
  return field;
}

std::string TimestampField(uint32_t number, int64_t us) {
  return BytesField(number, TimestampOf(us).SerializeAsString());
}

// The name and project of a view entry; protobuf lets the last of several win.
struct ViewName {
  std::string_view name;
  std::string_view project;
};

Result<ViewName> NameOfEntry(std::string_view entry) {
  ViewName found;
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(entry));
  for (const WireField& field : fields) {
    if (!field.Is(FeatureView::kSpecFieldNumber, WireType::kBytes)) continue;
    BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> spec, SplitFields(field.value));
    for (const WireField& part : spec) {
      if (part.Is(FeatureViewSpec::kNameFieldNumber, WireType::kBytes)) found.name = part.value;
      if (part.Is(FeatureViewSpec::kProjectFieldNumber, WireType::kBytes))
        found.project = part.value;
    }
  }
  return found;
}

Result<std::string> SpliceMeta(std::string_view meta, const MaterializationRecord& record,
                               int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(meta));
  feast::core::MaterializationInterval interval;
  *interval.mutable_start_time() = TimestampOf(record.window.start_us);
  *interval.mutable_end_time() = TimestampOf(record.window.end_us);
  std::string state;
  AppendVarintField(FeatureViewMeta::kStateFieldNumber, feast::core::AVAILABLE_ONLINE, &state);
  Pieces pieces(fields);
  pieces.Replace(FeatureViewMeta::kLastUpdatedTimestampFieldNumber,
                 TimestampField(FeatureViewMeta::kLastUpdatedTimestampFieldNumber, now_us));
  pieces.Replace(FeatureViewMeta::kStateFieldNumber, std::move(state));
  pieces.Insert(FeatureViewMeta::kMaterializationIntervalsFieldNumber,
                BytesField(FeatureViewMeta::kMaterializationIntervalsFieldNumber,
                           interval.SerializeAsString()));
  return pieces.Join();
}

Result<std::optional<size_t>> FindEntry(const std::vector<WireField>& fields, uint32_t list,
                                        const MaterializationRecord& record) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].Is(list, WireType::kBytes)) continue;
    BANQUET_ASSIGN_OR_RETURN(const ViewName found, NameOfEntry(fields[i].value));
    if (found.name == record.view && found.project == record.project) return i;
  }
  return std::nullopt;
}

// Among the feature views, then the stream feature views.
Result<std::optional<size_t>> FindView(const std::vector<WireField>& fields,
                                       const MaterializationRecord& record) {
  using feast::core::Registry;
  BANQUET_ASSIGN_OR_RETURN(const std::optional<size_t> place,
                           FindEntry(fields, Registry::kFeatureViewsFieldNumber, record));
  if (place.has_value()) return place;
  return FindEntry(fields, Registry::kStreamFeatureViewsFieldNumber, record);
}

}  // namespace

// Of several metas protobuf makes one, in which the last one's values win: that one is edited.
Result<std::string> SpliceViewMaterialization(std::string_view view,
                                              const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(view));
  std::optional<size_t> meta;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].Is(kMetaField, WireType::kBytes)) meta = i;
  }
  BANQUET_ASSIGN_OR_RETURN(
      const std::string spliced,
      SpliceMeta(meta.has_value() ? fields[*meta].value : std::string_view(), record, now_us));
  std::string field = BytesField(kMetaField, spliced);
  Pieces pieces(fields);
  if (meta.has_value()) {
    pieces.ReplaceAt(*meta, std::move(field));
  } else {
    pieces.Insert(kMetaField, std::move(field));
  }
  return pieces.Join();
}

Result<bool> HoldsMaterialization(std::string_view view, const MaterializationRecord& record,
                                  int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(view));
  FeatureViewMeta meta;
  for (const WireField& field : fields) {
    if (!field.Is(kMetaField, WireType::kBytes)) continue;
    FeatureViewMeta part;
    if (!part.ParseFromArray(field.value.data(), static_cast<int>(field.value.size())))
      return DataError("The view's meta does not parse");
    meta.MergeFrom(part);
  }
  if (MicrosecondsOf(meta.last_updated_timestamp()) != now_us) return false;
  return std::ranges::any_of(meta.materialization_intervals(), [&](const auto& interval) {
    return MicrosecondsOf(interval.start_time()) == record.window.start_us &&
           MicrosecondsOf(interval.end_time()) == record.window.end_us;
  });
}

Result<bool> RegistryHoldsMaterialization(std::string_view registry,
                                          const MaterializationRecord& record, int64_t now_us) {
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(registry));
  BANQUET_ASSIGN_OR_RETURN(const std::optional<size_t> place, FindView(fields, record));
  if (!place.has_value()) return false;
  return HoldsMaterialization(fields[*place].value, record, now_us);
}

Status ViewIsGone(const MaterializationRecord& record) {
  return UserError(
      "View is no longer there, so its interval cannot be recorded: {} of project {}; run `feast "
      "apply` and materialize it again",
      record.view, record.project);
}

Result<std::string> SpliceMaterialization(std::string_view registry,
                                          const MaterializationRecord& record,
                                          const RegistryStamp& stamp) {
  using feast::core::Registry;
  BANQUET_ASSIGN_OR_RETURN(const std::vector<WireField> fields, SplitFields(registry));
  BANQUET_ASSIGN_OR_RETURN(const std::optional<size_t> place, FindView(fields, record));
  if (!place.has_value()) return ViewIsGone(record);
  BANQUET_ASSIGN_OR_RETURN(const std::string entry,
                           SpliceViewMaterialization(fields[*place].value, record, stamp.now_us));
  Pieces pieces(fields);
  pieces.ReplaceAt(*place, BytesField(fields[*place].number, entry));
  pieces.Replace(Registry::kVersionIdFieldNumber,
                 BytesField(Registry::kVersionIdFieldNumber, stamp.version_id));
  pieces.Replace(Registry::kLastUpdatedFieldNumber,
                 TimestampField(Registry::kLastUpdatedFieldNumber, stamp.now_us));
  return pieces.Join();
}

}  // namespace banquet
