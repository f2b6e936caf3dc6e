#pragma once
// Writers of one value at a time: what lists, maps and structs are put together from.

#include <memory>
#include <string>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/model/value_type.h"

namespace banquet {

// Appends the protobuf of one cell. Chosen once for an Arrow type; const, safe to share between
// threads.
class ValueWriter {
 public:
  virtual ~ValueWriter() = default;
  // Cell `row` of `array`, which has the type that the writer was made for, is not null. Appends
  // the fields of a message (for most writers: of feast.types.Value); appending nothing is the
  // unset value. After an error `out` is damaged.
  virtual Status Write(const arrow::Array& array, int64_t row, std::string* out) const = 0;
};

using ValueWriterPtr = std::unique_ptr<const ValueWriter>;

// All of these take plain types (plain_array.h), and give null when the Arrow type can never become
// that value.

// One scalar under field number `field`.
ValueWriterPtr MakeScalarWriter(ValueType scalar, int field, const arrow::DataType& type);
// XList and XSet messages of scalars from any list type. Sets keep the first of equal elements.
ValueWriterPtr MakeScalarListWriter(ValueType element, ValueShape shape, int field,
                                    const arrow::DataType& type);
// RepeatedValue: lists of lists, to any depth. `leaf` is the declared type of the innermost
// elements; unknown: inferred.
ValueWriterPtr MakeNestedListWriter(ValueType leaf, int field, const arrow::DataType& type);

// MAP and STRUCT from structs, maps with text keys, JSON text; STRUCT also {"_value": str(x)} from
// any other scalar.
ValueWriterPtr MakeMapWriter(ValueType map_or_struct, int field, const arrow::DataType& type);
// MAP_LIST and STRUCT_LIST from lists of those, and from JSON text.
ValueWriterPtr MakeMapListWriter(ValueType map_or_struct, int field, const arrow::DataType& type);
// SCALAR_MAP from maps whose keys are not text.
ValueWriterPtr MakeScalarMapWriter(int field, const arrow::DataType& type);
// ZONED_TIMESTAMP from timestamps with a zone: the whole second, floored, and the column's zone.
ValueWriterPtr MakeZonedTimestampWriter(int field, const arrow::DataType& type);
// JSON: text as it is, once validated; all else as json.dumps writes it. And lists of those.
ValueWriterPtr MakeJsonWriter(int field, const arrow::DataType& type);
ValueWriterPtr MakeJsonListWriter(int field, const arrow::DataType& type);

// A Value of the type that Feast would infer (feast-compat 4.7): any integer int64, any float
// double, struct and map a map, lists by their elements. Null cells are the caller's.
ValueWriterPtr MakeInferredWriter(const arrow::DataType& type);
// Of a scalar Arrow type; kUnknown otherwise.
ValueType InferredScalarOf(const arrow::DataType& type);

// The content of `inner` as a message under `field`.
ValueWriterPtr MakeFramedWriter(int field, ValueWriterPtr inner);

// What becomes of elements that `inner` does not write.
struct ElementOptions {
  std::string null_content;       // Of null elements.
  bool skip_empty_lists = false;  // Empty inner lists are written as no content.
};
// repeated message val = 1, one for every element of a list cell; null when `inner` is null.
ValueWriterPtr MakeEachElementWriter(ValueWriterPtr inner, ElementOptions options);

}  // namespace banquet
