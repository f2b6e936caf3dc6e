#pragma once
// Whether two stored values are the same value.

#include <string_view>

#include "banquet/model/value_type.h"

namespace banquet {

// Equal bytes are; so are maps, structs and sets of the same entries in another order, which is
// Python's accident where Feast wrote them (docs/feast-differences.md). Damaged bytes are equal to
// themselves alone.
bool IsSameValue(ValueType type, std::string_view a, std::string_view b);

}  // namespace banquet
