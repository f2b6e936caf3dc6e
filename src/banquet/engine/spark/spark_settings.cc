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
     .meaning = "of Feast's engine; here banquet.staging_location"},
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

bool SparkSettings::is_local() const {
  const auto master = conf.find("spark.master");
  return master == conf.end() || master->second.starts_with("local");
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
    for (const ConfigEntry& entry : conf->entries) {
      if (entry.value.kind == ConfigNode::Kind::kScalar)
        settings.conf[entry.key] = entry.value.scalar;
    }
    if (conf->kind != ConfigNode::Kind::kMap || settings.conf.size() != conf->entries.size()) {
      return UserError("batch_engine.spark_conf must be a map of settings and their values ({})",
                       options.Location("spark_conf").ToString());
    }
  }
  if (options.Has("staging_location")) {
    return UserError(
        "batch_engine.staging_location is not supported by this version: executors write to the "
        "stores themselves; remove it ({})",
        options.Location("staging_location").ToString());
  }
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
