#include "banquet/encode/plain_array.h"

#include <utility>
#include <vector>

#include "arrow/array.h"
#include "arrow/array/data.h"
#include "arrow/compute/api_vector.h"
#include "arrow/compute/cast.h"
#include "arrow/datum.h"
#include "arrow/extension_type.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"

namespace banquet {
namespace {

using arrow::internal::checked_cast;

// The same nested type over other children.
std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type,
                                              arrow::FieldVector children) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return arrow::list(children[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(children[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          children[0], checked_cast<const arrow::FixedSizeListType&>(type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(
          children[0], checked_cast<const arrow::MapType&>(type).keys_sorted());
    default:
      return arrow::struct_(children);
  }
}

bool HasPlainShape(arrow::Type::type id) {
  return id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST ||
         id == arrow::Type::FIXED_SIZE_LIST || id == arrow::Type::MAP || id == arrow::Type::STRUCT;
}

// What a type that is not plain itself is cast to; its children may still be anything. Null: it is
// plain.
std::shared_ptr<arrow::DataType> CastTargetOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return checked_cast<const arrow::DictionaryType&>(type).value_type();
    case arrow::Type::RUN_END_ENCODED:
      return checked_cast<const arrow::RunEndEncodedType&>(type).value_type();
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::large_binary();
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
      return arrow::large_list(type.field(0));
    default:
      return nullptr;
  }
}

Result<std::shared_ptr<arrow::ArrayData>> PlainData(const std::shared_ptr<arrow::ArrayData>& data) {
  if (data->type->id() == arrow::Type::EXTENSION) {
    auto storage = data->Copy();
    storage->type = checked_cast<const arrow::ExtensionType&>(*data->type).storage_type();
    return PlainData(storage);
  }
  if (data->type->id() == arrow::Type::RUN_END_ENCODED) {
    BANQUET_ASSIGN_OR_RETURN(const arrow::Datum decoded, arrow::compute::RunEndDecode(data));
    return PlainData(decoded.array());
  }
  if (const auto target = CastTargetOf(*data->type)) {
    BANQUET_ASSIGN_OR_RETURN(auto cast, arrow::compute::Cast(*arrow::MakeArray(data), target));
    return PlainData(cast->data());
  }
  if (!HasPlainShape(data->type->id())) return data;
  auto plain = data->Copy();
  plain->type = PlainTypeOf(data->type);
  for (auto& child : plain->child_data) {
    BANQUET_ASSIGN_OR_RETURN(child, PlainData(child));
  }
  return plain;
}

}  // namespace

std::shared_ptr<arrow::DataType> PlainTypeOf(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::EXTENSION)
    return PlainTypeOf(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
  if (const auto target = CastTargetOf(*type)) return PlainTypeOf(target);
  if (!HasPlainShape(type->id())) return type;
  arrow::FieldVector children;
  bool changed = false;
  for (const auto& child : type->fields()) {
    const auto plain = PlainTypeOf(child->type());
    changed = changed || plain != child->type();
    children.push_back(child->WithType(plain));
  }
  return changed ? WithChildren(*type, std::move(children)) : type;
}

Result<std::shared_ptr<arrow::Array>> PlainArrayOf(const std::shared_ptr<arrow::Array>& array) {
  BANQUET_ASSIGN_OR_RETURN(auto data, PlainData(array->data()));
  return arrow::MakeArray(data);
}

}  // namespace banquet
