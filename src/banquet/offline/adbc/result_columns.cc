#include "banquet/offline/adbc/result_columns.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "arrow/array/array_binary.h"
#include "arrow/array/array_primitive.h"
#include "arrow/array/builder_binary.h"
#include "arrow/array/util.h"
#include "arrow/compute/cast.h"
#include "arrow/extension_type.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"
#include "arrow/util/key_value_metadata.h"
#include "banquet/offline/column_types.h"

namespace banquet::adbc {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int kUuidBytes = 16;

// What the driver says beside the type; empty: nothing.
std::string Said(const arrow::Field& field, const char* key) {
  if (field.metadata() == nullptr) return {};
  return field.metadata()->Get(key).ValueOr("");
}

// The name of an extension type, also of one that Arrow does not know.
std::string ExtensionOf(const arrow::Field& field) {
  if (field.type()->id() == Type::EXTENSION) {
    return checked_cast<const arrow::ExtensionType&>(*field.type()).extension_name();
  }
  return Said(field, "ARROW:extension:name");
}

// Of numeric(p, s): Postgres keeps ((p << 16) | s) + 4, s in eleven bits with a sign; -1: neither.
TypePtr DecimalOf(const std::string& modifier) {
  int32_t value = -1;
  std::from_chars(modifier.data(), modifier.data() + modifier.size(), value);
  if (value < 4) return nullptr;
  const int32_t precision = ((value - 4) >> 16) & 0xffff;
  const int32_t scale = (((value - 4) & 0x7ff) ^ 1024) - 1024;
  if (scale < 0 || scale > precision || precision < 1 ||
      precision > arrow::Decimal256Type::kMaxPrecision) {
    return nullptr;
  }
  if (precision <= arrow::Decimal128Type::kMaxPrecision) {
    return arrow::decimal128(precision, scale);
  }
  return arrow::decimal256(precision, scale);
}

// What only the product has a meaning for, by its own name; empty: nothing.
std::string ForeignTypeIn(const arrow::Field& field) {
  const std::string type = Said(field, "POSTGRESQL:type");
  if (type == "money" || type == "record") return type;
  if (ExtensionOf(field) == "arrow.opaque" && type != "numeric") {
    return type.empty() ? field.type()->ToString() : type;
  }
  for (const auto& child : field.type()->fields()) {
    if (std::string foreign = ForeignTypeIn(*child); !foreign.empty()) return foreign;
  }
  return {};
}

bool IsUuid(const arrow::Field& field, const arrow::DataType& plain) {
  return ExtensionOf(field) == "arrow.uuid" && plain.id() == Type::FIXED_SIZE_BINARY &&
         plain.byte_width() == kUuidBytes;
}

Result<std::shared_ptr<arrow::Array>> UuidTexts(const arrow::Array& array) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto& uuids = checked_cast<const arrow::FixedSizeBinaryArray&>(array);
  arrow::StringBuilder texts;
  std::string text;
  for (int64_t row = 0; row < uuids.length(); ++row) {
    if (uuids.IsNull(row)) {
      BANQUET_RETURN_NOT_OK(texts.AppendNull());
      continue;
    }
    text.clear();
    for (int i = 0; i < kUuidBytes; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
      const uint8_t byte = uuids.Value(row)[i];
      text.push_back(kDigits[byte >> 4]);
      text.push_back(kDigits[byte & 15]);
    }
    BANQUET_RETURN_NOT_OK(texts.Append(text));
  }
  return texts.Finish();
}

// Postgres and DuckDB have infinite times. Their drivers give them as the ends of the numbers, that
// of Postgres after a shift that wraps around; no calendar gets there.
Status CheckFinite(const arrow::Array& array, const std::string& column) {
  constexpr int64_t kTimeMaxUs = 9'200'000'000'000'000'000;
  constexpr int64_t kDateMaxDays = 2'147'000'000;
  const auto check = [&](const auto& values, int64_t most) {
    for (int64_t row = 0; row < values.length(); ++row) {
      const int64_t value = values.Value(row);
      if ((value > most || value < -most) && values.IsValid(row)) {
        return DataError("A time of the data source is infinite: column {}", column);
      }
    }
    return Status::OK();
  };
  if (array.type_id() == Type::DATE32) {
    return check(checked_cast<const arrow::Date32Array&>(array), kDateMaxDays);
  }
  if (array.type_id() != Type::TIMESTAMP) return Status::OK();
  const auto& type = checked_cast<const arrow::TimestampType&>(*array.type());
  if (type.unit() != arrow::TimeUnit::MICRO) return Status::OK();
  return check(checked_cast<const arrow::TimestampArray&>(array), kTimeMaxUs);
}

}  // namespace

Result<TypePtr> ColumnTypeOf(const arrow::Field& field, const SqlDialect& dialect) {
  if (const std::string foreign = ForeignTypeIn(field); !foreign.empty()) {
    return UserError(
        "A column has a type of {} that features cannot have; leave it out, or give the data "
        "source a query that casts it: column {} is {}",
        dialect.name, field.name(), foreign);
  }
  const TypePtr plain = offline::PlainTypeOf(field.type());
  if (Said(field, "POSTGRESQL:type") == "numeric") {
    const TypePtr decimal = DecimalOf(Said(field, "POSTGRESQL:typmod"));
    return decimal == nullptr ? plain : decimal;
  }
  return IsUuid(field, *plain) ? arrow::utf8() : plain;
}

bool IsText(const arrow::Field& field) {
  constexpr std::string_view kTexts[] = {"", "text", "varchar", "bpchar", "name"};
  return field.type()->id() == Type::STRING &&
         std::ranges::find(kTexts, Said(field, "POSTGRESQL:type")) != std::end(kTexts);
}

Result<std::shared_ptr<arrow::Array>> ColumnArrayOf(const std::shared_ptr<arrow::Array>& array,
                                                    const arrow::Field& column) {
  const TypePtr& type = column.type();
  if (type->id() == Type::NA) return arrow::MakeArrayOfNull(type, array->length());
  BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> plain,
                           offline::ConvertArray(array, offline::PlainTypeOf(array->type())));
  BANQUET_RETURN_NOT_OK(CheckFinite(*plain, column.name()));
  if (plain->type()->Equals(*type)) return plain;
  if (plain->type_id() == Type::FIXED_SIZE_BINARY && type->id() == Type::STRING) {
    return UuidTexts(*plain);
  }
  Result<std::shared_ptr<arrow::Array>> cast = arrow::compute::Cast(*plain, type);
  if (cast.ok()) return cast;
  return DataError("A value of the data source cannot be read as {}: column {}: {}",
                   type->ToString(), column.name(), cast.status().message());
}

}  // namespace banquet::adbc
