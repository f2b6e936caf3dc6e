#include "banquet/online/dynamodb/view_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "banquet/base/time_text.h"

namespace banquet::dynamodb {
namespace {

using nlohmann::json;

constexpr size_t kPutsMax = 25;         // Of a BatchWriteItem.
constexpr size_t kStatementsMax = 25;   // Of a BatchExecuteStatement.
constexpr size_t kKeysMax = 100;        // Of a BatchGetItem.
constexpr int kStatementRoundsMax = 4;  // UPDATE, INSERT, and both once more if others interfere.

template <typename Each>
Status ForChunks(std::span<const FlushRow> rows, size_t size, const Each& each) {
  for (size_t first = 0; first < rows.size(); first += size) {
    BANQUET_RETURN_NOT_OK(each(rows.subspan(first, std::min(size, rows.size() - first))));
  }
  return Status::OK();
}

const json* Member(const json& node, const char* key) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(key);
  return found == node.end() ? nullptr : &*found;
}

// The text of {"S": "…"} under `key`.
const std::string* TextOf(const json& item, const char* key) {
  const json* attribute = Member(item, key);
  const json* text = attribute == nullptr ? nullptr : Member(*attribute, "S");
  return text == nullptr ? nullptr : text->get_ptr<const std::string*>();
}

Status Garbled(const Client& client, std::string_view operation) {
  return RemoteError({.retryable = true}, "{} answered {} with what is not its JSON",
                     client.server(), operation);
}

bool IsThrottling(std::string_view code) {
  return code == "ThrottlingError" || code == "ProvisionedThroughputExceeded" ||
         code == "RequestLimitExceeded" || code == "InternalServerError" ||
         code == "TransactionConflict";
}

}  // namespace

ViewWriter::ViewWriter(Client* client, ViewTarget target, Clock* clock, std::stop_token stop)
    : client_(client),
      target_(std::move(target)),
      frames_(target_.view, target_.ttl_attribute),
      clock_(clock),
      stop_(std::move(stop)),
      table_text_(JsonText(target_.table)),
      inserts_first_(target_.is_new) {}

Status ViewWriter::Write(std::span<const FlushRow> rows, std::vector<RowFate>* fates) {
  if (target_.view.overwrite != Overwrite::kNewest) return PutAll(rows, fates);
  if (target_.view.guard == Guard::kStrict) return WriteStrictly(rows, fates);
  return ForChunks(rows, kKeysMax, [&](std::span<const FlushRow> chunk) {
    BANQUET_ASSIGN_OR_RETURN(const std::vector<FlushRow> kept, NotStale(chunk, fates));
    return PutAll(kept, fates);
  });
}

// --- BatchWriteItem ---

Status ViewWriter::PutAll(std::span<const FlushRow> rows, std::vector<RowFate>* fates) {
  return ForChunks(rows, kPutsMax,
                   [&](std::span<const FlushRow> chunk) { return PutSome(chunk, fates); });
}

Status ViewWriter::PutSome(std::span<const FlushRow> rows, std::vector<RowFate>* fates) {
  std::string body = R"({"RequestItems":{)" + table_text_ + ":[";
  for (const FlushRow& row : rows) {
    if (body.back() != '[') body += ',';
    body += R"({"PutRequest":{"Item":)";
    BANQUET_RETURN_NOT_OK(frames_.PutItem(*row.batch, target_.number, row.row, &body));
    body += "}}";
  }
  body += "]}}";
  BANQUET_RETURN_NOT_OK(AwaitTurn(rows));
  BANQUET_ASSIGN_OR_RETURN(const auto answer, CallPaced("BatchWriteItem", body));
  if (!answer.has_value()) return Status::OK();
  const json parsed = json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  const json* unprocessed = Member(parsed, "UnprocessedItems");
  if (unprocessed == nullptr || !unprocessed->is_object()) {
    return Garbled(*client_, "BatchWriteItem");
  }
  RowsById left;
  for (const FlushRow& row : rows) left.emplace(EntityId(row.batch->keys[row.row]), row);
  for (const auto& [table, requests] : unprocessed->items()) {
    for (const json& request : requests) {
      const json* put = Member(request, "PutRequest");
      const json* item = put == nullptr ? nullptr : Member(*put, "Item");
      const std::string* id = item == nullptr ? nullptr : TextOf(*item, "entity_id");
      if (id == nullptr || left.erase(*id) == 0) return Garbled(*client_, "BatchWriteItem");
    }
  }
  if (left.size() < rows.size()) target_.rate->Throttled(clock_->Steady());
  for (const auto& [id, row] : left) (*fates)[row.place] = RowFate::kWritten;
  return Status::OK();
}

// --- guard: check ---

Result<std::vector<FlushRow>> ViewWriter::NotStale(std::span<const FlushRow> rows,
                                                   std::vector<RowFate>* fates) {
  std::string body = R"({"RequestItems":{)" + table_text_ + R"(:{"ConsistentRead":true,)" +
                     R"("ProjectionExpression":"entity_id,event_ts","Keys":[)";
  RowsById left;
  for (const FlushRow& row : rows) {
    std::string id = EntityId(row.batch->keys[row.row]);
    if (body.back() != '[') body += ',';
    body += R"({"entity_id":{"S":")" + id + R"("}})";
    left.emplace(std::move(id), row);
  }
  body += "]}}}";
  std::vector<FlushRow> kept;
  BANQUET_ASSIGN_OR_RETURN(const auto answer, CallPaced("BatchGetItem", body));
  if (!answer.has_value()) return kept;
  const json parsed = json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  const json* responses = Member(parsed, "Responses");
  const json* unprocessed = Member(parsed, "UnprocessedKeys");
  if (responses == nullptr) return Garbled(*client_, "BatchGetItem");
  for (const auto& [table, items] : responses->items()) {
    for (const json& item : items) {
      const std::string* id = TextOf(item, "entity_id");
      const auto found = id == nullptr ? left.end() : left.find(*id);
      if (found == left.end()) return Garbled(*client_, "BatchGetItem");
      const FlushRow& row = found->second;
      // A time that is none does not guard.
      const std::string* text = TextOf(item, "event_ts");
      const auto stored = ParseInstant(text == nullptr ? "" : *text);
      if (stored.ok() && *stored > row.batch->event_us[row.row]) {
        (*fates)[row.place] = RowFate::kStale;
        left.erase(found);
      }
    }
  }
  if (unprocessed != nullptr && unprocessed->is_object()) {
    for (const auto& [table, keys] : unprocessed->items()) {
      const json* list = Member(keys, "Keys");
      if (list == nullptr) return Garbled(*client_, "BatchGetItem");
      for (const json& key : *list) {
        const std::string* id = TextOf(key, "entity_id");
        if (id == nullptr || left.erase(*id) == 0) return Garbled(*client_, "BatchGetItem");
      }
    }
  }
  for (const FlushRow& row : rows) {
    if (left.contains(EntityId(row.batch->keys[row.row]))) kept.push_back(row);
  }
  return kept;
}

// --- guard: strict ---

Status ViewWriter::WriteStrictly(std::span<const FlushRow> rows, std::vector<RowFate>* fates) {
  return ForChunks(rows, kStatementsMax, [&](std::span<const FlushRow> chunk) {
    std::vector<FlushRow> left(chunk.begin(), chunk.end());
    bool is_insert = inserts_first_;
    for (int round = 0; round < kStatementRoundsMax && !left.empty(); ++round) {
      const size_t before = left.size();
      BANQUET_ASSIGN_OR_RETURN(left, Execute(is_insert, left, fates));
      // The kind that most rows needed is the likelier one for the next.
      if (round == 0 && left.size() * 2 > before) inserts_first_ = !inserts_first_;
      is_insert = !is_insert;
    }
    return Status::OK();
  });
}

Result<std::string> ViewWriter::StatementsOf(bool is_insert, std::span<const FlushRow> rows) const {
  const std::string quoted = "\"" + target_.table + "\"";
  const std::string& expiry = target_.ttl_attribute;
  const bool expires = frames_.has_expiry();
  const std::string statement =
      is_insert ? "INSERT INTO " + quoted + " VALUE {'entity_id': ?, 'event_ts': ?, 'values': ?" +
                      (expires ? ", '" + expiry + "': ?" : "") + "}"
                : "UPDATE " + quoted + R"( SET event_ts=? SET "values"=?)" +
                      (expires          ? " SET \"" + expiry + "\"=?"
                       : expiry.empty() ? ""  // Else the one of a ttl that the view had goes.
                                        : " REMOVE \"" + expiry + "\"") +
                      " WHERE entity_id=? AND event_ts <= ?";
  const std::string statement_text = JsonText(statement);
  std::string body = R"({"Statements":[)";
  for (const FlushRow& row : rows) {
    const std::string id = R"({"S":")" + EntityId(row.batch->keys[row.row]) + R"("})";
    const std::string time = frames_.EventTime(*row.batch, row.row);
    if (body.back() != '[') body += ',';
    body += R"({"Statement":)" + statement_text + R"(,"Parameters":[)";
    body += is_insert ? id + "," + time + "," : time + ",";
    BANQUET_RETURN_NOT_OK(frames_.PutValues(*row.batch, target_.number, row.row, &body));
    if (expires) body += "," + frames_.Expiry(*row.batch, row.row);
    if (!is_insert) body += "," + id + "," + time;
    body += is_insert ? "]}" : R"(],"ReturnValuesOnConditionCheckFailure":"ALL_OLD"})";
  }
  return body + "]}";
}

Result<std::vector<FlushRow>> ViewWriter::Execute(bool is_insert, std::span<const FlushRow> rows,
                                                  std::vector<RowFate>* fates) {
  std::vector<FlushRow> others;
  BANQUET_ASSIGN_OR_RETURN(const std::string body, StatementsOf(is_insert, rows));
  BANQUET_RETURN_NOT_OK(AwaitTurn(rows));
  BANQUET_ASSIGN_OR_RETURN(const auto answer, CallPaced("BatchExecuteStatement", body));
  if (!answer.has_value()) return others;
  const json parsed = json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  const json* responses = Member(parsed, "Responses");
  if (responses == nullptr || !responses->is_array() || responses->size() != rows.size()) {
    return Garbled(*client_, "BatchExecuteStatement");
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const json& response = (*responses)[i];
    const json* error = Member(response, "Error");
    if (error == nullptr) {
      (*fates)[rows[i].place] = RowFate::kWritten;
      continue;
    }
    const json* code_node = Member(*error, "Code");
    const std::string code =
        code_node != nullptr && code_node->is_string() ? code_node->get<std::string>() : "";
    if (code == "DuplicateItem") {
      others.push_back(rows[i]);
    } else if (code == "ConditionalCheckFailed") {
      // With the item where there is one: it is newer. Without: there is none to update.
      if (Member(*error, "Item") != nullptr || Member(response, "Item") != nullptr) {
        (*fates)[rows[i].place] = RowFate::kStale;
      } else {
        others.push_back(rows[i]);
      }
    } else if (IsThrottling(code)) {
      target_.rate->Throttled(clock_->Steady());
    } else {
      return RemoteError({}, "{}: a statement for table {} failed: {}", client_->server(),
                         target_.table, code);
    }
  }
  return others;
}

// --- pace ---

Status ViewWriter::AwaitTurn(std::span<const FlushRow> rows) {
  double units = 0;
  for (const FlushRow& row : rows) {
    units += frames_.WriteUnits(*row.batch, target_.number, row.row);
  }
  const auto wait = target_.rate->Book(units, clock_->Steady());
  if (wait.count() > 0 && !clock_->Wait(wait, stop_)) return CancelledError();
  return Status::OK();
}

Result<std::optional<std::string>> ViewWriter::CallPaced(std::string_view operation,
                                                         const std::string& body) {
  bytes_ += static_cast<int64_t>(body.size());
  Result<std::string> answer = client_->Call(operation, body);
  if (answer.ok()) return *std::move(answer);
  if (!client_->is_throttled()) return answer.status();
  target_.rate->Throttled(clock_->Steady());
  return std::nullopt;
}

}  // namespace banquet::dynamodb
