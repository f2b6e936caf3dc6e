#include "banquet/config/run_options.h"

#include <algorithm>
#include <array>

#include "banquet/config/type_words.h"

namespace banquet {
namespace {

constexpr char kBlock[] = "banquet";
constexpr int64_t kDay_ms = 86'400'000;

constexpr OptionSpec kOptions[] = {
    {.name = "threads",
     .type = OptionType::kInt,
     .default_value = "0",
     .unit = "threads",
     .meaning = "Workers of a pipeline; 0: one per core."},
    {.name = "parallel_groups",
     .type = OptionType::kInt,
     .default_value = "2",
     .unit = "groups",
     .meaning = "Groups of views that are materialized at once."},
    {.name = "overwrite",
     .type = OptionType::kChoice,
     .default_value = "newest",
     .meaning = "Which stored rows give way: older and equal ones (newest), those Feast replaces "
                "in that store "
                "(feast), all (always). A store's skip_dedup: true means always where this is not "
                "written.",
     .choices = "newest|feast|always"},
    {.name = "guard",
     .type = OptionType::kChoice,
     .default_value = "check",
     .meaning = "How overwrite is kept: read the stored times, then write (check), or in one "
                "atomic step (strict).",
     .choices = "check|strict"},
    {.name = "on_null_key",
     .type = OptionType::kChoice,
     .default_value = "skip",
     .meaning = "A row whose join key is null is skipped and counted, or fails its view.",
     .choices = "skip|fail"},
    {.name = "unsupported",
     .type = OptionType::kTextList,
     .default_value = "fail",
     .meaning =
         "Views that this version cannot materialize: fail, skip, or the names of those to skip."},
    {.name = "memory_limit",
     .type = OptionType::kBytes,
     .unit = "bytes",
     .meaning = "What the whole run may use; beyond it rows go through spill_directory. Default: "
                "half of what the machine or its cgroup allows."},
    {.name = "spill_directory",
     .type = OptionType::kText,
     .meaning = "Where rows go that find no room in memory (files without a name). Default: the "
                "system's temporary folder."},
    {.name = "share_reads",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning = "Views of one source, key and window are read, decided and written together."},
    {.name = "late_materialization",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning = "Decide on keys and times first and read the winners' features afterwards; else "
                "every row is read once and kept until it is decided."},
    {.name = "skip_row_groups",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning = "Leave out row groups none of whose rows can be newest, by their statistics."},
    {.name = "dictionaries",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning =
         "Text that a file keeps as a dictionary is encoded once for each word, not for each "
         "row."},
    {.name = "sqlite_ts",
     .type = OptionType::kChoice,
     .default_value = "python",
     .meaning =
         "Times in SQLite: seconds of the host's local time, as Feast's Python does, or true UTC.",
     .choices = "python|utc"},
    {.name = "staging_location",
     .type = OptionType::kText,
     .meaning =
         "A folder, s3:// or gs://, in which the newest rows are kept as Parquet before any "
         "of them is written to the online stores; what a failed load leaves there, `banquet "
         "load` repeats. Empty: rows go straight to the stores."},
    {.name = "keep_staged",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "Leave the staged rows in staging_location after they were loaded, until the "
                "view's next run."},
    {.name = "anonymous_objects",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "Read s3:// and gs:// without credentials: public buckets."},
    {.name = "sqlite_feed",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning = "Rows go into SQLite by one statement per flush, in the order of its primary key; "
                "false: by one statement per row."},
    {.name = "dynamodb_write_units_max",
     .type = OptionType::kText,
     .meaning = "Write units a second that a DynamoDB table is given at most, or a percentage of "
                "what it takes (50%); empty: no limit but the table's own."},
    {.name = "dynamodb_ttl_attribute",
     .type = OptionType::kText,
     .meaning = "Items of views with a ttl get a number of this name: the second at which event "
                "time and ttl have passed, for DynamoDB's time to live; empty: none, as Feast."},
    {.name = "redis_wait_replicas",
     .type = OptionType::kInt,
     .default_value = "0",
     .unit = "replicas",
     .meaning = "Replicas that must hold the rows before the interval is recorded; Redis alone."},
    {.name = "redis_restore",
     .type = OptionType::kBool,
     .default_value = "true",
     .meaning =
         "Makes keys that Redis does not hold yet by RESTORE where the server can; false: by "
         "HSET."},
    {.name = "connect_timeout",
     .type = OptionType::kSeconds,
     .default_value = "10",
     .unit = "seconds",
     .meaning = "Longest time to connect to a store."},
    {.name = "stall_timeout",
     .type = OptionType::kSeconds,
     .default_value = "60",
     .unit = "seconds",
     .meaning = "Longest time without any progress of a store."},
    {.name = "retry_timeout",
     .type = OptionType::kSeconds,
     .default_value = "300",
     .unit = "seconds",
     .meaning = "Longest time for all attempts at one batch."},
    {.name = "lock_wait",
     .type = OptionType::kSeconds,
     .default_value = "0",
     .unit = "seconds",
     .meaning = "How long to wait for a view that another run holds."},
    {.name = "lease_duration",
     .type = OptionType::kSeconds,
     .default_value = "60",
     .unit = "seconds",
     .meaning = "How long the view of a run that was killed stays held in a registry that machines "
                "share; renewed "
                "while the run lives."},
    {.name = "write_rate_max",
     .type = OptionType::kInt,
     .default_value = "0",
     .unit = "entities a second",
     .meaning = "What each online store is given at most; 0: as much as it takes."},
    {.name = "online_stores",
     .type = OptionType::kNode,
     .meaning = "Further stores, by name, that are written beside online_store from one read."},
    {.name = "views",
     .type = OptionType::kNode,
     .meaning = "Per view name: overwrite, guard, on_null_key and batch_engine of that view."},
};

constexpr OptionSpec kViewOptions[] = {
    kOptions[2],
    kOptions[3],
    kOptions[4],
    {.name = "batch_engine", .type = OptionType::kNode, .meaning = "The view's own engine."}};
static_assert(kViewOptions[0].name == "overwrite" && kViewOptions[2].name == "on_null_key");

// Options of Banquet that this version does not act on. Ignoring them would break a promise.
constexpr std::string_view kPlannedOptions[] = {"allow_python"};

struct Bounds {
  std::string_view option;
  int64_t min;
  int64_t max;
  std::string_view words;
};
constexpr Bounds kBounds[] = {
    {"threads", 0, 1'024, "0 to 1024"},
    {"parallel_groups", 1, 256, "1 to 256"},
    {"memory_limit", int64_t{64} << 20, int64_t{1} << 50, "64MiB or more"},
    {"redis_wait_replicas", 0, 1'000, "0 to 1000"},
    {"connect_timeout", 1, kDay_ms, "more than 0 s, at most 24 h"},
    {"stall_timeout", 1, kDay_ms, "more than 0 s, at most 24 h"},
    {"retry_timeout", 1, 7 * kDay_ms, "more than 0 s, at most 7 d"},
    {"lease_duration", 3'000, kDay_ms, "3 s to 24 h"},
    {"lock_wait", 0, 7 * kDay_ms, "0 s to 7 d"},
    {"write_rate_max", 0, 1'000'000'000, "0 (no limit) to 1000000000"},
};

// "feature_store.yaml:12: banquet.threads", or the command line's "--threads".
std::string PlaceOf(const ConfigLocation& location, const std::string& key) {
  if (location.line == 0 && !location.file.empty()) return location.file;
  return (location.line > 0 ? location.ToString() + ": " : std::string()) + kBlock + "." + key;
}

std::string FlagOf(std::string name) {
  std::ranges::replace(name, '_', '-');
  return "--" + name;
}

Status CheckPlanned(const std::string& place, std::string_view name) {
  if (std::ranges::find(kPlannedOptions, name) == std::end(kPlannedOptions)) return Status::OK();
  return UserError("{}: not supported by this version of Banquet; remove it", place);
}

Status CheckBounds(const OptionValues& values) {
  for (const Bounds& bounds : kBounds) {
    const int64_t value = values.Int(bounds.option).value_or(bounds.min);
    if (value >= bounds.min && value <= bounds.max) continue;
    return UserError("{}: must be {}, not {}",
                     PlaceOf(values.Location(bounds.option), std::string(bounds.option)),
                     bounds.words, values.Text(bounds.option).value_or(""));
  }
  return Status::OK();
}

Overwrite OverwriteNamed(const std::string& word) {
  if (word == "feast") return Overwrite::kFeast;
  return word == "always" ? Overwrite::kAlways : Overwrite::kNewest;
}

// What a view may have of its own, where it is written.
ViewOptions ReadViewOptions(const OptionValues& values) {
  ViewOptions options;
  if (values.Has("overwrite")) options.overwrite = OverwriteNamed(*values.Text("overwrite"));
  if (values.Has("guard")) {
    options.guard = values.Text("guard") == "strict" ? Guard::kStrict : Guard::kCheck;
  }
  if (values.Has("on_null_key")) {
    options.on_null_key =
        values.Text("on_null_key") == "fail" ? OnNullKey::kFail : OnNullKey::kSkip;
  }
  return options;
}

Result<std::map<std::string, ViewOptions>> ReadViews(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::kMap) {
    return UserError("{}: write view names with their options", PlaceOf(node.location, "views"));
  }
  std::map<std::string, ViewOptions> views;
  for (const auto& [name, block] : node.entries) {
    const std::string path = "views." + name;
    for (const auto& [key, value] : block.entries) {
      const std::string place = PlaceOf(value.location, path + "." + key);
      BANQUET_RETURN_NOT_OK(CheckPlanned(place, key));
      const bool of_view =
          std::ranges::find(kViewOptions, key, &OptionSpec::name) != std::end(kViewOptions);
      const bool of_run = std::ranges::find(kOptions, key, &OptionSpec::name) != std::end(kOptions);
      if (of_view || !of_run) continue;
      return UserError(
          "{}: this version has it for the whole run only; one view may have overwrite, guard, "
          "on_null_key and batch_engine",
          place);
    }
    BANQUET_ASSIGN_OR_RETURN(
        const OptionValues values,
        OptionValues::Parse(kViewOptions, block, std::string(kBlock) + "." + path));
    ViewOptions& options = views.emplace(name, ReadViewOptions(values)).first->second;
    options.place = PlaceOf(block.location, path);
    if (const ConfigNode* engine = values.Node("batch_engine")) {
      BANQUET_ASSIGN_OR_RETURN(
          options.batch_engine,
          ReadBatchEngine(*engine, PlaceOf(engine->location, path + ".batch_engine")));
    }
  }
  return views;
}

Result<std::vector<OnlineStoreBlock>> ReadOnlineStores(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::kMap) {
    return UserError("{}: write names, each with an online_store block",
                     PlaceOf(node.location, "online_stores"));
  }
  std::vector<OnlineStoreBlock> stores;
  for (const auto& [name, block] : node.entries) {
    const std::string place = PlaceOf(block.location, "online_stores." + name);
    const ConfigNode* type = block.Find("type");
    if (type == nullptr || type->kind != ConfigNode::Kind::kScalar || type->scalar.empty()) {
      return UserError("{}: write an online_store block with its type", place);
    }
    if (block.Find("skip_dedup") != nullptr) {
      return UserError(
          "{}.skip_dedup: one rule holds for all stores of a run; write banquet.overwrite", place);
    }
    stores.push_back({.name = name, .type = OnlineStoreWord(type->scalar), .block = block});
  }
  return stores;
}

// What the command line says holds for every view.
void GiveWay(std::span<const std::pair<std::string, std::string>> overrides,
             std::map<std::string, ViewOptions>* views) {
  for (auto& [view, options] : *views) {
    for (const auto& [name, text] : overrides) {
      if (name == "overwrite") options.overwrite.reset();
      if (name == "guard") options.guard.reset();
      if (name == "on_null_key") options.on_null_key.reset();
    }
  }
}

Result<UnsupportedRule> ReadUnsupported(const OptionValues& values) {
  static const std::vector<std::string> kWords = {"fail", "skip"};
  const ConfigNode* node = values.Node("unsupported");
  UnsupportedRule rule;
  if (node->kind == ConfigNode::Kind::kList) {
    rule.skip_views = values.TextList("unsupported");
    return rule;
  }
  if (node->scalar == "fail") return rule;
  if (node->scalar == "skip") {
    rule.skip_all = true;
    return rule;
  }
  // One name: taken from a command line, which knows no lists, but not where it may be a slip.
  const bool from_command_line = node->location.line == 0;
  const std::string hint = DidYouMean(node->scalar, kWords);
  if (from_command_line && hint.empty() && !node->scalar.empty()) {
    rule.skip_views = {node->scalar};
    return rule;
  }
  return UserError("{}: write fail, skip or a list of view names, not '{}'.{}",
                   PlaceOf(node->location, "unsupported"), node->scalar, hint);
}

Result<OptionValues> ReadValues(const ConfigNode& block,
                                std::span<const std::pair<std::string, std::string>> overrides) {
  for (const auto& [key, node] : block.entries) {
    BANQUET_RETURN_NOT_OK(CheckPlanned(PlaceOf(node.location, key), key));
  }
  BANQUET_ASSIGN_OR_RETURN(OptionValues values, OptionValues::Parse(kOptions, block, kBlock));
  for (const auto& [name, text] : overrides) {
    const std::string flag = FlagOf(name);
    BANQUET_RETURN_NOT_OK(CheckPlanned(flag, name));
    BANQUET_RETURN_NOT_OK(values.Set(name == "wait" ? "lock_wait" : name, text, flag));
  }
  return values;
}

}  // namespace

std::span<const OptionSpec> RunOptionTable() { return kOptions; }

Result<BatchEngineBlock> ReadBatchEngine(const ConfigNode& node, const std::string& place) {
  const ConfigNode* type = node.kind == ConfigNode::Kind::kMap ? node.Find("type") : &node;
  if (type == nullptr || type->kind != ConfigNode::Kind::kScalar || type->scalar.empty())
    return UserError("{}: write a batch_engine block with its type", place);
  return BatchEngineBlock{.type = BatchEngineWord(type->scalar), .block = node};
}

Result<RunOptions> ParseRunOptions(const ConfigNode& block,
                                   std::span<const std::pair<std::string, std::string>> overrides) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues values, ReadValues(block, overrides));
  BANQUET_RETURN_NOT_OK(CheckBounds(values));
  const auto milliseconds = [&](std::string_view name) {
    return std::chrono::milliseconds(*values.Int(name));
  };
  const ViewOptions run = ReadViewOptions(values);
  RunOptions options;
  options.threads = static_cast<int>(*values.Int("threads"));
  options.parallel_groups = static_cast<int>(*values.Int("parallel_groups"));
  options.overwrite = run.overwrite;
  options.guard = run.guard;
  options.on_null_key = run.on_null_key.value_or(OnNullKey::kSkip);
  BANQUET_ASSIGN_OR_RETURN(options.unsupported, ReadUnsupported(values));
  options.memory_limit = values.Int("memory_limit").value_or(0);
  options.spill_directory = values.Text("spill_directory").value_or("");
  options.share_reads = values.Bool("share_reads");
  options.late_materialization = values.Bool("late_materialization");
  options.skip_row_groups = values.Bool("skip_row_groups");
  options.dictionaries = values.Bool("dictionaries");
  options.sqlite_ts = values.Text("sqlite_ts") == "utc" ? SqliteTimes::kUtc : SqliteTimes::kPython;
  options.anonymous_objects = values.Bool("anonymous_objects");
  options.sqlite_feed = values.Bool("sqlite_feed");
  options.dynamodb_write_units_max = values.Text("dynamodb_write_units_max").value_or("");
  options.staging_location = values.Text("staging_location").value_or("");
  options.keep_staged = values.Bool("keep_staged");
  options.dynamodb_ttl_attribute = values.Text("dynamodb_ttl_attribute").value_or("");
  options.redis_wait_replicas = static_cast<int>(*values.Int("redis_wait_replicas"));
  options.redis_restore = values.Bool("redis_restore");
  options.connect_timeout = milliseconds("connect_timeout");
  options.stall_timeout = milliseconds("stall_timeout");
  options.retry_timeout = milliseconds("retry_timeout");
  options.lock_wait = milliseconds("lock_wait");
  options.lease_duration = milliseconds("lease_duration");
  options.write_rate_max = *values.Int("write_rate_max");
  if (const ConfigNode* stores = values.Node("online_stores")) {
    BANQUET_ASSIGN_OR_RETURN(options.online_stores, ReadOnlineStores(*stores));
  }
  if (const ConfigNode* views = values.Node("views")) {
    BANQUET_ASSIGN_OR_RETURN(options.views, ReadViews(*views));
    GiveWay(overrides, &options.views);
  }
  return options;
}

OnNullKey RunOptions::OnNullKeyOf(const std::string& view) const {
  const auto found = views.find(view);
  return found == views.end() ? on_null_key : found->second.on_null_key.value_or(on_null_key);
}

std::optional<Overwrite> RunOptions::OverwriteOf(const std::string& view) const {
  const auto found = views.find(view);
  return found != views.end() && found->second.overwrite.has_value() ? found->second.overwrite
                                                                     : overwrite;
}

std::optional<Guard> RunOptions::GuardOf(const std::string& view) const {
  const auto found = views.find(view);
  return found != views.end() && found->second.guard.has_value() ? found->second.guard : guard;
}

}  // namespace banquet
