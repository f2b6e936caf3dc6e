#include "banquet/online/dynamodb/dynamodb_store.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/environment.h"
#include "banquet/base/option_text.h"
#include "banquet/client/aws/profiles.h"
#include "banquet/online/dynamodb/client.h"
#include "banquet/online/dynamodb/dynamodb_writer.h"
#include "banquet/online/dynamodb/item.h"
#include "banquet/online/dynamodb/read_items.h"
#include "banquet/online/dynamodb/table.h"

namespace banquet::dynamodb {
namespace {

constexpr std::string_view kOfPython = "for Feast's Python client; writing does not depend on it";

constexpr OptionSpec kOptions[] = {
    {.name = "region",
     .type = OptionType::kText,
     .meaning = "the AWS region of the tables",
     .required = true},
    {.name = "endpoint_url",
     .type = OptionType::kText,
     .meaning = "another address of the service, such as a VPC endpoint's"},
    {.name = "table_name_template",
     .type = OptionType::kText,
     .default_value = "{project}.{table_name}",
     .meaning = "a table's name; {table_name} is the view's"},
    {.name = "tags", .type = OptionType::kNode, .meaning = "given to tables that are made"},
    {.name = "consistent_reads",
     .type = OptionType::kBool,
     .default_value = "false",
     .meaning = "strongly consistent reads of get-online-features; guards always read so"},
    {.name = "batch_size", .type = OptionType::kInt, .meaning = kOfPython},
    {.name = "session_based_auth", .type = OptionType::kBool, .meaning = kOfPython},
    {.name = "max_read_workers", .type = OptionType::kInt, .meaning = kOfPython},
    {.name = "max_pool_connections", .type = OptionType::kInt, .meaning = kOfPython},
    {.name = "keepalive_timeout", .type = OptionType::kFloat, .meaning = kOfPython},
    {.name = "connect_timeout", .type = OptionType::kFloat, .meaning = kOfPython},
    {.name = "read_timeout", .type = OptionType::kFloat, .meaning = kOfPython},
    {.name = "total_max_retry_attempts", .type = OptionType::kInt, .meaning = kOfPython},
    {.name = "retry_mode", .type = OptionType::kText, .meaning = kOfPython},
    {.name = "warmup_connections", .type = OptionType::kBool, .meaning = kOfPython},
};
constexpr std::string_view kIgnoredKeys[] = {"type"};

// One request at a time each, 25 items in some milliseconds: beyond what a table takes that was not
// made for more.
constexpr int kLanes = 8;
constexpr double kUnitsOfNewTable = 4000;  // What DynamoDB gives a table on demand at once.

// banquet.dynamodb_write_units_max: units a second, or a share of what the table takes.
struct UnitsLimit {
  std::optional<double> units;
  std::optional<double> share;

  double Of(double of_table) const {
    if (units.has_value()) return *units;
    return share.has_value() ? *share * of_table : 1e9;
  }
};

struct StoreSettings {
  ClientSettings client;
  std::string name_template;
  std::map<std::string, std::string> tags;
  bool consistent_reads = false;
  UnitsLimit limit;
  std::string ttl_attribute;
};

class DynamoStore final : public OnlineStore {
 public:
  explicit DynamoStore(StoreSettings settings)
      : settings_(std::move(settings)),
        chain_({.region = settings_.client.region,
                .connect_timeout = settings_.client.connect_timeout,
                .stall_timeout = settings_.client.stall_timeout,
                .stop = settings_.client.stop,
                .clock = settings_.client.clock}) {
    settings_.client.chain = &chain_;
  }

  WriteNeeds needs() const override { return {.lanes = kLanes}; }

  // Of a table that is not there, only that it is not can be found out without making it.
  Status Check(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto client, Client::Open(settings_.client));
    for (const ViewColumns& view : views) {
      BANQUET_ASSIGN_OR_RETURN(const std::string table, NameOf(view));
      BANQUET_ASSIGN_OR_RETURN(const auto facts, DescribeTable(client.get(), table));
      if (!facts.has_value()) continue;
      const std::string key = "banquet check";
      BANQUET_RETURN_NOT_OK(
          ReadRows(client.get(), view, std::span(&key, 1), ReadSettingsFor(table)));
    }
    return Status::OK();
  }

  Status Prepare(std::span<const ViewColumns> views) override {
    BANQUET_ASSIGN_OR_RETURN(const auto client, Client::Open(settings_.client));
    for (const ViewColumns& view : views) {
      BANQUET_ASSIGN_OR_RETURN(const std::string table, NameOf(view));
      BANQUET_ASSIGN_OR_RETURN(const TableFacts facts,
                               EnsureTable(client.get(), table, WishesFor(view)));
      const double units = UnitsOf(facts);
      const double most = settings_.limit.Of(units);
      const std::lock_guard lock(mutex_);
      Table& kept = tables_[table];
      kept.facts = facts;
      if (kept.rate == nullptr) {
        kept.rate = std::make_shared<WriteRate>(
            WriteRate::Limits{.start = units, .least = std::min(5.0, most), .most = most});
      }
    }
    return Status::OK();
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    BANQUET_ASSIGN_OR_RETURN(auto client, Client::Open(settings_.client));
    std::vector<ViewTarget> targets;
    for (const ViewColumns& view : views) {
      BANQUET_ASSIGN_OR_RETURN(const std::string name, NameOf(view));
      const std::lock_guard lock(mutex_);
      const auto table = tables_.find(name);
      if (table == tables_.end()) return Bug("Table was not prepared: {}", name);
      targets.push_back({.view = view,
                         .number = targets.size(),
                         .table = name,
                         .ttl_attribute = settings_.ttl_attribute,
                         .rate = table->second.rate,
                         .is_new = table->second.facts.is_empty});
    }
    return MakeWriter(std::move(client), std::move(targets), settings_.client.clock,
                      settings_.client.stop);
  }

  // A table that was made anew lacks what was acknowledged.
  Status ConfirmWritten() override {
    BANQUET_ASSIGN_OR_RETURN(const auto client, Client::Open(settings_.client));
    const std::lock_guard lock(mutex_);
    for (const auto& [name, table] : tables_) {
      BANQUET_ASSIGN_OR_RETURN(const auto facts, DescribeTable(client.get(), name));
      if (facts.has_value() && facts->id == table.facts.id) continue;
      return RemoteError({}, "{}: table was removed or made anew while it was written: {}",
                         Describe(), name);
    }
    return Status::OK();
  }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    BANQUET_ASSIGN_OR_RETURN(const std::string table, NameOf(view));
    const std::lock_guard lock(read_mutex_);
    if (read_client_ == nullptr) {
      BANQUET_ASSIGN_OR_RETURN(read_client_, Client::Open(settings_.client));
    }
    return ReadRows(read_client_.get(), view, keys, ReadSettingsFor(table));
  }

  Status Remove(const ViewColumns& view) override {
    BANQUET_ASSIGN_OR_RETURN(const std::string table, NameOf(view));
    BANQUET_ASSIGN_OR_RETURN(const auto client, Client::Open(settings_.client));
    const std::lock_guard lock(mutex_);
    tables_.erase(table);
    return RemoveTable(client.get(), table, WishesFor(view));
  }

  // A table that is not there yet is made on demand.
  Result<std::optional<WritePrice>> PriceOf(const ViewColumns& view) override {
    BANQUET_ASSIGN_OR_RETURN(const auto client, Client::Open(settings_.client));
    BANQUET_ASSIGN_OR_RETURN(const std::string table, NameOf(view));
    BANQUET_ASSIGN_OR_RETURN(const auto facts, DescribeTable(client.get(), table));
    const double units = UnitsOf(facts.value_or(TableFacts{}));
    return WritePrice{.units_per_second = std::min(units, settings_.limit.Of(units)),
                      .units_of = [frames = ItemFrames(view, settings_.ttl_attribute)](
                                      const EncodedBatch& batch, size_t view_number, uint32_t row) {
                        return frames.WriteUnits(batch, view_number, row);
                      }};
  }

  std::string_view type() const override { return "dynamodb"; }
  std::string Describe() const override { return settings_.client.server; }

 private:
  // A second, that the table takes as far as is known.
  static double UnitsOf(const TableFacts& facts) {
    return facts.write_units > 0 ? facts.write_units : kUnitsOfNewTable;
  }

  struct Table {
    TableFacts facts;
    std::shared_ptr<WriteRate> rate;
  };

  Result<std::string> NameOf(const ViewColumns& view) const {
    return TableNameOf(view, settings_.name_template);
  }

  // The view's tags stand above those of the store, as Feast has it.
  TableWishes WishesFor(const ViewColumns& view) const {
    TableWishes wishes{.tags = view.tags,
                       .ttl_attribute = view.ttl_us > 0 ? settings_.ttl_attribute : "",
                       .clock = settings_.client.clock,
                       .stop = settings_.client.stop};
    for (const auto& [key, value] : settings_.tags) {
      std::string& tag = wishes.tags[key];
      if (tag.empty()) tag = value;
    }
    return wishes;
  }

  ReadSettings ReadSettingsFor(const std::string& table) const {
    return {.table = table,
            .is_consistent = settings_.consistent_reads,
            .clock = settings_.client.clock,
            .stop = settings_.client.stop,
            .patience = settings_.client.stall_timeout};
  }

  StoreSettings settings_;
  aws::CredentialChain chain_;
  std::mutex mutex_;
  std::map<std::string, Table> tables_;
  std::mutex read_mutex_;
  std::unique_ptr<Client> read_client_;
};

Result<std::map<std::string, std::string>> TagsOf(const OptionValues& options) {
  std::map<std::string, std::string> tags;
  const ConfigNode* node = options.Node("tags");
  if (node == nullptr || node->kind == ConfigNode::Kind::kNull) return tags;
  for (const ConfigEntry& entry : node->entries) {
    if (entry.value.kind == ConfigNode::Kind::kScalar) tags[entry.key] = entry.value.scalar;
  }
  if (node->kind == ConfigNode::Kind::kMap && tags.size() == node->entries.size()) return tags;
  return UserError("online_store.tags must be a map of text ({})",
                   options.Location("tags").ToString());
}

Result<UnitsLimit> LimitOf(const std::string& text) {
  UnitsLimit limit;
  if (text.empty()) return limit;
  const bool is_share = text.ends_with('%');
  const auto number = ReadFloat(text.substr(0, text.size() - (is_share ? 1 : 0)));
  if (!number.has_value() || *number <= 0) {
    return UserError(
        "banquet.dynamodb_write_units_max must be write units a second or a percentage of the "
        "table's: {}",
        text);
  }
  (is_share ? limit.share : limit.units) = is_share ? *number / 100 : *number;
  return limit;
}

Result<std::string> TtlAttributeOf(const std::string& name) {
  constexpr size_t kNameBytesMax = 255;
  const bool is_plain =
      name.size() <= kNameBytesMax && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
      });
  if (is_plain && name != "entity_id" && name != "event_ts" && name != "values") return name;
  return UserError(
      "banquet.dynamodb_ttl_attribute must be letters, digits, _, - and ., and none of entity_id, "
      "event_ts and values: {}",
      JsonText(name));
}

std::string EndpointOf(const OptionValues& options, const std::string& region) {
  std::string url = options.Text("endpoint_url").value_or("");
  for (const char* name : {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"}) {
    if (url.empty()) url = Environment(name).value_or("");
  }
  while (url.ends_with('/')) url.pop_back();
  if (!url.empty()) return url;
  return fmt::format("https://dynamodb.{}.amazonaws.com{}", region,
                     region.starts_with("cn-") ? ".cn" : "");
}

}  // namespace

Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "online_store", kIgnoredKeys));
  const std::string region = options.Text("region").value_or("");
  const std::string endpoint = EndpointOf(options, region);
  if (endpoint.find('@') != std::string::npos) {
    return UserError(
        "online_store.endpoint_url may hold no user or password; credentials come from the "
        "environment or ~/.aws ({})",
        options.Location("endpoint_url").ToString());
  }
  if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) {
    return UserError("online_store.endpoint_url must begin with https:// or http:// ({}): {}",
                     options.Location("endpoint_url").ToString(), endpoint);
  }
  StoreSettings settings{
      .client = {.endpoint = endpoint,
                 .region = region,
                 .server = options.Has("endpoint_url") ? "dynamodb at " + endpoint
                                                       : "dynamodb in " + region,
                 .connect_timeout = context.connect_timeout,
                 .stall_timeout = context.stall_timeout,
                 .stop = context.stop,
                 .clock = context.clock},
      .name_template = options.Text("table_name_template").value_or(""),
      .consistent_reads = options.Bool("consistent_reads")};
  BANQUET_ASSIGN_OR_RETURN(settings.tags, TagsOf(options));
  BANQUET_ASSIGN_OR_RETURN(settings.limit, LimitOf(context.dynamodb_write_units_max));
  BANQUET_ASSIGN_OR_RETURN(settings.ttl_attribute, TtlAttributeOf(context.dynamodb_ttl_attribute));
  return std::make_unique<DynamoStore>(std::move(settings));
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::dynamodb
