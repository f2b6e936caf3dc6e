#include "banquet/builtin/products.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "banquet/base/option_table.h"
#include "banquet/engine/local/local_compute_engine.h"
#include "banquet/engine/spark/spark_compute_engine.h"
#include "banquet/offline/adbc/adbc_store.h"
#include "banquet/offline/parquet/parquet_store.h"

namespace banquet {
namespace {

// offline_store.type
constexpr char kSparkStore[] = "spark";
constexpr char kPostgresStore[] = "postgres";
constexpr char kAdbcStore[] = "adbc";

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string WhereOf(const ConfigNode& node, const RepoConfig& config) {
  return node.location.line > 0 ? node.location.ToString() : config.yaml_path;
}

OnlineStoreContext ContextOf(const RepoConfig& config, const std::stop_token& stop, Clock& clock) {
  return {
      .repo_path = config.repo_path,
      .project = config.project,
      .provider = config.provider,
      .sqlite_ts_utc = config.options.sqlite_ts == SqliteTimes::kUtc,
      .sqlite_feed = config.options.sqlite_feed,
      .redis_wait_replicas = config.options.redis_wait_replicas,
      .dynamodb_write_units_max = config.options.dynamodb_write_units_max,
      .dynamodb_ttl_attribute = config.options.dynamodb_ttl_attribute,
      .memory_limit = config.options.memory_limit,
      .redis_restore = config.options.redis_restore,
      .connect_timeout = config.options.connect_timeout,
      .stall_timeout = config.options.stall_timeout,
      .stop = stop,
      .clock = &clock,
  };
}

OfflineStoreContext OfflineContextOf(const RepoConfig& config) {
  return {.repo_path = config.repo_path,
          .anonymous_objects = config.options.anonymous_objects,
          .connect_timeout = config.options.connect_timeout,
          .stall_timeout = config.options.stall_timeout,
          .retry_timeout = config.options.retry_timeout};
}

// `key` is where the block stands, for messages.
Result<const OnlineStoreProduct*> ProductOf(const std::string& type, const ConfigNode& block,
                                            const std::string& key, const RepoConfig& config) {
  std::vector<std::string> types;
  for (const OnlineStoreProduct& product : OnlineStoreProducts()) {
    if (product.type == type) return &product;
    types.emplace_back(product.type);
  }
  return UserError("{}: {}.type: this version does not write to {}; it writes to {}.{}",
                   WhereOf(block, config), key, type, Joined(types), DidYouMean(type, types));
}

Result<std::unique_ptr<OnlineStore>> MakeStoreOf(const std::string& type, const ConfigNode& block,
                                                 const std::string& key, const RepoConfig& config,
                                                 const OnlineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OnlineStoreProduct* product, ProductOf(type, block, key, config));
  return product->make(block, context);
}

// Two names of one store would look like two copies of the rows.
Status CheckNotTwice(const RepoConfig& config) {
  const auto without_type = [](ConfigNode block) {
    std::erase_if(block.entries, [](const ConfigEntry& entry) { return entry.key == "type"; });
    return block;
  };
  std::vector<OnlineStoreBlock> seen = {
      {.name = "online_store", .type = config.online_store_type, .block = config.online_store}};
  for (const OnlineStoreBlock& further : config.options.online_stores) {
    for (const OnlineStoreBlock& other : seen) {
      if (other.type != further.type ||
          !without_type(other.block).SaysTheSame(without_type(further.block))) {
        continue;
      }
      return UserError(
          "{}: banquet.online_stores.{} is the same store as {}; name another or leave it out",
          WhereOf(further.block, config), further.name, other.name);
    }
    seen.push_back(further);
  }
  return Status::OK();
}

Status CheckOfflineType(const RepoConfig& config) {
  const std::vector<std::string> types = {"dask",      "duckdb",       "file",
                                          kSparkStore, kPostgresStore, kAdbcStore};
  const std::string& type = config.offline_store_type;
  if (std::ranges::find(types, type) != types.end()) return Status::OK();
  return UserError(
      "{}: offline_store.type: this version does not read from {}; it reads from {}.{}",
      WhereOf(config.offline_store, config), type, Joined(types), DidYouMean(type, types));
}

// A registry's URL without what may change while the registry stays: its login, and of the query
// all that does not say where its tables are.
std::string WithoutLogin(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const size_t begin = scheme + 3;
  const size_t host_end = std::min(url.find_first_of("/?", begin), url.size());
  const size_t at = url.substr(0, host_end).rfind('@');
  const size_t host = at == std::string::npos ? begin : at + 1;
  const size_t query = std::min(url.find('?', host), url.size());
  std::string place = url.substr(0, begin) + url.substr(host, query - host);
  for (size_t part = query; part < url.size();) {
    const size_t end = std::min(url.find('&', part + 1), url.size());
    const std::string_view one = std::string_view(url).substr(part + 1, end - part - 1);
    const std::string_view name = one.substr(0, one.find('='));
    for (const std::string_view places :
         {"database", "dbname", "host", "options", "port", "service", "unix_socket"}) {
      if (name == places) place.append("&").append(one);
    }
    part = end;
  }
  return place;
}

Result<std::unique_ptr<StagingArea>> StagingAreaAt(std::string location, const std::string& option,
                                                   const RepoConfig& config,
                                                   const std::stop_token& stop, Clock& clock) {
  if (!objects::IsObjectUri(location)) {
    if (location.find("://") != std::string::npos) {
      return UserError("{} must be a folder or begin with s3:// or gs://: {}", option, location);
    }
    location = (std::filesystem::path(config.repo_path) / location).lexically_normal().string();
  }
  return std::make_unique<StagingArea>(MakeStagingObjects(config, stop, clock), location,
                                       WithoutLogin(config.registry.path));
}

// The spark_conf of an offline_store of type spark, beneath that of the engine: Feast's users write
// it in either.
Status AddConfOfOfflineStore(const RepoConfig& config, SparkSettings* settings) {
  if (config.offline_store_type != kSparkStore) return Status::OK();
  const ConfigNode* conf = config.offline_store.Find("spark_conf");
  if (conf == nullptr || conf->kind == ConfigNode::Kind::kNull) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(const auto entries, ParseSparkConf(*conf, "offline_store.spark_conf"));
  settings->conf.insert(entries.begin(), entries.end());
  return Status::OK();
}

// Spark stages where it is told to, or where all runs do.
Result<std::unique_ptr<ComputeEngine>> MakeSpark(const BatchEngineBlock& block,
                                                 const std::string& where, const RepoConfig& config,
                                                 const std::stop_token& stop, Clock& clock) {
  BANQUET_ASSIGN_OR_RETURN(SparkSettings settings, ParseSparkSettings(block.block));
  BANQUET_RETURN_NOT_OK(AddConfOfOfflineStore(config, &settings));
  const std::string& of_run = config.options.staging_location;
  const SparkWrite write =
      settings.write.value_or(of_run.empty() ? SparkWrite::kExecutors : SparkWrite::kStaging);
  settings.defaults = SparkDefaults();
  BANQUET_RETURN_NOT_OK(CheckSparkSettings(settings, WhereOf(block.block, config)));
  const bool is_elsewhere = settings.deploy_mode() == "cluster";
  if (write == SparkWrite::kExecutors && !is_elsewhere)
    return MakeSparkComputeEngine(std::move(settings), write, nullptr);
  const std::string& location = of_run.empty() ? settings.staging_location : of_run;
  if (location.empty()) {
    return UserError(
        "{}: {} needs a staging_location, here or under banquet:", WhereOf(block.block, config),
        is_elsewhere ? "deploy mode cluster" : "write: staging");
  }
  BANQUET_ASSIGN_OR_RETURN(
      auto area, StagingAreaAt(location, where + ".staging_location", config, stop, clock));
  return MakeSparkComputeEngine(std::move(settings), write, std::move(area));
}

Result<std::unique_ptr<ComputeEngine>> MakeEngine(const BatchEngineBlock& block,
                                                  const std::string& where,
                                                  const RepoConfig& config,
                                                  const std::stop_token& stop, Clock& clock) {
  if (block.type == "local") return MakeLocalComputeEngine(block.block, SourceReachOf(config));
  if (block.type == "spark.engine") return MakeSpark(block, where, config, stop, clock);
  return UserError("{}: {}: this version has no engine {}; it has local and spark.engine",
                   WhereOf(block.block, config), where, block.type);
}

}  // namespace

std::vector<StoreLanes*> OnlineStores::All() const {
  std::vector<StoreLanes*> all;
  for (const auto& one : lanes) all.push_back(one.get());
  return all;
}

Result<OnlineStores> MakeOnlineStores(const RepoConfig& config, const std::stop_token& stop,
                                      Clock& clock) {
  BANQUET_RETURN_NOT_OK(CheckNotTwice(config));
  OnlineStores made;
  const auto add = [&](const std::string& name, std::unique_ptr<OnlineStore> store) {
    made.stores.push_back(std::move(store));
    made.lanes.push_back(std::make_unique<StoreLanes>(name, made.stores.back().get(),
                                                      config.options.write_rate_max));
  };
  BANQUET_ASSIGN_OR_RETURN(auto first, MakeOnlineStore(config, stop, clock));
  add(config.online_store_type, std::move(first));
  for (const OnlineStoreBlock& further : config.options.online_stores) {
    BANQUET_ASSIGN_OR_RETURN(auto store, MakeStoreOf(further.type, further.block,
                                                     "banquet.online_stores." + further.name,
                                                     config, ContextOf(config, stop, clock)));
    add(further.name, std::move(store));
  }
  return made;
}

Result<std::unique_ptr<OnlineStore>> MakeOnlineStore(const RepoConfig& config, std::stop_token stop,
                                                     Clock& clock) {
  if (config.online_store_type.empty()) {
    return UserError(
        "{}: online_store is null; name a store to materialize into, such as sqlite or redis",
        config.yaml_path);
  }
  return MakeStoreOf(config.online_store_type, config.online_store, "online_store", config,
                     ContextOf(config, stop, clock));
}

Result<std::unique_ptr<OfflineStore>> MakeOfflineStore(const RepoConfig& config,
                                                       std::stop_token stop) {
  BANQUET_RETURN_NOT_OK(CheckOfflineType(config));
  OfflineStoreContext context = OfflineContextOf(config);
  context.stop = std::move(stop);
  if (config.offline_store_type == kPostgresStore) {
    return adbc::MakePostgresStore(config.offline_store, context);
  }
  if (config.offline_store_type == kAdbcStore) {
    return adbc::MakeAdbcStore(config.offline_store, context);
  }
  // Its tables are Spark's to read, by the engine; files we read too.
  const bool is_spark = config.offline_store_type == kSparkStore;
  return parquet_store::MakeStore(is_spark ? ConfigNode() : config.offline_store, context);
}

SourceReach SourceReachOf(const RepoConfig& config) {
  const std::string& type = config.offline_store_type;
  return type == kPostgresStore || type == kAdbcStore ? adbc::Reach() : parquet_store::Reach();
}

Status CheckProducts(const RepoConfig& config) {
  BANQUET_RETURN_NOT_OK(CheckOfflineType(config));
  if (!config.online_store_type.empty()) {
    BANQUET_RETURN_NOT_OK(
        ProductOf(config.online_store_type, config.online_store, "online_store", config).status());
  }
  return Status::OK();
}

Result<std::unique_ptr<OfflineStore>> MakeStagedStore(const RepoConfig& config) {
  OfflineStoreContext context = OfflineContextOf(config);
  context.anonymous_objects = false;  // Who may write there is somebody.
  return parquet_store::MakeStore({}, context);
}

std::shared_ptr<objects::ObjectStore> MakeStagingObjects(const RepoConfig& config,
                                                         const std::stop_token& stop,
                                                         Clock& clock) {
  return std::make_shared<objects::ObjectStore>(
      objects::StoreSettings{.connect_timeout = config.options.connect_timeout,
                             .stall_timeout = config.options.stall_timeout,
                             .stop = stop,
                             .clock = &clock});
}

Result<std::unique_ptr<StagingArea>> MakeStagingArea(const RepoConfig& config,
                                                     const std::stop_token& stop, Clock& clock) {
  if (config.options.staging_location.empty()) return nullptr;
  return StagingAreaAt(config.options.staging_location, "banquet.staging_location", config, stop,
                       clock);
}

Result<std::unique_ptr<EngineSet>> MakeEngines(const RepoConfig& config,
                                               const std::stop_token& stop, Clock& clock) {
  BANQUET_ASSIGN_OR_RETURN(
      auto of_all, MakeEngine({.type = config.batch_engine_type, .block = config.batch_engine},
                              "batch_engine", config, stop, clock));
  auto engines = std::make_unique<EngineSet>(std::move(of_all));
  std::vector<std::pair<const BatchEngineBlock*, std::vector<std::string>>> blocks;
  for (const auto& [view, options] : config.options.views) {
    if (!options.batch_engine.has_value()) continue;
    const BatchEngineBlock& block = *options.batch_engine;
    const auto same = std::ranges::find_if(blocks, [&](const auto& known) {
      return known.first->type == block.type && known.first->block.SaysTheSame(block.block);
    });
    if (same == blocks.end()) {
      blocks.push_back({&block, {view}});
    } else {
      same->second.push_back(view);
    }
  }
  for (const auto& [block, views] : blocks) {
    BANQUET_ASSIGN_OR_RETURN(
        auto engine, MakeEngine(*block, "banquet.views." + views.front() + ".batch_engine", config,
                                stop, clock));
    engines->Add(std::move(engine), views);
  }
  return engines;
}

std::unique_ptr<EngineSet> MakeLocalEngines(const RepoConfig& config) {
  return std::make_unique<EngineSet>(
      MakeLocalComputeEngine({}, SourceReachOf(config)).ValueOrDie());
}

std::unique_ptr<EngineSet> MakeStagedEngines() {
  return std::make_unique<EngineSet>(
      MakeLocalComputeEngine({}, parquet_store::Reach()).ValueOrDie());
}

}  // namespace banquet
