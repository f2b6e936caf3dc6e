#pragma once
// Values of the rules of value_rules.h on the wire, and which rule belongs to which Feast type.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "banquet/base/status.h"
#include "banquet/encode/value_rules.h"
#include "banquet/encode/wire.h"
#include "banquet/model/value_type.h"

namespace banquet {

template <typename Rule>
inline constexpr bool kIsBytes = Rule::kWire == WireType::kBytes;

// The most that PutPayload writes.
template <typename Rule>
inline constexpr int kPayloadSizeMax = Rule::kWire == WireType::kVarint
                                           ? kVarintSizeMax
                                           : static_cast<int>(sizeof(typename Rule::Value));

// What follows the tag of a number, or stands in a packed list.
template <typename Rule>
char* PutPayload(typename Rule::Value value, char* at) {
  if constexpr (Rule::kWire == WireType::kVarint) {
    return PutVarint(static_cast<uint64_t>(value), at);
  } else {
    return PutFixed(value, at);
  }
}

template <typename Rule>
void AppendScalarField(int field, typename Rule::Value value, std::string* out) {
  if constexpr (kIsBytes<Rule>) {
    AppendBytesField(field, value, out);
  } else {
    char buffer[kTagSizeMax + kVarintSizeMax];
    char* end = PutPayload<Rule>(value, PutVarint(TagOf(field, Rule::kWire), buffer));
    out->append(buffer, static_cast<size_t>(end - buffer));
  }
}

// A scalar NaN is a null (feast-compat section 0, fact 4).
template <typename Value>
bool IsNan(const Value& value) {
  if constexpr (std::is_floating_point_v<Value>) return std::isnan(value);
  return false;
}

template <typename Cell>
Status CellError(const Cell& cell, Outcome outcome) {
  return DataError("Value {}: {}", ReasonOf(outcome), ShowCell(cell));
}

// Calls `visit` with an object of the rule that scalar `type` has; returns what it returns, or
// `otherwise`.
template <typename Visit, typename Answer>
Answer VisitRule(ValueType type, Visit&& visit, Answer otherwise) {
  switch (type) {
    case ValueType::kBytes:
    case ValueType::kPdfBytes:
    case ValueType::kImageBytes:
      return visit(BytesRule());
    case ValueType::kString:
      return visit(StringRule());
    case ValueType::kInt32:
      return visit(IntRule<int32_t>());
    case ValueType::kInt64:
      return visit(IntRule<int64_t>());
    case ValueType::kDouble:
      return visit(RealRule<double>());
    case ValueType::kFloat:
      return visit(RealRule<float>());
    case ValueType::kBool:
      return visit(BoolRule());
    case ValueType::kUnixTimestamp:
      return visit(UnixTimestampRule());
    case ValueType::kUuid:
    case ValueType::kTimeUuid:
      return visit(UuidRule());
    case ValueType::kDecimal:
      return visit(DecimalRule());
    default:
      return otherwise;
  }
}

}  // namespace banquet
