// Lists and sets of scalars, and repeated messages.

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/list_elements.h"
#include "banquet/encode/scalar_wire.h"
#include "banquet/encode/value_rules.h"
#include "banquet/encode/value_writer.h"

namespace banquet {
namespace {

constexpr size_t kSmallSetSizeMax = 32;

// Tells first appearances. Equal is what == says: 0.0 is -0.0, and no NaN is another.
template <typename Value>
class SeenValues {
 public:
  bool Add(const Value& value) {
    if (many_.empty()) {
      if (std::ranges::find(few_, Owned(value)) != few_.end()) return false;
      few_.emplace_back(value);
      if (few_.size() > kSmallSetSizeMax) many_.insert(few_.begin(), few_.end());
      return true;
    }
    return many_.emplace(value).second;
  }

 private:
  using Owned = std::conditional_t<std::is_same_v<Value, std::string_view>, std::string, Value>;
  // Not vector<bool>, whose elements are no objects.
  using Stored = std::conditional_t<std::is_same_v<Owned, bool>, unsigned char, Owned>;
  std::vector<Stored> few_;
  std::unordered_set<Stored> many_;
};

template <typename ArrayType, typename Rule>
class ScalarListWriter final : public ValueWriter {
 public:
  ScalarListWriter(ValueShape shape, int field)
      : is_set_(shape == ValueShape::kSet), field_(field) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    const auto count = static_cast<uint64_t>(elements.end - elements.begin);
    const uint64_t guess =
        Rule::kWire == WireType::kVarint ? count : count * sizeof(typename Rule::Value);
    LengthFrame message(field_, out, guess);
    if (count > 0) {
      if constexpr (kIsBytes<Rule>) {
        BANQUET_RETURN_NOT_OK(WriteElements(elements, out));
      } else {
        LengthFrame packed(1, out, guess);
        BANQUET_RETURN_NOT_OK(WriteElements(elements, out));
        packed.Close();
      }
    }
    message.Close();
    return Status::OK();
  }

 private:
  Status WriteElements(const ListElements& elements, std::string* out) const {
    const CellReader<ArrayType> cells(*elements.values);
    const bool has_nulls = elements.values->null_count() > 0;
    std::string scratch;
    SeenValues<typename Rule::Value> seen;
    for (int64_t i = elements.begin; i < elements.end; ++i) {
      if (has_nulls && elements.values->IsNull(i)) {
        Put(Rule::kNullElement, &seen, out);
        continue;
      }
      CellOf<ArrayType> cell = cells[i];
      if constexpr (std::is_same_v<CellOf<ArrayType>, InstantCell>) {
        if (!is_set_) cell = TowardZero(cell);
      }
      typename Rule::Value value{};
      if (const Outcome outcome = Rule::From(cell, &scratch, &value); outcome != Outcome::kSet)
        return CellError(cell, outcome);
      Put(value, &seen, out);
    }
    return Status::OK();
  }

  // Feast cuts the fraction off in lists, where everywhere else, sets included, it floors.
  static InstantCell TowardZero(const InstantCell& cell) {
    return {cell.value / cell.units_per_second, 1};
  }

  void Put(const typename Rule::Value& value, SeenValues<typename Rule::Value>* seen,
           std::string* out) const {
    if (is_set_ && !seen->Add(value)) return;
    if constexpr (kIsBytes<Rule>) {
      AppendBytesField(1, value, out);
    } else {
      char buffer[kVarintSizeMax];
      out->append(buffer, static_cast<size_t>(PutPayload<Rule>(value, buffer) - buffer));
    }
  }

  const bool is_set_;
  const int field_;
};

// Lists of Arrow's null type: only their lengths are known.
template <typename Rule>
class NullListWriter final : public ValueWriter {
 public:
  NullListWriter(ValueShape shape, int field) : is_set_(shape == ValueShape::kSet), field_(field) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    int64_t count = elements.end - elements.begin;
    if (is_set_) count = std::min<int64_t>(count, 1);
    LengthFrame message(field_, out);
    if constexpr (kIsBytes<Rule>) {
      for (int64_t i = 0; i < count; ++i) AppendBytesField(1, Rule::kNullElement, out);
    } else if (count > 0) {
      LengthFrame packed(1, out);
      char buffer[kVarintSizeMax];
      const char* end = PutPayload<Rule>(Rule::kNullElement, buffer);
      for (int64_t i = 0; i < count; ++i) out->append(buffer, static_cast<size_t>(end - buffer));
      packed.Close();
    }
    message.Close();
    return Status::OK();
  }

 private:
  const bool is_set_;
  const int field_;
};

class FramedWriter final : public ValueWriter {
 public:
  FramedWriter(int field, ValueWriterPtr inner) : field_(field), inner_(std::move(inner)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    LengthFrame frame(field_, out);
    BANQUET_RETURN_NOT_OK(inner_->Write(array, row, out));
    frame.Close();
    return Status::OK();
  }

 private:
  const int field_;
  const ValueWriterPtr inner_;
};

class EachElementWriter final : public ValueWriter {
 public:
  EachElementWriter(ValueWriterPtr inner, ElementOptions options)
      : inner_(std::move(inner)), options_(std::move(options)) {}

  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    for (int64_t i = elements.begin; i < elements.end; ++i) {
      LengthFrame frame(1, out);
      if (elements.values->IsNull(i)) {
        out->append(options_.null_content);
      } else if (!options_.skip_empty_lists || !IsEmpty(*elements.values, i)) {
        BANQUET_RETURN_NOT_OK(inner_->Write(*elements.values, i, out));
      }
      frame.Close();
    }
    return Status::OK();
  }

 private:
  static bool IsEmpty(const arrow::Array& array, int64_t row) {
    const ListElements elements = ElementsAt(array, row);
    return elements.begin == elements.end;
  }
  const ValueWriterPtr inner_;
  const ElementOptions options_;
};

int ListFieldOf(ValueType element) {
  for (const ValueTypeRow& row : ValueTypes()) {
    if (row.shape == ValueShape::kList && row.element == element) return row.field;
  }
  return 0;
}

ValueWriterPtr MakeLeafListWriter(ValueType leaf, const arrow::DataType& type) {
  const arrow::DataType& element = *type.field(0)->type();
  const ValueType inferred = InferredScalarOf(element);
  for (const ValueType candidate : {leaf, inferred}) {
    const int field = candidate == ValueType::kUnknown ? 0 : ListFieldOf(candidate);
    if (field == 0) continue;
    if (auto writer = MakeScalarListWriter(candidate, ValueShape::kList, field, type))
      return writer;
  }
  return nullptr;
}

}  // namespace

ValueWriterPtr MakeScalarListWriter(ValueType element, ValueShape shape, int field,
                                    const arrow::DataType& type) {
  if (!IsList(type)) return nullptr;
  return VisitRule(
      element,
      [&]<typename Rule>(Rule) -> ValueWriterPtr {
        if (type.field(0)->type()->id() == arrow::Type::NA)
          return std::make_unique<NullListWriter<Rule>>(shape, field);
        return VisitScalarArray(
            type.field(0)->type()->id(),
            [&]<typename ArrayType>(const ArrayType*) -> ValueWriterPtr {
              if constexpr (Rule::template kElement<CellOf<ArrayType>>) {
                return std::make_unique<ScalarListWriter<ArrayType, Rule>>(shape, field);
              } else {
                return nullptr;
              }
            },
            ValueWriterPtr());
      },
      ValueWriterPtr());
}

ValueWriterPtr MakeNestedListWriter(ValueType leaf, int field, const arrow::DataType& type) {
  if (!IsList(type) || !IsList(*type.field(0)->type())) return nullptr;
  const arrow::DataType& inner = *type.field(0)->type();
  constexpr int kListVal = 42;
  ValueWriterPtr writer = IsList(*inner.field(0)->type())
                              ? MakeNestedListWriter(leaf, kListVal, inner)
                              : MakeLeafListWriter(leaf, inner);
  return MakeFramedWriter(
      field,
      MakeEachElementWriter(std::move(writer), {.null_content = {}, .skip_empty_lists = true}));
}

ValueWriterPtr MakeFramedWriter(int field, ValueWriterPtr inner) {
  if (inner == nullptr) return nullptr;
  return std::make_unique<FramedWriter>(field, std::move(inner));
}

ValueWriterPtr MakeEachElementWriter(ValueWriterPtr inner, ElementOptions options) {
  if (inner == nullptr) return nullptr;
  return std::make_unique<EachElementWriter>(std::move(inner), std::move(options));
}

}  // namespace banquet
