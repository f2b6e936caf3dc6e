// Columns of scalars: the hot loops, one instance for each pair of Arrow array and rule.

#include <algorithm>
#include <cstring>

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/field_encoder.h"
#include "banquet/encode/python_text.h"
#include "banquet/encode/scalar_wire.h"
#include "banquet/encode/value_rules.h"

namespace banquet {
namespace {

template <typename Rule>
inline constexpr bool kIsNumber = !kIsBytes<Rule> && !std::is_same_v<Rule, UnixTimestampRule>;

// The text and the number beside the value bytes (feast-compat 6.3).
template <typename Rule>
class SideColumns {
 public:
  SideColumns(ValueType scalar, EncodeNeeds needs)
      : has_text_(scalar == ValueType::kString), needs_(needs) {}

  void Append(typename Rule::Value value, EncodedFeature* out) const {
    if (needs_.value_text) {
      bool valid = true;
      if constexpr (std::is_same_v<Rule, BoolRule>) {
        AppendPythonBool(value, &out->text.data);
      } else if constexpr (std::is_floating_point_v<typename Rule::Value>) {
        AppendPythonFloat(static_cast<double>(value), &out->text.data);
      } else if constexpr (kIsNumber<Rule>) {
        AppendPythonInt(value, &out->text.data);
      } else if constexpr (kIsBytes<Rule>) {
        valid = has_text_;
        if (valid) out->text.data.append(value);
      } else {
        valid = false;
      }
      out->text.Close();
      out->text_valid.push_back(valid ? 1 : 0);
    }
    if (needs_.value_num) {
      if constexpr (kIsNumber<Rule>) {
        out->num.push_back(static_cast<double>(value));
        out->num_valid.push_back(1);
      } else {
        AppendNullNum(out);
      }
    }
  }

  void AppendNull(EncodedFeature* out) const {
    if (needs_.value_text) {
      out->text.Close();
      out->text_valid.push_back(0);
    }
    if (needs_.value_num) AppendNullNum(out);
  }

  bool wanted() const { return needs_.value_text || needs_.value_num; }

 private:
  static void AppendNullNum(EncodedFeature* out) {
    out->num.push_back(0);
    out->num_valid.push_back(0);
  }
  const bool has_text_;  // Of the rules for bytes only STRING's has text.
  const EncodeNeeds needs_;
};

// Appends to the values of a feature through plain pointers: room is made for many values at once.
class ValueCursor {
 public:
  // Room for the ends of `rows` values, and for `bytes` of them.
  ValueCursor(BytesColumn* values, size_t rows, size_t bytes)
      : data_(&values->data), used_(values->data.size()) {
    const size_t closed = values->offsets.size();
    values->offsets.resize(closed + rows);
    end_of_value_ = values->offsets.data() + closed;
    data_->resize(used_ + bytes);
  }
  char* at() { return data_->data() + used_; }
  void set_end(const char* end) { used_ = static_cast<size_t>(end - data_->data()); }
  void Reserve(size_t bytes) {
    if (data_->size() - used_ < bytes) data_->resize(std::max(2 * data_->size(), used_ + bytes));
  }
  void Close() { *end_of_value_++ = used_; }
  void Finish() { data_->resize(used_); }

 private:
  std::string* const data_;
  size_t used_;
  uint64_t* end_of_value_;
};

// The bytes of a field's tag.
class Tag {
 public:
  Tag(int field, WireType type)
      : size_(static_cast<size_t>(PutVarint(TagOf(field, type), bytes_) - bytes_)) {}
  char* Put(char* at) const {
    at[0] = bytes_[0];
    if (size_ > 1) std::memcpy(at, bytes_, size_);
    return at + size_;
  }

 private:
  char bytes_[kVarintSizeMax] = {};
  size_t size_;
};

template <typename ArrayType, typename Rule>
class ScalarFieldEncoder final : public FieldEncoder {
 public:
  ScalarFieldEncoder(ValueType scalar, int field, EncodeNeeds needs)
      : tag_(field, Rule::kWire), side_(scalar, needs) {}

  Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                int64_t* failed_row) const override {
    const CellReader<ArrayType> cells(*column);
    const bool has_nulls = column->null_count() > 0;
    const auto rows = static_cast<size_t>(column->length());
    ValueCursor cursor(&out->values, rows,
                       kIsBytes<Rule> ? 0 : rows * (kTagSizeMax + kPayloadSizeMax<Rule>));
    std::string scratch;
    for (int64_t row = 0; row < column->length(); ++row) {
      typename Rule::Value value{};
      Outcome outcome = Outcome::kUnset;
      if (has_nulls && column->IsNull(row)) {
        if constexpr (kHasNullValue) {
          value = Rule::kNullElement;
          outcome = Outcome::kSet;
        }
        Put(outcome, value, &cursor, out);
        continue;
      }
      const CellOf<ArrayType> cell = cells[row];
      outcome = Rule::From(cell, &scratch, &value);
      if (outcome == Outcome::kSet && IsNan(value)) outcome = Outcome::kUnset;
      if (outcome > Outcome::kUnset) {
        *failed_row = row;
        return CellError(cell, outcome);
      }
      Put(outcome, value, &cursor, out);
    }
    cursor.Finish();
    return Status::OK();
  }

 private:
  // A null of a column of times or numbers is INT64_MIN, Feast's NaT; a null in any other column
  // is unset.
  static constexpr bool kHasNullValue =
      std::is_same_v<Rule, UnixTimestampRule> &&
      OneOf<CellOf<ArrayType>, InstantCell, DateCell, IntCell, UIntCell>;

  void Put(Outcome outcome, typename Rule::Value value, ValueCursor* cursor,
           EncodedFeature* out) const {
    if (outcome == Outcome::kSet) {
      if constexpr (kIsBytes<Rule>) {
        cursor->Reserve(kTagSizeMax + kVarintSizeMax + value.size());
        char* at = PutVarint(value.size(), tag_.Put(cursor->at()));
        std::memcpy(at, value.data(), value.size());
        cursor->set_end(at + value.size());
      } else {
        cursor->set_end(PutPayload<Rule>(value, tag_.Put(cursor->at())));
      }
    }
    cursor->Close();
    if (!side_.wanted()) return;
    if (outcome == Outcome::kSet) {
      side_.Append(value, out);
    } else {
      side_.AppendNull(out);
    }
  }

  const Tag tag_;
  const SideColumns<Rule> side_;
};

}  // namespace

std::unique_ptr<const FieldEncoder> MakeScalarFieldEncoder(ValueType scalar, int field,
                                                           const arrow::DataType& type,
                                                           EncodeNeeds needs) {
  using Pointer = std::unique_ptr<const FieldEncoder>;
  return VisitRule(
      scalar,
      [&]<typename Rule>(Rule) {
        return VisitScalarArray(
            type.id(),
            [&]<typename ArrayType>(const ArrayType*) -> Pointer {
              if constexpr (Converts<Rule, CellOf<ArrayType>>) {
                return std::make_unique<ScalarFieldEncoder<ArrayType, Rule>>(scalar, field, needs);
              } else {
                return nullptr;
              }
            },
            Pointer());
      },
      Pointer());
}

}  // namespace banquet
