#include "banquet/offline/column_types.h"

#include <algorithm>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/array/data.h"
#include "arrow/array/util.h"
#include "arrow/compute/cast.h"
#include "arrow/extension_type.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "arrow/util/checked_cast.h"

namespace banquet::offline {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<arrow::DataType>;

arrow::FieldVector PlainFieldsOf(const arrow::DataType& type) {
  arrow::FieldVector fields;
  for (const std::shared_ptr<arrow::Field>& field : type.fields()) {
    fields.push_back(field->WithType(PlainTypeOf(field->type())));
  }
  return fields;
}

bool IsText(Type::type id) { return id == Type::STRING || id == Type::LARGE_STRING; }
bool IsBytes(Type::type id) { return id == Type::BINARY || id == Type::LARGE_BINARY; }

TypePtr SignedOfWidth(int bits) {
  if (bits <= 8) return arrow::int8();
  if (bits <= 16) return arrow::int16();
  if (bits <= 32) return arrow::int32();
  return bits <= 64 ? arrow::int64() : nullptr;
}

TypePtr UnifiedIntegers(const TypePtr& a, const TypePtr& b) {
  const bool a_signed = arrow::is_signed_integer(a->id());
  const bool b_signed = arrow::is_signed_integer(b->id());
  if (a_signed == b_signed) return a->bit_width() >= b->bit_width() ? a : b;
  const TypePtr& with_sign = a_signed ? a : b;
  const TypePtr& without = a_signed ? b : a;
  return SignedOfWidth(std::max(with_sign->bit_width(), 2 * without->bit_width()));
}

TypePtr UnifiedTimestamps(const TypePtr& a, const TypePtr& b) {
  const auto& left = checked_cast<const arrow::TimestampType&>(*a);
  const auto& right = checked_cast<const arrow::TimestampType&>(*b);
  return arrow::timestamp(std::max(left.unit(), right.unit()),
                          left.timezone() == right.timezone() ? left.timezone() : "UTC");
}

TypePtr UnifiedDecimals(const TypePtr& a, const TypePtr& b) {
  const auto& left = checked_cast<const arrow::DecimalType&>(*a);
  const auto& right = checked_cast<const arrow::DecimalType&>(*b);
  if (left.scale() != right.scale()) return nullptr;
  const int32_t precision = std::max(left.precision(), right.precision());
  const TypePtr& wider = left.bit_width() >= right.bit_width() ? a : b;
  Result<TypePtr> type = arrow::DecimalType::Make(wider->id(), precision, left.scale());
  return type.ok() ? *type : nullptr;
}

TypePtr UnifiedLists(const TypePtr& a, const TypePtr& b) {
  const TypePtr element = UnifiedType(a->field(0)->type(), b->field(0)->type());
  if (element == nullptr) return nullptr;
  const auto field = a->field(0)->WithType(element)->WithNullable(true);
  const bool large = a->id() == Type::LARGE_LIST || b->id() == Type::LARGE_LIST;
  return large ? arrow::large_list(field) : arrow::list(field);
}

TypePtr UnifiedStructs(const TypePtr& a, const TypePtr& b) {
  if (a->num_fields() != b->num_fields()) return nullptr;
  arrow::FieldVector fields;
  for (int i = 0; i < a->num_fields(); ++i) {
    if (a->field(i)->name() != b->field(i)->name()) return nullptr;
    TypePtr type = UnifiedType(a->field(i)->type(), b->field(i)->type());
    if (type == nullptr) return nullptr;
    fields.push_back(arrow::field(a->field(i)->name(), std::move(type)));
  }
  return arrow::struct_(fields);
}

bool IsList(Type::type id) { return id == Type::LIST || id == Type::LARGE_LIST; }

// A timestamp's zone is only a label on the UTC instant.
std::shared_ptr<arrow::Array> Relabelled(const arrow::Array& array, TypePtr type) {
  std::shared_ptr<arrow::ArrayData> data = array.data()->Copy();
  data->type = std::move(type);
  return arrow::MakeArray(data);
}

}  // namespace

TypePtr PlainTypeOf(const TypePtr& type) {
  switch (type->id()) {
    case Type::DICTIONARY:
      return PlainTypeOf(checked_cast<const arrow::DictionaryType&>(*type).value_type());
    case Type::EXTENSION:
      return PlainTypeOf(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
    case Type::STRING_VIEW:
      return arrow::utf8();
    case Type::BINARY_VIEW:
      return arrow::binary();
    case Type::LIST:
    case Type::LIST_VIEW:
      return arrow::list(PlainFieldsOf(*type)[0]);
    case Type::LARGE_LIST:
    case Type::LARGE_LIST_VIEW:
      return arrow::large_list(PlainFieldsOf(*type)[0]);
    case Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          PlainFieldsOf(*type)[0],
          checked_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case Type::STRUCT:
      return arrow::struct_(PlainFieldsOf(*type));
    case Type::MAP: {
      const auto& map = checked_cast<const arrow::MapType&>(*type);
      return arrow::map(PlainTypeOf(map.key_type()),
                        map.item_field()->WithType(PlainTypeOf(map.item_type())),
                        map.keys_sorted());
    }
    default:
      return type;
  }
}

TypePtr UnifiedType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (a->id() == Type::NA) return b;
  if (b->id() == Type::NA) return a;
  const Type::type left = a->id();
  const Type::type right = b->id();
  if (arrow::is_integer(left) && arrow::is_integer(right)) return UnifiedIntegers(a, b);
  if (arrow::is_floating(left) && arrow::is_floating(right)) {
    return a->bit_width() >= b->bit_width() ? a : b;
  }
  if (IsText(left) && IsText(right)) return arrow::large_utf8();
  if (IsBytes(left) && IsBytes(right)) return arrow::large_binary();
  if (left == Type::TIMESTAMP && right == Type::TIMESTAMP) return UnifiedTimestamps(a, b);
  if (arrow::is_decimal(left) && arrow::is_decimal(right)) return UnifiedDecimals(a, b);
  if (IsList(left) && IsList(right)) return UnifiedLists(a, b);
  if (left == Type::STRUCT && right == Type::STRUCT) return UnifiedStructs(a, b);
  return nullptr;
}

Result<std::shared_ptr<arrow::Array>> ConvertArray(const std::shared_ptr<arrow::Array>& array,
                                                   const TypePtr& type) {
  std::shared_ptr<arrow::Array> plain = array;
  if (plain->type_id() == Type::EXTENSION) {
    plain = checked_cast<const arrow::ExtensionArray&>(*plain).storage();
  }
  if (plain->type()->Equals(*type)) return plain;
  if (plain->type_id() == Type::TIMESTAMP && type->id() == Type::TIMESTAMP) {
    const auto& target = checked_cast<const arrow::TimestampType&>(*type);
    const auto& stored = checked_cast<const arrow::TimestampType&>(*plain->type());
    plain = Relabelled(*plain, arrow::timestamp(stored.unit(), target.timezone()));
    if (stored.unit() == target.unit()) return plain;
  }
  return arrow::compute::Cast(*plain, type, arrow::compute::CastOptions::Safe());
}

}  // namespace banquet::offline
