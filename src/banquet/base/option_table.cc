#include "banquet/base/option_table.h"

#include <algorithm>
#include <cstdlib>

#include "banquet/base/log.h"
#include "banquet/base/option_text.h"

namespace banquet {
namespace {

constexpr size_t kShownBytesMax = 60;

const OptionSpec* FindSpec(std::span<const OptionSpec> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &OptionSpec::name);
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "feature_store.yaml:12: online_store.type", or only the path where there is no file.
std::string Where(const ConfigLocation& location, const std::string& path) {
  const std::string at = location.ToString();
  return at.empty() ? path : at + ": " + path;
}

// What was found, for a message.
std::string Shown(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      return "nothing";
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kMap:
      return "a map";
    case ConfigNode::Kind::kScalar:
      break;
  }
  if (node.scalar.size() <= kShownBytesMax) return "'" + node.scalar + "'";
  return "'" + node.scalar.substr(0, kShownBytesMax) + "...'";
}

ConfigNode ScalarNode(std::string_view text) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.scalar = text;
  return node;
}

Status WrongType(const std::string& where, const std::string& expected, const ConfigNode& node) {
  return UserError("{}: write {}, not {}", where, expected, Shown(node));
}

Status CheckText(const OptionSpec& spec, const ConfigNode& node, const std::string& where) {
  if (node.kind == ConfigNode::Kind::kScalar) return Status::OK();
  return WrongType(where, spec.type == OptionType::kSecret ? "one secret text" : "text", node);
}

Status CheckChoice(const OptionSpec& spec, const ConfigNode& node, const std::string& where) {
  const std::vector<std::string> choices = Split(spec.choices, '|');
  if (node.kind == ConfigNode::Kind::kScalar && std::ranges::count(choices, node.scalar) > 0) {
    return Status::OK();
  }
  std::string expected;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += choices[i];
  }
  const std::string hint =
      node.kind == ConfigNode::Kind::kScalar ? DidYouMean(node.scalar, choices) : "";
  return UserError("{}: write {}, not {}.{}", where, expected, Shown(node), hint);
}

Status CheckTextList(const ConfigNode& node, const std::string& where) {
  const auto is_scalar = [](const ConfigNode& item) {
    return item.kind == ConfigNode::Kind::kScalar;
  };
  if (is_scalar(node)) return Status::OK();
  if (node.kind != ConfigNode::Kind::kList) return WrongType(where, "a list of text", node);
  const auto odd = std::ranges::find_if_not(node.items, is_scalar);
  if (odd == node.items.end()) return Status::OK();
  return UserError("{}: each item of the list must be text, not {}", where, Shown(*odd));
}

// Numbers may stand in quotes (Feast's configuration takes them so).
template <typename Number, typename Read>
Status ReadNumber(const ConfigNode& node, Read read, const std::string& expected,
                  const std::string& where, Number* number) {
  if (node.kind == ConfigNode::Kind::kScalar) {
    if (const auto value = read(node.scalar); value.has_value()) {
      *number = static_cast<Number>(*value);
      return Status::OK();
    }
  }
  return WrongType(where, expected, node);
}

}  // namespace

Status OptionValues::Assign(const OptionSpec& spec, const ConfigNode& node,
                            const std::string& where, Value* value) const {
  value->node = node;
  switch (spec.type) {
    case OptionType::kText:
    case OptionType::kSecret:
      return CheckText(spec, node, where);
    case OptionType::kBool:
      return ReadNumber(node, ReadBool, "true or false", where, &value->number);
    case OptionType::kInt:
      return ReadNumber(node, ReadInt, "a whole number", where, &value->number);
    case OptionType::kFloat:
      return ReadNumber(node, ReadFloat, "a number", where, &value->real);
    case OptionType::kBytes:
      return ReadNumber(node, ReadBytes, "bytes such as 512MiB, 2GiB or 1000000", where,
                        &value->number);
    case OptionType::kSeconds:
      return ReadNumber(node, ReadMilliseconds, "a time such as 10, 10s, 500ms, 2m or 1h", where,
                        &value->number);
    case OptionType::kChoice:
      return CheckChoice(spec, node, where);
    case OptionType::kTextList:
      return CheckTextList(node, where);
    case OptionType::kNode:
      break;
  }
  return Status::OK();
}

Result<OptionValues> OptionValues::Parse(std::span<const OptionSpec> table, const ConfigNode& block,
                                         const std::string& path,
                                         std::span<const std::string_view> ignored) {
  if (block.kind != ConfigNode::Kind::kNull && block.kind != ConfigNode::Kind::kMap) {
    return WrongType(Where(block.location, path), "keys with values", block);
  }
  OptionValues values;
  values.table_ = table;
  for (const OptionSpec& spec : table) {
    Value value;
    if (!spec.default_value.empty()) {
      const Status status =
          values.Assign(spec, ScalarNode(spec.default_value), std::string(spec.name), &value);
      if (!status.ok()) return Bug("The default of an option is wrong: {}", status.message());
    }
    values.values_.emplace(spec.name, std::move(value));
  }
  std::vector<std::string> keys(ignored.begin(), ignored.end());
  for (const OptionSpec& spec : table) keys.emplace_back(spec.name);
  for (const auto& [key, node] : block.entries) {
    if (std::ranges::count(ignored, key) > 0) continue;
    const std::string where = Where(node.location, path + "." + key);
    const OptionSpec* spec = FindSpec(table, key);
    if (spec == nullptr) {
      std::string hint = DidYouMean(key, keys);
      if (hint.empty() && !keys.empty()) {
        hint = " The keys are:";
        for (size_t i = 0; i < keys.size(); ++i) hint += (i == 0 ? " " : ", ") + keys[i];
      }
      return UserError("{}: unknown key.{}", where, hint);
    }
    if (node.kind == ConfigNode::Kind::kNull) continue;  // The same as not written.
    Value& value = values.values_.find(key)->second;
    BANQUET_RETURN_NOT_OK(values.Assign(*spec, node, where, &value));
    value.written = true;
  }
  for (const OptionSpec& spec : table) {
    if (spec.required && !values.Has(spec.name)) {
      return UserError("{}: required; add {}",
                       Where(block.location, path + "." + std::string(spec.name)), spec.meaning);
    }
  }
  return values;
}

const OptionValues::Value* OptionValues::FindValue(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    Log(LogLevel::kError, "An option was asked for that its table lacks: " + std::string(name));
    std::abort();
  }
  return &found->second;
}

bool OptionValues::Has(std::string_view name) const { return FindValue(name)->written; }

std::optional<std::string> OptionValues::Text(std::string_view name) const {
  const ConfigNode& node = FindValue(name)->node;
  if (node.kind != ConfigNode::Kind::kScalar) return std::nullopt;
  return node.scalar;
}

bool OptionValues::Bool(std::string_view name) const { return FindValue(name)->number != 0; }

std::optional<int64_t> OptionValues::Int(std::string_view name) const {
  const Value* value = FindValue(name);
  if (value->node.kind == ConfigNode::Kind::kNull) return std::nullopt;
  return value->number;
}

std::optional<double> OptionValues::Float(std::string_view name) const {
  const Value* value = FindValue(name);
  if (value->node.kind == ConfigNode::Kind::kNull) return std::nullopt;
  return value->real;
}

std::vector<std::string> OptionValues::TextList(std::string_view name) const {
  const ConfigNode& node = FindValue(name)->node;
  std::vector<std::string> texts;
  if (node.kind == ConfigNode::Kind::kScalar) texts.push_back(node.scalar);
  for (const ConfigNode& item : node.items) texts.push_back(item.scalar);
  return texts;
}

const ConfigNode* OptionValues::Node(std::string_view name) const {
  const ConfigNode& node = FindValue(name)->node;
  return node.kind == ConfigNode::Kind::kNull ? nullptr : &node;
}

ConfigLocation OptionValues::Location(std::string_view name) const {
  return FindValue(name)->node.location;
}

Status OptionValues::Set(std::string_view name, const std::string& text,
                         const std::string& origin) {
  const OptionSpec* spec = FindSpec(table_, name);
  if (spec == nullptr) {
    std::vector<std::string> names;
    for (const OptionSpec& known : table_) names.emplace_back(known.name);
    return UserError("{}: unknown option {}.{}", origin, name, DidYouMean(name, names));
  }
  ConfigNode node = ScalarNode(text);
  node.quoted = true;
  node.location.file = origin;
  if (spec->type == OptionType::kTextList && text.find(',') != std::string::npos) {
    const std::vector<std::string> items = Split(text, ',');
    node.kind = ConfigNode::Kind::kList;
    node.scalar.clear();
    for (const std::string& item : items) node.items.push_back(ScalarNode(item));
  }
  Value value;
  BANQUET_RETURN_NOT_OK(Assign(*spec, node, origin, &value));
  value.written = true;
  values_.insert_or_assign(std::string(name), std::move(value));
  return Status::OK();
}

}  // namespace banquet
