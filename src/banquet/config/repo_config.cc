#include "banquet/config/repo_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "banquet/base/option_text.h"
#include "banquet/config/type_words.h"
#include "banquet/config/yaml_reader.h"
#include "banquet/config/yaml_source.h"

namespace banquet {
namespace {

const std::vector<std::string>& TopLevelKeys() {
  static const std::vector<std::string> keys = {"project",
                                                "project_description",
                                                "provider",
                                                "registry",
                                                "online_store",
                                                "offline_store",
                                                "batch_engine",
                                                "entity_key_serialization_version",
                                                "coerce_tz_aware",
                                                "materialization",
                                                "flags",
                                                "auth",
                                                "feature_server",
                                                "embedding_model",
                                                "openlineage",
                                                "mlflow",
                                                "data_quality_monitoring",
                                                "banquet"};
  return keys;
}

const std::vector<std::string>& RegistryKeys() {
  static const std::vector<std::string> keys = {"registry_type",
                                                "registry_store_type",
                                                "path",
                                                "cache_ttl_seconds",
                                                "cache_mode",
                                                "s3_additional_kwargs",
                                                "purge_feast_metadata",
                                                "enable_online_feature_view_versioning",
                                                "serve_features_while_materializing",
                                                "mcp",
                                                "read_path",
                                                "sqlalchemy_config_kwargs",
                                                "thread_pool_executor_worker_count",
                                                "schema_mode"};
  return keys;
}

const std::vector<std::string>& MaterializationKeys() {
  static const std::vector<std::string> keys = {"pull_latest_features", "online_write_batch_size"};
  return keys;
}

bool IsScalar(const ConfigNode& node) { return node.kind == ConfigNode::Kind::kScalar; }

// The name in the first "${NAME}" of a text; "" if there is none.
std::string UnsetVariableIn(const std::string& text) {
  const size_t start = text.find("${");
  const size_t end = text.find('}', start);
  if (start == std::string::npos || end == std::string::npos) return "";
  return text.substr(start + 2, end - start - 2);
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return text;
}

// A store or engine: its word, and its keys if it was written as a map.
struct TypedBlock {
  std::string type;
  ConfigNode block;
};

// Turns the tree of one file into its RepoConfig, key by key. Used once, by one thread.
class RepoConfigReader {
 public:
  RepoConfigReader(const ConfigNode& root, RepoConfig* config) : root_(root), config_(*config) {}

  Status Read(std::span<const std::pair<std::string, std::string>> overrides) {
    WarnOfSlips(root_, "", TopLevelKeys());
    WarnOfUnsetVariables(root_, "");
    BANQUET_RETURN_NOT_OK(ReadProvider());
    BANQUET_RETURN_NOT_OK(ReadOnlineStore());
    BANQUET_RETURN_NOT_OK(ReadProject());
    BANQUET_RETURN_NOT_OK(ReadRegistry());
    BANQUET_ASSIGN_OR_RETURN(TypedBlock offline, ReadTypedBlock("offline_store", "dask"));
    config_.offline_store_type = OfflineStoreWord(offline.type);
    config_.offline_store = std::move(offline.block);
    BANQUET_ASSIGN_OR_RETURN(TypedBlock engine, ReadTypedBlock("batch_engine", "local"));
    config_.batch_engine_type = BatchEngineWord(engine.type);
    config_.batch_engine = std::move(engine.block);
    ConfigNode options;
    if (const ConfigNode* written = root_.Find("banquet")) options = *written;
    if (config_.batch_engine_type == kFeastEngineClass)
      BANQUET_RETURN_NOT_OK(ReadFeastEngine(&options));
    BANQUET_RETURN_NOT_OK(ReadKeyVersion());
    BANQUET_RETURN_NOT_OK(ReadMaterialization());
    BANQUET_RETURN_NOT_OK(ReadAuth());
    if (root_.Find("flags") != nullptr)
      Warn(*root_.Find("flags"), "flags", "has no effect; remove it");
    if (const ConfigNode* folder = options.Find("spill_directory")) {
      BANQUET_RETURN_NOT_OK(RefuseUnsetVariable(*folder, "banquet.spill_directory"));
    }
    BANQUET_ASSIGN_OR_RETURN(config_.options, ParseRunOptions(options, overrides));
    return CheckFurtherStores();
  }

 private:
  static std::string At(const ConfigNode& node, const std::string& path) {
    return node.location.ToString() + ": " + path;
  }

  void Warn(const ConfigNode& node, const std::string& path, const std::string& what) {
    config_.warnings.push_back(At(node, path) + ": " + what);
  }

  // Feast keeps keys that it does not know; one that looks like a slip of the pen is worth a word.
  void WarnOfSlips(const ConfigNode& block, const std::string& prefix,
                   const std::vector<std::string>& keys) {
    for (const auto& [key, node] : block.entries) {
      if (std::ranges::count(keys, key) > 0) continue;
      const std::string hint = DidYouMean(key, keys);
      if (!hint.empty()) Warn(node, prefix + key, "unknown key, without effect." + hint);
    }
  }

  // A variable that is not set stays in the text as "${NAME}".
  void WarnOfUnsetVariables(const ConfigNode& node, const std::string& path) {
    for (const auto& [key, value] : node.entries) {
      WarnOfUnsetVariables(value, path.empty() ? key : path + "." + key);
    }
    for (const ConfigNode& item : node.items) WarnOfUnsetVariables(item, path);
    const std::string name = UnsetVariableIn(node.scalar);
    const bool is_name = !name.empty() && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (is_name) Warn(node, path, "the environment variable " + name + " is not set");
  }

  // Nobody means a file or folder of that name.
  Status RefuseUnsetVariable(const ConfigNode& node, const std::string& path) const {
    const std::string name = UnsetVariableIn(node.scalar);
    if (name.empty()) return Status::OK();
    return UserError("{}: the environment variable {} is not set; set it, or write the path out",
                     At(node, path), name);
  }

  Status Required(const std::string& key, const std::string& example) const {
    std::string hint;
    for (const auto& [written, node] : root_.entries) {
      const std::vector<std::string> wanted = {key};
      if (NearestWord(written, wanted).has_value()) hint = " Is '" + written + "' meant to be it?";
    }
    return UserError("{}: {}: required; add it, such as \"{}\".{}", config_.yaml_path, key, example,
                     hint);
  }

  Result<std::string> TextOf(const ConfigNode& node, const std::string& path) const {
    if (IsScalar(node)) return node.scalar;
    return UserError("{}: write text", At(node, path));
  }

  Result<bool> BoolOf(const ConfigNode& node, const std::string& path) const {
    if (IsScalar(node) && !node.quoted) {
      if (const std::optional<bool> value = ReadBool(node.scalar)) return *value;
    }
    return UserError("{}: write true or false, without quotes", At(node, path));
  }

  Status ReadProvider() {
    static const std::vector<std::string> kProviders = {"local", "gcp", "aws", "azure",
                                                        "unity_catalog"};
    const ConfigNode* node = root_.Find("provider");
    if (node == nullptr || node->kind == ConfigNode::Kind::kNull) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(config_.provider, TextOf(*node, "provider"));
    const bool is_class_path = config_.provider.find('.') != std::string::npos;
    if (is_class_path || std::ranges::count(kProviders, config_.provider) > 0) return Status::OK();
    return UserError("{}: write local, gcp, aws, azure, unity_catalog or a class path, not '{}'.{}",
                     At(*node, "provider"), config_.provider,
                     DidYouMean(config_.provider, kProviders));
  }

  // Letters, digits, "_" and "-"; a hyphen would not do in SQLite's table names.
  Status ReadProject() {
    const ConfigNode* node = root_.Find("project");
    if (node == nullptr || node->kind == ConfigNode::Kind::kNull) {
      return Required("project", "project: my_project");
    }
    BANQUET_ASSIGN_OR_RETURN(config_.project, TextOf(*node, "project"));
    const std::string& name = config_.project;
    if (!node->quoted && (ReadBool(name) || ReadInt(name) || ReadFloat(name))) {
      return UserError("{}: YAML takes {} for no text; put it in quotes", At(*node, "project"),
                       name);
    }
    const auto allowed = [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c >= 0x80;
    };
    if (name.empty() || name.front() == '_' || name.front() == '-' ||
        !std::ranges::all_of(name, allowed)) {
      return UserError(
          "{}: a project's name has letters, digits, '_' and '-', and does not begin with '_' or "
          "'-': '{}'",
          At(*node, "project"), name);
    }
    if (config_.online_store_type == "sqlite" && name.find('-') != std::string::npos) {
      return UserError("{}: with the SQLite online store a project's name has no hyphen: '{}'",
                       At(*node, "project"), name);
    }
    return Status::OK();
  }

  // A word, a map with `type`, or nothing.
  Result<TypedBlock> ReadTypedBlock(const std::string& key, const std::string& default_type) const {
    TypedBlock result{.type = default_type, .block = {}};
    result.block.location.file = config_.yaml_path;
    const ConfigNode* node = root_.Find(key);
    if (node == nullptr) return result;
    result.block.location = node->location;
    switch (node->kind) {
      case ConfigNode::Kind::kNull:
        return result;
      case ConfigNode::Kind::kScalar:
        result.type = node->scalar;
        break;
      case ConfigNode::Kind::kMap:
        result.block = *node;
        if (const ConfigNode* type = node->Find("type");
            type != nullptr && type->kind != ConfigNode::Kind::kNull) {
          BANQUET_ASSIGN_OR_RETURN(result.type, TextOf(*type, key + ".type"));
        }
        break;
      case ConfigNode::Kind::kList:
        return UserError("{}: write a type, or keys with values", At(*node, key));
    }
    if (result.type.empty()) {
      return UserError("{}: is empty; name a type such as {}", At(*node, key), default_type);
    }
    return result;
  }

  // Our plug-in as Feast's batch engine: its block holds options of `banquet:`, which win over
  // those that stand there, what the plug-in alone reads, and the engine that does the work.
  Status ReadFeastEngine(ConfigNode* options) {
    static const std::vector<std::string> kOfPlugin = {"type", "binary", "fallback"};
    const ConfigNode block = std::move(config_.batch_engine);
    config_.batch_engine = {};
    config_.batch_engine.location = block.location;
    config_.batch_engine_type = "local";
    if (options->kind == ConfigNode::Kind::kNull && !block.entries.empty()) {
      options->kind = ConfigNode::Kind::kMap;
      options->location = block.location;
    }
    for (const auto& [key, value] : block.entries) {
      if (std::ranges::count(kOfPlugin, key) > 0) continue;
      if (key == "engine") {
        BANQUET_ASSIGN_OR_RETURN(BatchEngineBlock engine,
                                 ReadBatchEngine(value, At(value, "batch_engine.engine")));
        config_.batch_engine_type = std::move(engine.type);
        config_.batch_engine = std::move(engine.block);
        continue;
      }
      std::erase_if(options->entries, [&](const ConfigEntry& entry) { return entry.key == key; });
      options->entries.push_back({key, value});
    }
    return Status::OK();
  }

  Status ReadOnlineStore() {
    const ConfigNode* node = root_.Find("online_store");
    BANQUET_ASSIGN_OR_RETURN(TypedBlock online, ReadTypedBlock("online_store", "sqlite"));
    config_.online_store = std::move(online.block);
    const bool is_null = node != nullptr && node->kind == ConfigNode::Kind::kNull;
    const std::string lower =
        node != nullptr && IsScalar(*node) ? LowerCase(node->scalar) : std::string();
    if (is_null || lower == "none" || lower == "null") return Status::OK();
    config_.online_store_type = OnlineStoreWord(online.type);
    const ConfigNode* path = config_.online_store.Find("path");
    return path == nullptr ? Status::OK() : RefuseUnsetVariable(*path, "online_store.path");
  }

  // The report names online_store by its type, and the others by theirs.
  Status CheckFurtherStores() const {
    for (const OnlineStoreBlock& store : config_.options.online_stores) {
      const std::string place = "banquet.online_stores." + store.name;
      if (store.name == config_.online_store_type) {
        return UserError("{}: the report calls online_store by that name; choose another",
                         At(store.block, place));
      }
      const ConfigNode* path = store.block.Find("path");
      if (path != nullptr) BANQUET_RETURN_NOT_OK(RefuseUnsetVariable(*path, place + ".path"));
    }
    return Status::OK();
  }

  Status ReadRegistry() {
    const ConfigNode* node = root_.Find("registry");
    if (node == nullptr || node->kind == ConfigNode::Kind::kNull) {
      return Required("registry", "registry: data/registry.db");
    }
    RegistrySettings& registry = config_.registry;
    if (node->kind == ConfigNode::Kind::kMap) {
      BANQUET_RETURN_NOT_OK(ReadRegistryKeys(*node));
    } else {
      BANQUET_ASSIGN_OR_RETURN(registry.path, TextOf(*node, "registry"));
      BANQUET_RETURN_NOT_OK(RefuseUnsetVariable(*node, "registry"));
    }
    const bool is_file = registry.type == "file";
    if (!is_file && registry.type != "sql") return Status::OK();
    if (registry.path.empty()) {
      return UserError("{}: required; add the path of the registry, such as data/registry.db",
                       At(*node, "registry.path"));
    }
    if (!is_file) return Status::OK();
    constexpr std::string_view kFileScheme = "file://";
    if (registry.path.starts_with(kFileScheme)) registry.path.erase(0, kFileScheme.size());
    if (registry.path.find("://") == std::string::npos) {
      registry.path = JoinPath(config_.repo_path, registry.path);
    }
    return Status::OK();
  }

  Status ReadRegistryKeys(const ConfigNode& block) {
    RegistrySettings& registry = config_.registry;
    WarnOfSlips(block, "registry.", RegistryKeys());
    const auto read_text = [&](const char* key, std::string* text) {
      const ConfigNode* node = block.Find(key);
      if (node == nullptr || node->kind == ConfigNode::Kind::kNull) return Status::OK();
      return TextOf(*node, std::string("registry.") + key).Value(text);
    };
    BANQUET_RETURN_NOT_OK(read_text("registry_type", &registry.type));
    BANQUET_RETURN_NOT_OK(read_text("path", &registry.path));
    if (const ConfigNode* path = block.Find("path")) {
      BANQUET_RETURN_NOT_OK(RefuseUnsetVariable(*path, "registry.path"));
    }
    BANQUET_RETURN_NOT_OK(read_text("registry_store_type", &registry.registry_store_type));
    const ConfigNode* versioning = block.Find("enable_online_feature_view_versioning");
    if (versioning == nullptr || versioning->kind == ConfigNode::Kind::kNull) return Status::OK();
    return BoolOf(*versioning, "registry.enable_online_feature_view_versioning")
        .Value(&registry.online_feature_view_versioning);
  }

  Status ReadKeyVersion() {
    const std::string key = "entity_key_serialization_version";
    const ConfigNode* node = root_.Find(key);
    if (node == nullptr) return Status::OK();
    const std::optional<int64_t> version =
        IsScalar(*node) && !node->quoted ? ReadInt(node->scalar) : std::nullopt;
    if (!version.has_value() || *version < 0 || *version > std::numeric_limits<int>::max()) {
      return UserError("{}: write a whole number without quotes, such as 3", At(*node, key));
    }
    config_.entity_key_serialization_version = static_cast<int>(*version);
    if (*version < 3) Warn(*node, key, "versions below 3 are deprecated; Feast recommends 3");
    return Status::OK();
  }

  Status ReadMaterialization() {
    const ConfigNode* block = root_.Find("materialization");
    if (block == nullptr || block->kind == ConfigNode::Kind::kNull) return Status::OK();
    if (block->kind != ConfigNode::Kind::kMap) {
      return UserError("{}: write keys with values", At(*block, "materialization"));
    }
    WarnOfSlips(*block, "materialization.", MaterializationKeys());
    if (const ConfigNode* latest = block->Find("pull_latest_features")) {
      BANQUET_ASSIGN_OR_RETURN(config_.pull_latest_features,
                               BoolOf(*latest, "materialization.pull_latest_features"));
    }
    const ConfigNode* size = block->Find("online_write_batch_size");
    if (size == nullptr || size->kind == ConfigNode::Kind::kNull) return Status::OK();
    const std::optional<int64_t> rows = IsScalar(*size) ? ReadInt(size->scalar) : std::nullopt;
    if (!rows.has_value() || *rows <= 0) {
      return UserError("{}: write a whole number of rows above 0, or null",
                       At(*size, "materialization.online_write_batch_size"));
    }
    config_.online_write_batch_size = rows;
    return Status::OK();
  }

  // It guards Feast's servers, not this program's stores; only its word is checked.
  Status ReadAuth() const {
    static const std::vector<std::string> kTypes = {"no_auth", "kubernetes", "oidc"};
    BANQUET_ASSIGN_OR_RETURN(const TypedBlock auth, ReadTypedBlock("auth", "no_auth"));
    if (std::ranges::count(kTypes, auth.type) > 0) return Status::OK();
    return UserError("{}: write no_auth, kubernetes or oidc, not '{}'.{}",
                     At(auth.block, "auth.type"), auth.type, DidYouMean(auth.type, kTypes));
  }

  const ConfigNode& root_;
  RepoConfig& config_;
};

}  // namespace

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<RepoConfig> LoadRepoConfig(const ConfigRequest& request) {
  BANQUET_ASSIGN_OR_RETURN(const YamlSource source, ReadYamlSource(request));
  RepoConfig config;
  config.repo_path = source.repo_path;
  config.yaml_path = source.name;
  if (!request.yaml_file.empty() && request.yaml_file != source.name) {
    config.warnings.push_back(source.name + " is set and wins over the file " + request.yaml_file);
  }
  config.yaml_text = request.given_text.has_value()
                         ? source.text
                         : ExpandVariables(source.text, request.environment);
  config.overrides = request.overrides;
  BANQUET_ASSIGN_OR_RETURN(const ConfigNode root,
                           ReadYaml(config.yaml_text, source.name, &config.warnings));
  BANQUET_RETURN_NOT_OK(RepoConfigReader(root, &config).Read(request.overrides));
  return config;
}

}  // namespace banquet
