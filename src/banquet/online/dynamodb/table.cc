#include "banquet/online/dynamodb/table.h"

#include <nlohmann/json.hpp>

#include "banquet/online/dynamodb/item.h"

namespace banquet::dynamodb {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kLookAgain{500};

json TableRequest(const std::string& table) { return json{{"TableName", table}}; }

json CreateRequest(const std::string& table, const TableWishes& wishes) {
  json request = {
      {"TableName", table},
      {"KeySchema", {{{"AttributeName", "entity_id"}, {"KeyType", "HASH"}}}},
      {"AttributeDefinitions", {{{"AttributeName", "entity_id"}, {"AttributeType", "S"}}}},
      {"BillingMode", "PAY_PER_REQUEST"}};
  // Not even an empty list, which would ask for the right to tag.
  for (const auto& [key, value] : wishes.tags) {
    request["Tags"].push_back({{"Key", key}, {"Value", value}});
  }
  return request;
}

std::string TtlRequest(const std::string& table, const TableWishes& wishes) {
  return json{
      {"TableName", table},
      {"TimeToLiveSpecification", {{"AttributeName", wishes.ttl_attribute}, {"Enabled", true}}}}
      .dump();
}

// Whether items expire by the attribute wished for; false: nothing expires.
Result<bool> HasTimeToLive(Client* client, const std::string& table, const TableWishes& wishes) {
  BANQUET_ASSIGN_OR_RETURN(const std::string answer,
                           client->Call("DescribeTimeToLive", TableRequest(table).dump()));
  const json parsed = json::parse(answer, nullptr, /*allow_exceptions=*/false);
  std::string status;
  std::string attribute;
  try {
    status = parsed.at("TimeToLiveDescription").value("TimeToLiveStatus", "");
    attribute = parsed["TimeToLiveDescription"].value("AttributeName", "");
  } catch (const json::exception&) {
    return RemoteError({}, "{} does not tell the time to live of table {}", client->server(),
                       table);
  }
  const bool is_enabled = status.starts_with("ENABL");
  if (!is_enabled || attribute == wishes.ttl_attribute) return is_enabled;
  return UserError(
      "{}: items of table {} expire by attribute {}, banquet.dynamodb_ttl_attribute names {}",
      client->server(), table, attribute, wishes.ttl_attribute);
}

// Enables it where nothing expires yet.
Status EnsureTimeToLive(Client* client, const std::string& table, const TableWishes& wishes) {
  BANQUET_ASSIGN_OR_RETURN(const bool is_there, HasTimeToLive(client, table, wishes));
  if (is_there) return Status::OK();
  const Status enabled = client->Call("UpdateTimeToLive", TtlRequest(table, wishes)).status();
  if (enabled.ok() || client->error_code() != kNotValid) return enabled;
  // Another run may have been faster.
  const Result<bool> by_others = HasTimeToLive(client, table, wishes);
  return by_others.ok() && !*by_others ? enabled : by_others.status();
}

double WriteUnitsOf(const json& table) {
  const json provisioned = table.value("ProvisionedThroughput", json::object());
  const double fixed = provisioned.value("WriteCapacityUnits", 0.0);
  if (fixed > 0) return fixed;
  return table.value("WarmThroughput", json::object()).value("WriteUnitsPerSecond", 0.0);
}

Result<TableFacts> FactsOf(const std::string& answer, const std::string& name,
                           const std::string& server) {
  const json parsed = json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object() || !parsed.contains("Table") || !parsed["Table"].is_object()) {
    return RemoteError({}, "{} does not describe table {} as DynamoDB does", server, name);
  }
  const json& table = parsed["Table"];
  try {
    const json keys = table.value("KeySchema", json::array());
    const bool is_feasts = keys.size() == 1 && keys[0].value("AttributeName", "") == "entity_id" &&
                           keys[0].value("KeyType", "") == "HASH";
    if (!is_feasts) {
      return UserError(
          "{}: the key of table {} is not entity_id alone; drop it or mend "
          "online_store.table_name_template",
          server, name);
    }
    const std::string status = table.value("TableStatus", "");
    return TableFacts{
        .id = table.value("TableId", "") + " " + table.value("CreationDateTime", json()).dump(),
        .is_active = status == "ACTIVE" || status == "UPDATING",
        .is_empty = table.value("ItemCount", int64_t{0}) == 0,
        .write_units = WriteUnitsOf(table)};
  } catch (const json::exception&) {
    return RemoteError({}, "{} does not describe table {} as DynamoDB does", server, name);
  }
}

// Until `is_so` of what is there.
template <typename Condition>
Status Await(Client* client, const std::string& table, const TableWishes& wishes,
             const Condition& is_so) {
  const auto deadline = wishes.clock->Steady() + wishes.patience;
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const auto facts, DescribeTable(client, table));
    if (is_so(facts)) return Status::OK();
    if (wishes.clock->Steady() >= deadline) {
      return RemoteError({.retryable = true}, "{}: table {} is not ready after {} ms",
                         client->server(), table, wishes.patience.count());
    }
    if (!wishes.clock->Wait(kLookAgain, wishes.stop)) return CancelledError();
  }
}

}  // namespace

Result<std::optional<TableFacts>> DescribeTable(Client* client, const std::string& table) {
  const Result<std::string> answer = client->Call("DescribeTable", TableRequest(table).dump());
  if (!answer.ok() && client->error_code() == kTableNotFound) return std::nullopt;
  BANQUET_RETURN_NOT_OK(answer);
  return FactsOf(*answer, table, client->server());
}

Result<TableFacts> EnsureTable(Client* client, const std::string& table,
                               const TableWishes& wishes) {
  BANQUET_ASSIGN_OR_RETURN(std::optional<TableFacts> facts, DescribeTable(client, table));
  if (!facts.has_value()) {
    const auto made = client->Call("CreateTable", CreateRequest(table, wishes).dump());
    // Another run may have been faster.
    if (!made.ok() && client->error_code() != kTableInUse) return made.status();
  }
  if (!facts.has_value() || !facts->is_active) {
    BANQUET_RETURN_NOT_OK(Await(client, table, wishes, [&](const auto& found) {
      facts = found;
      return found.has_value() && found->is_active;
    }));
  }
  if (!wishes.ttl_attribute.empty()) BANQUET_RETURN_NOT_OK(EnsureTimeToLive(client, table, wishes));
  return *facts;
}

Status RemoveTable(Client* client, const std::string& table, const TableWishes& wishes) {
  const auto removed = client->Call("DeleteTable", TableRequest(table).dump());
  if (!removed.ok() && client->error_code() == kTableNotFound) return Status::OK();
  if (!removed.ok() && client->error_code() != kTableInUse) return removed.status();
  return Await(client, table, wishes, [](const auto& found) { return !found.has_value(); });
}

}  // namespace banquet::dynamodb
