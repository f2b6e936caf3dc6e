#include "banquet/encode/field_encoder.h"

#include <string_view>
#include <utility>

#include "arrow/array.h"
#include "arrow/type.h"
#include "banquet/encode/plain_array.h"

namespace banquet {
namespace {

// The tag in which Feast keeps what is inside a nested collection: "Array(Set(STRING))".
constexpr char kNestedTypeTag[] = "feast:nested_inner_type";

void AppendNullSides(size_t rows, EncodeNeeds needs, EncodedFeature* out) {
  if (needs.value_text) {
    out->text.offsets.insert(out->text.offsets.end(), rows, out->text.data.size());
    out->text_valid.insert(out->text_valid.end(), rows, 0);
  }
  if (needs.value_num) {
    out->num.insert(out->num.end(), rows, 0);
    out->num_valid.insert(out->num_valid.end(), rows, 0);
  }
}

// Everything but scalars: value by value, with neither text nor number.
class RowFieldEncoder final : public FieldEncoder {
 public:
  RowFieldEncoder(ValueWriterPtr writer, EncodeNeeds needs)
      : writer_(std::move(writer)), needs_(needs) {}

  Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                int64_t* failed_row) const override {
    const bool has_nulls = column->null_count() > 0;
    const auto rows = static_cast<size_t>(column->length());
    out->values.offsets.reserve(out->values.offsets.size() + rows);
    for (int64_t row = 0; row < column->length(); ++row) {
      if (!has_nulls || !column->IsNull(row)) {
        if (Status status = writer_->Write(*column, row, &out->values.data); !status.ok()) {
          *failed_row = row;
          return status;
        }
      }
      out->values.Close();
    }
    AppendNullSides(rows, needs_, out);
    return Status::OK();
  }

 private:
  const ValueWriterPtr writer_;
  const EncodeNeeds needs_;
};

// A column of Arrow's null type: every value is unset, whatever the feature's type.
class NullFieldEncoder final : public FieldEncoder {
 public:
  explicit NullFieldEncoder(EncodeNeeds needs) : needs_(needs) {}
  Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                int64_t*) const override {
    const auto rows = static_cast<size_t>(column->length());
    out->values.offsets.insert(out->values.offsets.end(), rows, out->values.data.size());
    AppendNullSides(rows, needs_, out);
    return Status::OK();
  }

 private:
  const EncodeNeeds needs_;
};

// Columns that are made plain first: dictionaries, views, extension types.
class PlainedFieldEncoder final : public FieldEncoder {
 public:
  explicit PlainedFieldEncoder(std::unique_ptr<const FieldEncoder> inner)
      : inner_(std::move(inner)) {}
  Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                int64_t* failed_row) const override {
    BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> plain, PlainArrayOf(column));
    return inner_->Append(plain, out, failed_row);
  }

 private:
  const std::unique_ptr<const FieldEncoder> inner_;
};

// Columns of dictionaries of plain words: each word is encoded once, and copied to its rows.
class DictionaryFieldEncoder final : public FieldEncoder {
 public:
  DictionaryFieldEncoder(std::unique_ptr<const FieldEncoder> words, EncodeNeeds needs)
      : words_(std::move(words)), needs_(needs) {}

  Status Append(const std::shared_ptr<arrow::Array>& column, EncodedFeature* out,
                int64_t* failed_row) const override {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*column);
    // Not DictionaryArray::dictionary(), which makes the array on first use without a lock.
    const std::shared_ptr<arrow::Array> words = arrow::MakeArray(column->data()->dictionary);
    EncodedFeature encoded;
    int64_t failed_word = -1;
    // A word that does not convert may have no row here, and then is nobody's fault.
    if (words->length() > column->length() || words->null_count() > 0 ||
        !words_->Append(words, &encoded, &failed_word).ok()) {
      BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> plain, PlainArrayOf(column));
      return words_->Append(plain, out, failed_row);
    }
    const auto rows = static_cast<size_t>(column->length());
    out->values.offsets.reserve(out->values.offsets.size() + rows);
    for (int64_t row = 0; row < column->length(); ++row) {
      if (dictionary.IsNull(row)) {
        out->values.Close();
        AppendNullSides(1, needs_, out);
        continue;
      }
      const auto word = static_cast<size_t>(dictionary.GetValueIndex(row));
      out->values.data.append(encoded.values[word]);
      out->values.Close();
      if (needs_.value_text) {
        out->text.data.append(encoded.text[word]);
        out->text.Close();
        out->text_valid.push_back(encoded.text_valid[word]);
      }
      if (needs_.value_num) {
        out->num.push_back(encoded.num[word]);
        out->num_valid.push_back(encoded.num_valid[word]);
      }
    }
    return Status::OK();
  }

 private:
  const std::unique_ptr<const FieldEncoder> words_;
  const EncodeNeeds needs_;
};

// What a column must be for a feature (or an element) of type `type`.
std::string_view WorkingColumns(ValueType type) {
  switch (type) {
    case ValueType::kBytes:
    case ValueType::kPdfBytes:
    case ValueType::kImageBytes:
      return "binary";
    case ValueType::kString:
      return "text, binary, bool, numbers, decimals, timestamps or dates";
    case ValueType::kInt32:
    case ValueType::kInt64:
      return "integers, floats, decimals, bool, timestamps or text with integers";
    case ValueType::kDouble:
    case ValueType::kFloat:
      return "floats, integers, decimals, bool or text with numbers";
    case ValueType::kBool:
      return "bool or integers";
    case ValueType::kUnixTimestamp:
      return "timestamps, dates, or seconds as numbers or text";
    case ValueType::kMap:
      return "structs with distinct names, maps with text keys, or JSON text, without times of day "
             "or durations inside";
    case ValueType::kStruct:
      return "structs with distinct names, maps with text keys, JSON text or scalars, without "
             "times of day or durations inside";
    case ValueType::kJson:
      return "JSON text, or what JSON has words for: bool, numbers, text, and lists, structs and "
             "maps of those";
    case ValueType::kUuid:
    case ValueType::kTimeUuid:
      return "text or 16 bytes";
    case ValueType::kDecimal:
      return "decimals, numbers or text";
    case ValueType::kScalarMap:
      return "maps whose keys are integers, floats, bool, timestamps, binary or decimals";
    case ValueType::kZonedTimestamp:
      return "timestamps with a time zone";
    default:
      return "lists of lists of scalars";
  }
}

// What the elements of a list column must be: narrower than for scalars, as in Feast.
std::string_view WorkingElements(ValueType element) {
  switch (element) {
    case ValueType::kString:
      return "text";
    case ValueType::kInt32:
    case ValueType::kInt64:
      return "integers";
    case ValueType::kDouble:
    case ValueType::kFloat:
      return "floats, integers or decimals";
    case ValueType::kBool:
      return "bool";
    case ValueType::kUnixTimestamp:
      return "timestamps, dates or seconds as integers";
    case ValueType::kDecimal:
      return "decimals, integers or text";
    default:
      return WorkingColumns(element);
  }
}

Status Refusal(const ValueTypeRow& row, const arrow::DataType& type) {
  const bool is_collection = row.shape != ValueShape::kScalar && row.element != ValueType::kUnknown;
  return DataError("Arrow type {} cannot become {}, which takes {}{}", type.ToString(), row.name,
                   is_collection ? "lists of " : "",
                   is_collection ? WorkingElements(row.element) : WorkingColumns(row.type));
}

// The innermost type of the tag: STRING of "Array(Set(STRING))".
ValueType LeafOf(const Field& feature) {
  const auto tag = feature.tags.find(kNestedTypeTag);
  if (tag == feature.tags.end()) return ValueType::kUnknown;
  std::string_view leaf = tag->second;
  if (const size_t open = leaf.rfind('('); open != leaf.npos) leaf.remove_prefix(open + 1);
  leaf = leaf.substr(0, leaf.find(')'));
  return ValueTypeOfName(leaf).value_or(ValueType::kUnknown);
}

ValueWriterPtr MakeWriter(const Field& feature, const ValueTypeRow& row,
                          const arrow::DataType& type) {
  switch (row.type) {
    case ValueType::kMap:
    case ValueType::kStruct:
      return MakeMapWriter(row.type, row.field, type);
    case ValueType::kMapList:
    case ValueType::kStructList:
      return MakeMapListWriter(row.element, row.field, type);
    case ValueType::kScalarMap:
      return MakeScalarMapWriter(row.field, type);
    case ValueType::kZonedTimestamp:
      return MakeZonedTimestampWriter(row.field, type);
    case ValueType::kJson:
      return MakeJsonWriter(row.field, type);
    case ValueType::kJsonList:
      return MakeJsonListWriter(row.field, type);
    case ValueType::kValueList:
    case ValueType::kValueSet:
      return MakeNestedListWriter(LeafOf(feature), row.field, type);
    default:
      if (row.shape == ValueShape::kScalar) return nullptr;
      return MakeScalarListWriter(row.element, row.shape, row.field, type);
  }
}

}  // namespace

Result<std::unique_ptr<const FieldEncoder>> FieldEncoder::Make(
    const Field& feature, const std::shared_ptr<arrow::DataType>& type, EncodeNeeds needs) {
  const ValueTypeRow* row = FindValueType(feature.type);
  if (row == nullptr)
    return DataError("Feast type {} is not known here", static_cast<int>(feature.type));
  const auto plain = PlainTypeOf(type);
  std::unique_ptr<const FieldEncoder> encoder;
  if (plain->id() == arrow::Type::NA) {
    encoder = std::make_unique<NullFieldEncoder>(needs);
  } else if (row->shape == ValueShape::kScalar) {
    encoder = MakeScalarFieldEncoder(row->type, row->field, *plain, needs);
  }
  if (encoder == nullptr) {
    ValueWriterPtr writer = MakeWriter(feature, *row, *plain);
    if (writer == nullptr) return Refusal(*row, *type);
    encoder = std::make_unique<RowFieldEncoder>(std::move(writer), needs);
  }
  if (type->id() == arrow::Type::DICTIONARY &&
      static_cast<const arrow::DictionaryType&>(*type).value_type() == plain &&
      (plain->id() == arrow::Type::STRING || plain->id() == arrow::Type::BINARY)) {
    return std::make_unique<DictionaryFieldEncoder>(std::move(encoder), needs);
  }
  if (plain != type) encoder = std::make_unique<PlainedFieldEncoder>(std::move(encoder));
  return encoder;
}

}  // namespace banquet
