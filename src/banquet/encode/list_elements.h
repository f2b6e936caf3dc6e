#pragma once
// The elements of one cell of any list column.

#include <cstdint>

#include "arrow/array.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"

namespace banquet {

// Elements begin..end of `values`. Borrows the list array.
struct ListElements {
  const arrow::Array* values;
  int64_t begin;
  int64_t end;
};

inline bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

template <typename ListArrayType>
ListElements ElementsOf(const arrow::Array& array, int64_t row) {
  const auto& list = arrow::internal::checked_cast<const ListArrayType&>(array);
  const int64_t begin = list.value_offset(row);
  return {list.values().get(), begin, begin + list.value_length(row)};
}

// `array` is of a plain list type or a map, whose elements are its entries.
inline ListElements ElementsAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::LARGE_LIST:
      return ElementsOf<arrow::LargeListArray>(array, row);
    case arrow::Type::FIXED_SIZE_LIST:
      return ElementsOf<arrow::FixedSizeListArray>(array, row);
    default:
      return ElementsOf<arrow::ListArray>(array, row);
  }
}

}  // namespace banquet
