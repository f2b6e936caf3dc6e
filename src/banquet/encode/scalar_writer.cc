// Scalars one at a time, inside maps and structs.

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/scalar_wire.h"
#include "banquet/encode/value_rules.h"
#include "banquet/encode/value_writer.h"

namespace banquet {
namespace {

template <typename ArrayType, typename Rule>
class ScalarWriter final : public ValueWriter {
 public:
  explicit ScalarWriter(int field) : field_(field) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const CellOf<ArrayType> cell = CellReader<ArrayType>(array)[row];
    typename Rule::Value value{};
    std::string scratch;
    const Outcome outcome = Rule::From(cell, &scratch, &value);
    if (outcome > Outcome::kUnset) return CellError(cell, outcome);
    if (outcome == Outcome::kSet && !IsNan(value)) AppendScalarField<Rule>(field_, value, out);
    return Status::OK();
  }

 private:
  const int field_;
};

}  // namespace

ValueWriterPtr MakeScalarWriter(ValueType scalar, int field, const arrow::DataType& type) {
  return VisitRule(
      scalar,
      [&]<typename Rule>(Rule) {
        return VisitScalarArray(
            type.id(),
            [&]<typename ArrayType>(const ArrayType*) -> ValueWriterPtr {
              if constexpr (Converts<Rule, CellOf<ArrayType>>) {
                return std::make_unique<ScalarWriter<ArrayType, Rule>>(field);
              } else {
                return nullptr;
              }
            },
            ValueWriterPtr());
      },
      ValueWriterPtr());
}

}  // namespace banquet
