#include "banquet/engine/spark/spark_settings.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "banquet/base/environment.h"
#include "banquet/base/option_table.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/client/process/program.h"

namespace banquet {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "partitions",
     .type = OptionType::kInt,
     .default_value = "0",
     .meaning = "tasks that write; 0: as many as Spark makes by itself"},
    {.name = "spark_conf",
     .type = OptionType::kNode,
     .meaning = "Spark's own settings, applied as they stand"},
    {.name = "staging_location",
     .type = OptionType::kText,
     .meaning = "where write: staging leaves the rows; banquet.staging_location comes before it"},
    {.name = "write",
     .type = OptionType::kChoice,
     .meaning = "who writes to the online stores",
     .choices = "executors|staging"},
    {.name = "applications",
     .type = OptionType::kChoice,
     .default_value = "separate",
     .meaning = "whether each group of views is an application of its own",
     .choices = "separate|shared"},
    {.name = "region", .type = OptionType::kText, .meaning = "of Feast's engine; has no effect"},
};
constexpr std::string_view kIgnored[] = {"type"};
constexpr int64_t kPartitionsMax = 100'000;

constexpr char kMaster[] = "spark.master";
constexpr char kDeployMode[] = "spark.submit.deployMode";
constexpr char kArchives[] = "spark.archives";

// Whether spark-submit has to know it before the job runs, and nobody need hide it.
bool IsForSubmit(const std::string& key) {
  if (key == kMaster || key == kDeployMode || key == kArchives) return false;  // Told apart.
  const bool is_early = std::ranges::any_of(
      std::initializer_list<std::string_view>{"spark.app.", "spark.driver.", "spark.files",
                                              "spark.jars", "spark.kubernetes.", "spark.pyspark.",
                                              "spark.submit.", "spark.yarn."},
      [&](std::string_view begins) { return key.starts_with(begins); });
  std::string lower = key;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  // As Spark's own spark.redaction.regex.
  return is_early &&
         std::ranges::none_of(
             std::initializer_list<std::string_view>{"secret", "password", "passphrase", "token",
                                                     "access.key", "accesskey", "credential"},
             [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\f";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

std::string SparkSettings::Get(const std::string& key, const std::string& otherwise) const {
  for (const auto* map : {&conf, &defaults}) {
    const auto found = map->find(key);
    if (found != map->end()) return found->second;
  }
  return otherwise;
}

std::string SparkSettings::master() const { return Get(kMaster, "local[*]"); }

std::string SparkSettings::deploy_mode() const { return Get(kDeployMode, "client"); }

std::string SparkSettings::files() const { return Get("spark.files", ""); }

bool SparkSettings::is_local() const { return master().starts_with("local"); }

std::string SparkSettings::UriFor(const std::string& path) const {
  constexpr std::string_view kS3 = "s3://";
  constexpr std::string_view kGcs = "gcs://";
  if (path.starts_with('/')) return "file://" + path;
  if (path.starts_with(kS3) && !conf.contains("spark.hadoop.fs.s3.impl"))
    return "s3a://" + path.substr(kS3.size());
  if (path.starts_with(kGcs)) return "gs://" + path.substr(kGcs.size());
  return path;
}

std::vector<std::string> SparkSettings::Arguments(const std::string& archive) const {
  // Both even where they are the defaults: what is not told, spark-submit takes from elsewhere.
  std::vector<std::string> words = {"--master", master(), "--deploy-mode", deploy_mode()};
  const auto add = [&](const std::string& key, const std::string& value) {
    words.emplace_back("--conf");
    words.push_back(key + "=" + value);
  };
  for (const auto& [key, value] : conf) {
    if (IsForSubmit(key)) add(key, value);
  }
  std::string archives = Get(kArchives, "");
  if (!archive.empty()) archives += (archives.empty() ? "" : ",") + archive;
  if (!archives.empty()) add(kArchives, archives);
  return words;
}

std::map<std::string, std::string> SparkSettings::ConfOfJob() const {
  std::map<std::string, std::string> rest;
  for (const auto& [key, value] : conf) {
    if (key != kMaster && key != kDeployMode && key != kArchives && !IsForSubmit(key))
      rest[key] = value;
  }
  return rest;
}

Result<std::string> FindSparkSubmit() {
  const std::string home = FirstOfEnvironment({"SPARK_HOME"});
  const std::string command = home.empty() ? "spark-submit" : home + "/bin/spark-submit";
  const std::string found = FindProgram(command);
  if (!found.empty()) return found;
  return UserError("{} cannot be run; install Spark and set SPARK_HOME, or put it in PATH",
                   command);
}

std::map<std::string, std::string> SparkDefaults() {
  std::filesystem::path folder = FirstOfEnvironment({"SPARK_CONF_DIR"});
  if (folder.empty()) {
    const Result<std::string> command = FindSparkSubmit();
    if (!command.ok()) return {};
    std::error_code ignored;
    const std::filesystem::path real = std::filesystem::canonical(*command, ignored);
    folder = real.parent_path().parent_path() / "conf";
  }
  const Result<std::string> text = ReadWholeFile(folder / "spark-defaults.conf");
  return text.ok() ? ParseSparkDefaults(*text) : std::map<std::string, std::string>();
}

std::map<std::string, std::string> ParseSparkDefaults(std::string_view text) {
  std::map<std::string, std::string> defaults;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    // A key ends at the first blank, equals sign or colon.
    const size_t key_end = std::min(line.find_first_of(" \t=:"), line.size());
    std::string_view value = Trimmed(line.substr(key_end));
    if (!value.empty() && (value.front() == '=' || value.front() == ':'))
      value = Trimmed(value.substr(1));
    defaults.insert_or_assign(std::string(line.substr(0, key_end)), std::string(value));
  }
  return defaults;
}

Result<std::map<std::string, std::string>> ParseSparkConf(const ConfigNode& node,
                                                          const std::string& where) {
  std::map<std::string, std::string> conf;
  for (const ConfigEntry& entry : node.entries) {
    if (entry.value.kind == ConfigNode::Kind::kScalar) conf[entry.key] = entry.value.scalar;
  }
  if (node.kind == ConfigNode::Kind::kMap && conf.size() == node.entries.size()) return conf;
  return UserError("{} must be a map of settings and their values ({})", where,
                   node.location.ToString());
}

Result<SparkSettings> ParseSparkSettings(const ConfigNode& block) {
  SparkSettings settings;
  if (block.kind != ConfigNode::Kind::kMap) return settings;
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "batch_engine", kIgnored));
  const int64_t partitions = options.Int("partitions").value_or(0);
  if (partitions < 0 || partitions > kPartitionsMax) {
    return UserError("batch_engine.partitions must be 0 to {} ({})", kPartitionsMax,
                     options.Location("partitions").ToString());
  }
  settings.partitions = static_cast<int>(partitions);
  const ConfigNode* conf = options.Node("spark_conf");
  if (conf != nullptr && conf->kind != ConfigNode::Kind::kNull) {
    BANQUET_ASSIGN_OR_RETURN(settings.conf, ParseSparkConf(*conf, "batch_engine.spark_conf"));
  }
  settings.staging_location = options.Text("staging_location").value_or("");
  if (options.Has("write")) {
    settings.write =
        options.Text("write") == "staging" ? SparkWrite::kStaging : SparkWrite::kExecutors;
  }
  settings.shares_application = options.Text("applications") == "shared";
  return settings;
}

Status CheckSparkSettings(const SparkSettings& settings, const std::string& where) {
  const std::string mode = settings.deploy_mode();
  if (mode == "client") return Status::OK();
  if (mode != "cluster") {
    return UserError("{}: spark.submit.deployMode is client or cluster, not {}", where, mode);
  }
  const std::string master = settings.master();
  if (!master.starts_with("yarn") && !master.starts_with("k8s://")) {
    return UserError(
        "{}: spark.submit.deployMode: Spark runs Python in deploy mode cluster on YARN and "
        "Kubernetes alone; with {} use client",
        where, master);
  }
  if (!settings.shares_application) return Status::OK();
  return UserError(
      "{}: an application in deploy mode cluster does one group of views; leave applications: "
      "shared out",
      where);
}

}  // namespace banquet
