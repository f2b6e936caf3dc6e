#include "banquet/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

namespace banquet {
namespace {

constexpr std::string_view kStandardTag = "tag:yaml.org,2002:";

bool IsNullWord(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// One conversion of a document. The parsed nodes share what aliases name; here every use is a copy,
// and counted.
class NodeReader {
 public:
  NodeReader(const std::string& file, std::vector<std::string>* warnings)
      : file_(file), warnings_(warnings) {}

  Result<ConfigNode> Read(const YAML::Node& yaml, int depth) {
    ConfigNode node;
    node.location = At(yaml);
    if (depth > kYamlDepthMax) {
      return UserError("{}: nested too deeply; {} levels are allowed", node.location.ToString(),
                       kYamlDepthMax);
    }
    if (++nodes_ > kYamlNodesMax) {
      return UserError("{}: too many values, aliases counted; {} are allowed",
                       node.location.ToString(), kYamlNodesMax);
    }
    switch (yaml.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return node;
      case YAML::NodeType::Scalar:
        BANQUET_RETURN_NOT_OK(ReadScalar(yaml, &node));
        return node;
      case YAML::NodeType::Sequence:
        BANQUET_RETURN_NOT_OK(CheckTag(yaml, "seq"));
        node.kind = ConfigNode::Kind::kList;
        for (const YAML::Node& item : yaml) {
          BANQUET_ASSIGN_OR_RETURN(ConfigNode read, Read(item, depth + 1));
          node.items.push_back(std::move(read));
        }
        return node;
      case YAML::NodeType::Map:
        BANQUET_RETURN_NOT_OK(CheckTag(yaml, "map"));
        BANQUET_RETURN_NOT_OK(ReadMap(yaml, depth, &node));
        return node;
    }
    return Bug("A kind of YAML node is unknown: {}", static_cast<int>(yaml.Type()));
  }

 private:
  ConfigLocation At(const YAML::Node& yaml) const {
    return {.file = file_, .line = yaml.Mark().line + 1};
  }

  Status CheckTag(const YAML::Node& yaml, std::string_view standard) const {
    const std::string& tag = yaml.Tag();
    if (tag.empty() || tag == "?" || tag == "!") return Status::OK();
    if (tag.starts_with(kStandardTag) && tag.substr(kStandardTag.size()) == standard) {
      return Status::OK();
    }
    return UserError("{}: YAML tags are not allowed; remove {}", At(yaml).ToString(), tag);
  }

  Status ReadScalar(const YAML::Node& yaml, ConfigNode* node) const {
    const std::string& tag = yaml.Tag();
    node->quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!node->quoted) {
      const bool standard = std::ranges::any_of(
          std::initializer_list<std::string_view>{"bool", "int", "float", "null"},
          [&](std::string_view name) { return tag == std::string(kStandardTag).append(name); });
      if (!standard) BANQUET_RETURN_NOT_OK(CheckTag(yaml, "str"));
      if (IsNullWord(yaml.Scalar())) return Status::OK();
    }
    if (yaml.Scalar().find('\0') != std::string::npos) {
      return UserError("{}: the value holds a NUL character; remove it", At(yaml).ToString());
    }
    node->kind = ConfigNode::Kind::kScalar;
    node->scalar = yaml.Scalar();
    return Status::OK();
  }

  // Keys merged by "<<" come first and give way to the map's own.
  Status ReadMap(const YAML::Node& yaml, int depth, ConfigNode* node) {
    node->kind = ConfigNode::Kind::kMap;
    std::vector<ConfigEntry> own;
    for (const auto& entry : yaml) {
      const YAML::Node& key = entry.first;
      const ConfigLocation location = At(key);
      if (!key.IsScalar()) {
        return UserError("{}: a key must be text", location.ToString());
      }
      ConfigNode name;
      BANQUET_RETURN_NOT_OK(ReadScalar(key, &name));
      BANQUET_ASSIGN_OR_RETURN(ConfigNode read, Read(entry.second, depth + 1));
      if (!name.quoted && name.scalar == "<<") {
        BANQUET_RETURN_NOT_OK(Merge(std::move(read), location, node));
        continue;
      }
      read.location = location;
      const auto twin = std::ranges::find(own, name.scalar, &ConfigEntry::key);
      if (twin == own.end()) {
        own.push_back({std::move(name.scalar), std::move(read)});
        continue;
      }
      warnings_->push_back(location.ToString() + ": " + name.scalar +
                           ": stands twice; the last value counts");
      twin->value = std::move(read);
    }
    for (auto& entry : own) {
      std::erase_if(node->entries, [&](const auto& merged) { return merged.key == entry.key; });
    }
    std::ranges::move(own, std::back_inserter(node->entries));
    return Status::OK();
  }

  static Status Merge(ConfigNode merged, const ConfigLocation& location, ConfigNode* node) {
    if (merged.kind == ConfigNode::Kind::kMap) {
      for (auto& entry : merged.entries) {
        if (node->Find(entry.key) == nullptr) node->entries.push_back(std::move(entry));
      }
      return Status::OK();
    }
    if (merged.kind == ConfigNode::Kind::kList) {
      for (ConfigNode& item : merged.items) {
        if (item.kind != ConfigNode::Kind::kMap) break;
        BANQUET_RETURN_NOT_OK(Merge(std::move(item), location, node));
      }
      const auto is_map = [](const ConfigNode& item) {
        return item.kind == ConfigNode::Kind::kMap;
      };
      if (std::ranges::all_of(merged.items, is_map)) return Status::OK();
    }
    return UserError("{}: <<: merge a map or a list of maps", location.ToString());
  }

  const std::string& file_;
  std::vector<std::string>* warnings_;
  size_t nodes_ = 0;
};

// Remembers where the last document began; the parser wants to be listened to.
class DocumentListener final : public YAML::EventHandler {
 public:
  int line() const { return line_; }
  void OnDocumentStart(const YAML::Mark& mark) override { line_ = mark.line + 1; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int line_ = 0;
};

// YAML::LoadAll would tell as well, but never ends on a text such as "]", which begins one empty
// document after another.
Status CheckOneDocument(const std::string& text, const std::string& file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentListener listener;
  if (!parser.HandleNextDocument(listener) || !parser.HandleNextDocument(listener)) {
    return Status::OK();
  }
  const ConfigLocation location{.file = file, .line = listener.line()};
  return UserError("{}: not valid YAML: a second document, or text that belongs to no key",
                   location.ToString());
}

Result<ConfigNode> ReadDocument(const std::string& text, const std::string& file,
                                std::vector<std::string>* warnings) {
  BANQUET_RETURN_NOT_OK(CheckOneDocument(text, file));
  const YAML::Node document = YAML::Load(text);
  if (document.IsNull()) {
    return UserError("{}: is empty; write at least project and registry", file);
  }
  if (!document.IsMap()) {
    return UserError("{}: must hold keys with values, such as \"project: my_project\"", file);
  }
  return NodeReader(file, warnings).Read(document, 0);
}

}  // namespace

Result<ConfigNode> ReadYaml(const std::string& text, const std::string& file,
                            std::vector<std::string>* warnings) {
  if (text.size() > kYamlBytesMax) {
    return UserError("{}: too long for a configuration; {} bytes are allowed", file, kYamlBytesMax);
  }
  try {
    return ReadDocument(text, file, warnings);
  } catch (const YAML::Exception& error) {
    const ConfigLocation location{.file = file, .line = error.mark.line + 1};
    return UserError("{}: not valid YAML: {}", location.ToString(), error.msg);
  } catch (const std::exception& error) {
    return UserError("{}: not valid YAML: {}", file, error.what());
  }
}

}  // namespace banquet
