#include "banquet/engine/spark/spark_settings.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "banquet/base/option_table.h"

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

// As Spark's own spark.redaction.regex.
bool NamesASecret(std::string key) {
  std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"secret", "password", "passphrase", "token",
                                              "access.key", "accesskey", "credential"},
      [&](std::string_view word) { return key.find(word) != std::string::npos; });
}

}  // namespace

std::string SparkSettings::master() const {
  const auto found = conf.find("spark.master");
  return found == conf.end() ? "local[*]" : found->second;
}

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

std::vector<std::string> SparkSettings::Arguments() const {
  std::vector<std::string> words;
  for (const auto& [key, value] : conf) {
    if (NamesASecret(key)) continue;
    words.emplace_back("--conf");
    words.push_back(key + "=" + value);
  }
  return words;
}

std::map<std::string, std::string> SparkSettings::Secrets() const {
  std::map<std::string, std::string> secrets;
  for (const auto& [key, value] : conf) {
    if (NamesASecret(key)) secrets[key] = value;
  }
  return secrets;
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
  const auto mode = settings.conf.find("spark.submit.deployMode");
  if (mode != settings.conf.end() && mode->second != "client") {
    return UserError(
        "spark.submit.deployMode: {} is not supported by this version, which submits in client "
        "mode ({})",
        mode->second, options.Location("spark_conf").ToString());
  }
  return settings;
}

}  // namespace banquet
