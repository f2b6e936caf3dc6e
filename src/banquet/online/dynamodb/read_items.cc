#include "banquet/online/dynamodb/read_items.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "banquet/base/base64.h"
#include "banquet/base/time_text.h"
#include "banquet/online/dynamodb/item.h"

namespace banquet::dynamodb {
namespace {

using nlohmann::json;

constexpr size_t kKeysMax = 100;
constexpr std::chrono::milliseconds kFirstWait{20};
constexpr std::chrono::milliseconds kWaitMax{2000};

using Places = std::map<std::string, std::vector<size_t>>;  // By entity_id.

// Throws where the item is not as DynamoDB writes it.
StoredRow RowOf(const json& item, const ViewColumns& view) {
  StoredRow row;
  row.values.resize(view.features.size());
  const json values = item.value("values", json::object()).value("M", json::object());
  for (size_t i = 0; i < view.features.size(); ++i) {
    const auto value = values.find(view.features[i].name);
    if (value == values.end()) continue;
    row.values[i] = DecodeBase64(value->at("B").get<std::string>());
    if (!row.values[i].has_value()) throw std::invalid_argument("no base64");
  }
  const auto time = ParseInstant(item.value("event_ts", json::object()).value("S", std::string()));
  if (time.ok()) row.event_us = *time;
  return row;
}

class Reader {
 public:
  Reader(Client* client, const ViewColumns& view, const ReadSettings& settings)
      : client_(client), view_(view), settings_(settings) {}

  // At most kKeysMax places.
  Status Read(const Places& places, StoredRows* rows) {
    std::vector<std::string> left;
    for (const auto& [id, at] : places) left.push_back(id);
    auto wait = kFirstWait;
    auto progress_at = settings_.clock->Steady();
    while (!left.empty()) {
      const size_t before = left.size();
      BANQUET_RETURN_NOT_OK(Ask(places, &left, rows));
      const auto now = settings_.clock->Steady();
      if (left.size() < before) progress_at = now;
      if (left.empty()) break;
      if (now - progress_at >= settings_.patience) {
        return RemoteError({.retryable = true}, "{} has no capacity to read table {}",
                           client_->server(), settings_.table);
      }
      if (!settings_.clock->Wait(wait, settings_.stop)) return CancelledError();
      wait = std::min(wait * 2, kWaitMax);
    }
    return Status::OK();
  }

 private:
  // Leaves in `left` what the service did not come to.
  Status Ask(const Places& places, std::vector<std::string>* left, StoredRows* rows) {
    json request = {{"ConsistentRead", settings_.is_consistent}};
    for (const std::string& id : *left) request["Keys"].push_back({{"entity_id", {{"S", id}}}});
    const json body = {{"RequestItems", {{settings_.table, request}}}};
    const Result<std::string> answer = client_->Call("BatchGetItem", body.dump());
    if (!answer.ok()) return client_->is_throttled() ? Status::OK() : answer.status();
    left->clear();
    try {
      const json parsed = json::parse(*answer);
      for (const auto& [table, items] : parsed.at("Responses").items()) {
        for (const json& item : items) {
          const StoredRow row = RowOf(item, view_);
          for (const size_t place : places.at(item.at("entity_id").at("S").get<std::string>())) {
            (*rows)[place] = row;
          }
        }
      }
      const json unprocessed = parsed.value("UnprocessedKeys", json::object());
      for (const auto& [table, keys] : unprocessed.items()) {
        for (const json& key : keys.at("Keys")) left->push_back(key.at("entity_id").at("S"));
      }
    } catch (const std::exception&) {
      return RemoteError({.retryable = true}, "{} answered BatchGetItem with what is not its JSON",
                         client_->server());
    }
    return Status::OK();
  }

  Client* const client_;
  const ViewColumns& view_;
  const ReadSettings& settings_;
};

}  // namespace

Result<StoredRows> ReadRows(Client* client, const ViewColumns& view,
                            std::span<const std::string> keys, const ReadSettings& settings) {
  StoredRows rows(keys.size());
  Reader reader(client, view, settings);
  Places places;
  for (size_t i = 0; i < keys.size(); ++i) {
    places[EntityId(keys[i])].push_back(i);
    if (places.size() < kKeysMax && i + 1 < keys.size()) continue;
    const Status status = reader.Read(places, &rows);
    if (!status.ok() && client->error_code() == kTableNotFound) return rows;
    BANQUET_RETURN_NOT_OK(status);
    places.clear();
  }
  return rows;
}

}  // namespace banquet::dynamodb
