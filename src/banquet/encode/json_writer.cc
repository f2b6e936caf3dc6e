// JSON and JSON_LIST: text as it stands, other values as Python's json.dumps writes them.

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/encode/arrow_cells.h"
#include "banquet/encode/json_value.h"
#include "banquet/encode/list_elements.h"
#include "banquet/encode/python_text.h"
#include "banquet/encode/value_writer.h"

namespace banquet {
namespace {

using arrow::internal::checked_cast;

void AppendJsonCell(const FlagCell& cell, std::string* out) {
  out->append(cell.value ? "true" : "false");
}
void AppendJsonCell(const IntCell& cell, std::string* out) { AppendPythonInt(cell.value, out); }
void AppendJsonCell(const UIntCell& cell, std::string* out) { AppendPythonInt(cell.value, out); }
void AppendJsonCell(const TextCell& cell, std::string* out) { AppendJsonText(cell.value, out); }
template <typename Cell>
requires requires(const Cell& cell) { cell.Real(); }
void AppendJsonCell(const Cell& cell, std::string* out) {
  const double real = cell.Real();
  if (std::isnan(real)) {
    out->append("NaN");
  } else if (std::isinf(real)) {
    out->append(real > 0 ? "Infinity" : "-Infinity");
  } else {
    AppendPythonFloat(real, out);
  }
}

// What json.dumps has no word for (bytes, times, decimals) has no overload.
template <typename Cell>
concept HasJson = requires(const Cell& cell, std::string* out) {
  AppendJsonCell(cell, out);
};

void WriteJsonOrNull(const ValueWriter* writer, const arrow::Array& array, int64_t row,
                     Status* status, std::string* out) {
  if (writer == nullptr || array.IsNull(row)) {
    out->append("null");
  } else {
    *status = writer->Write(array, row, out);
  }
}

template <typename ArrayType>
class JsonCellWriter final : public ValueWriter {
 public:
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    AppendJsonCell(CellReader<ArrayType>(array)[row], out);
    return Status::OK();
  }
};

template <typename ArrayType>
class JsonVerbatimWriter final : public ValueWriter {
 public:
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const std::string_view text = CellReader<ArrayType>(array)[row].value;
    BANQUET_RETURN_NOT_OK(ValidateJson(text));
    out->append(text);
    return Status::OK();
  }
};

class JsonArrayWriter final : public ValueWriter {
 public:
  explicit JsonArrayWriter(ValueWriterPtr element) : element_(std::move(element)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    Status status;
    out->push_back('[');
    for (int64_t i = elements.begin; i < elements.end && status.ok(); ++i) {
      if (i > elements.begin) out->append(", ");
      WriteJsonOrNull(element_.get(), *elements.values, i, &status, out);
    }
    out->push_back(']');
    return status;
  }

 private:
  const ValueWriterPtr element_;
};

class JsonStructWriter final : public ValueWriter {
 public:
  struct Member {
    std::string quoted_name;
    ValueWriterPtr writer;
  };
  explicit JsonStructWriter(std::vector<Member> members) : members_(std::move(members)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const auto& record = checked_cast<const arrow::StructArray&>(array);
    Status status;
    out->push_back('{');
    for (size_t i = 0; i < members_.size() && status.ok(); ++i) {
      if (i > 0) out->append(", ");
      out->append(members_[i].quoted_name).append(": ");
      WriteJsonOrNull(members_[i].writer.get(), *record.field(static_cast<int>(i)), row, &status,
                      out);
    }
    out->push_back('}');
    return status;
  }

 private:
  const std::vector<Member> members_;
};

class JsonMapWriter final : public ValueWriter {
 public:
  JsonMapWriter(ValueWriterPtr key, ValueWriterPtr value)
      : key_(std::move(key)), value_(std::move(value)) {}
  Status Write(const arrow::Array& array, int64_t row, std::string* out) const override {
    const ListElements elements = ElementsAt(array, row);
    const auto& entries = checked_cast<const arrow::StructArray&>(*elements.values);
    Status status;
    out->push_back('{');
    for (int64_t i = elements.begin; i < elements.end && status.ok(); ++i) {
      if (i > elements.begin) out->append(", ");
      BANQUET_RETURN_NOT_OK(key_->Write(*entries.field(0), i, out));
      out->append(": ");
      WriteJsonOrNull(value_.get(), *entries.field(1), i, &status, out);
    }
    out->push_back('}');
    return status;
  }

 private:
  const ValueWriterPtr key_;
  const ValueWriterPtr value_;
};

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

ValueWriterPtr MakeDumper(const arrow::DataType& type);

// False: json.dumps has no word for it. The null type needs no writer.
bool MakeChildDumper(const arrow::DataType& type, ValueWriterPtr* writer) {
  if (type.id() == arrow::Type::NA) return true;
  *writer = MakeDumper(type);
  return *writer != nullptr;
}

ValueWriterPtr MakeStructDumper(const arrow::DataType& type) {
  std::vector<JsonStructWriter::Member> members;
  for (const auto& field : type.fields()) {
    JsonStructWriter::Member member;
    AppendJsonText(field->name(), &member.quoted_name);
    if (!MakeChildDumper(*field->type(), &member.writer)) return nullptr;
    members.push_back(std::move(member));
  }
  return std::make_unique<JsonStructWriter>(std::move(members));
}

// Writes JSON text for a cell that is not JSON text itself.
ValueWriterPtr MakeDumper(const arrow::DataType& type) {
  ValueWriterPtr child;
  if (IsList(type)) {
    if (!MakeChildDumper(*type.field(0)->type(), &child)) return nullptr;
    return std::make_unique<JsonArrayWriter>(std::move(child));
  }
  if (type.id() == arrow::Type::STRUCT) return MakeStructDumper(type);
  if (type.id() == arrow::Type::MAP) {
    const auto& map = checked_cast<const arrow::MapType&>(type);
    if (!IsText(*map.key_type()) || !MakeChildDumper(*map.item_type(), &child)) return nullptr;
    return std::make_unique<JsonMapWriter>(MakeDumper(*map.key_type()), std::move(child));
  }
  return VisitScalarArray(
      type.id(),
      []<typename ArrayType>(const ArrayType*) -> ValueWriterPtr {
        if constexpr (HasJson<CellOf<ArrayType>>) {
          return std::make_unique<JsonCellWriter<ArrayType>>();
        } else {
          return nullptr;
        }
      },
      ValueWriterPtr());
}

ValueWriterPtr MakeJsonTextWriter(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
      return std::make_unique<JsonVerbatimWriter<arrow::StringArray>>();
    case arrow::Type::LARGE_STRING:
      return std::make_unique<JsonVerbatimWriter<arrow::LargeStringArray>>();
    default:
      return MakeDumper(type);
  }
}

}  // namespace

ValueWriterPtr MakeJsonWriter(int field, const arrow::DataType& type) {
  return MakeFramedWriter(field, MakeJsonTextWriter(type));
}

ValueWriterPtr MakeJsonListWriter(int field, const arrow::DataType& type) {
  if (!IsList(type)) return nullptr;
  return MakeFramedWriter(
      field, MakeEachElementWriter(MakeJsonTextWriter(*type.field(0)->type()),
                                   {.null_content = "null", .skip_empty_lists = false}));
}

}  // namespace banquet
