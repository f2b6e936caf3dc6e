#include "banquet/online/redis/view_access.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/hex_text.h"
#include "banquet/base/log.h"
#include "banquet/online/redis/hash_layout.h"
#include "banquet/online/redis/reply_class.h"

namespace banquet::redis {
namespace {

constexpr size_t kReadKeys = 500;  // In flight.
constexpr std::string_view kScanCount = "1000";
constexpr std::string_view kTimeFieldStart = "_ts:";
constexpr size_t kFeatureFieldBytes = 4;

void PutCommand(std::string_view command, std::string_view key,
                const std::vector<std::string>& fields, CommandBuffer* out) {
  size_t bytes = command.size() + key.size() + 3 * kWordOverheadMax;
  for (const std::string& field : fields) bytes += field.size() + kWordOverheadMax;
  char* at = PutHeader(out->Reserve(bytes), '*', 2 + fields.size());
  at = PutWord(PutWord(at, command), key);
  for (const std::string& field : fields) at = PutWord(at, field);
  out->Commit(at);
}

Status Unexpected(const Connection& connection, std::string_view command) {
  return RemoteError({}, "{}: an unexpected reply to {}; is this a Redis server?",
                     connection.server(), command);
}

// The view's fields: features in order, then the time.
std::vector<std::string> FieldsOf(const ViewColumns& view) {
  std::vector<std::string> fields;
  for (const Field& feature : view.features) {
    fields.push_back(FeatureField(view.view, feature.name));
  }
  fields.push_back(TimeField(view.view));
  return fields;
}

Result<std::optional<StoredRow>> RowOf(const Reply& reply, size_t features,
                                       const std::string& server, std::string_view key) {
  StoredRow row;
  bool found = false;
  for (size_t i = 1; i <= features + 1; ++i) {
    const bool stored = reply.kind(i) == ReplyKind::kBulk;
    found |= stored;
    if (i <= features) {
      row.values.push_back(stored ? std::optional(std::string(reply.text(i))) : std::nullopt);
    } else if (stored) {
      Result<StoredTime> time = ParseTimestamp(reply.text(i));
      if (!time.ok()) {
        return DataError("{} holds a damaged event time (_ts field); remove the key: {}", server,
                         HexOf(key));
      }
      row.event_us = time->us;
    }
  }
  if (!found) return std::nullopt;
  return row;
}

// What SCAN gives at one call.
struct ScanPage {
  std::string cursor;
  std::vector<std::string> keys;
};

Result<ScanPage> Scan(Connection* connection, const std::string& cursor,
                      const std::string& pattern) {
  BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Call({"SCAN", cursor, "MATCH", pattern,
                                                                 "COUNT", kScanCount}));
  if (reply->IsError()) return ErrorOfReply(reply->text(), connection->server(), "SCAN");
  if (reply->size() < 3 || reply->integer(0) != 2 || reply->kind(1) != ReplyKind::kBulk ||
      reply->kind(2) != ReplyKind::kArray) {
    return Unexpected(*connection, "SCAN");
  }
  ScanPage page;
  page.cursor = reply->text(1);
  for (size_t i = 3; i < reply->size(); ++i) page.keys.emplace_back(reply->text(i));
  return page;
}

// The fields of this hash that go with the view; none where it has no row of it.
std::vector<std::string> FieldsToRemove(const Reply& fields,
                                        const std::set<std::string, std::less<>>& own,
                                        const std::string& time_field) {
  bool other_views = false;
  for (size_t i = 1; i < fields.size(); ++i) {
    const std::string_view field = fields.text(i);
    other_views |= field.starts_with(kTimeFieldStart) && field != time_field;
  }
  std::vector<std::string> removed;
  bool has_row = false;
  for (size_t i = 1; i < fields.size(); ++i) {
    const std::string_view field = fields.text(i);
    const bool is_own = own.contains(field);
    has_row |= is_own;
    if (is_own || (!other_views && field.size() == kFeatureFieldBytes)) {
      removed.emplace_back(field);
    }
  }
  if (!has_row) removed.clear();
  return removed;
}

Status RemoveFrom(Connection* connection, const std::vector<std::string>& keys,
                  const std::set<std::string, std::less<>>& own, const std::string& time_field) {
  for (const std::string& key : keys) connection->commands()->Command({"HKEYS", key});
  std::vector<std::pair<std::string, std::vector<std::string>>> removals;
  for (const std::string& key : keys) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Receive());
    if (reply->IsError()) {
      if (reply->text().starts_with("WRONGTYPE")) continue;  // Not a hash, not Feast's.
      return ErrorOfReply(reply->text(), connection->server(), "HKEYS");
    }
    if (!reply->IsFlatArray(reply->integer())) return Unexpected(*connection, "HKEYS");
    auto fields = FieldsToRemove(*reply, own, time_field);
    if (!fields.empty()) removals.emplace_back(key, std::move(fields));
  }
  for (const auto& [key, fields] : removals) {
    PutCommand("HDEL", key, fields, connection->commands());
  }
  for (size_t i = 0; i < removals.size(); ++i) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Receive());
    if (reply->IsError()) return ErrorOfReply(reply->text(), connection->server(), "HDEL");
  }
  return Status::OK();
}

}  // namespace

Result<StoredRows> ReadRows(Connection* connection, const ViewColumns& view,
                            std::span<const std::string> keys, Topology topology) {
  StoredRows rows;
  rows.reserve(keys.size());
  const std::vector<std::string> fields = FieldsOf(view);
  for (size_t first = 0; first < keys.size(); first += kReadKeys) {
    const auto chunk = keys.subspan(first, std::min(kReadKeys, keys.size() - first));
    for (const std::string& key : chunk) {
      PutCommand("HMGET", RedisKey(key, view.project), fields, connection->commands());
    }
    for (const std::string& key : chunk) {
      BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Receive());
      const std::string redis_key = RedisKey(key, view.project);
      if (reply->IsError()) {
        return ErrorOfReply(reply->text(), connection->server(), "HMGET",
                            reply->text().starts_with("WRONGTYPE") ? redis_key : "", topology);
      }
      if (!reply->IsFlatArray(static_cast<int64_t>(fields.size()))) {
        return Unexpected(*connection, "HMGET");
      }
      BANQUET_ASSIGN_OR_RETURN(rows.emplace_back(), RowOf(*reply, view.features.size(),
                                                          connection->server(), redis_key));
    }
  }
  return rows;
}

std::string RightsKeyOf(const ViewColumns& view) { return RedisKey(KeyPrefix(view), view.project); }

Status CheckRights(Connection* connection, const ViewColumns& view, bool has_ttl) {
  const std::string key = RightsKeyOf(view);
  const std::string field = TimeField(view.view);
  const bool strict = view.guard == Guard::kStrict;
  BANQUET_ASSIGN_OR_RETURN(const Reply* multi, connection->Call({"MULTI"}));
  if (multi->IsError()) {
    if (strict) return ErrorOfReply(multi->text(), connection->server(), "MULTI");
    LogWarning(
        "{}: the login may not send MULTI, so that its right to write was not tried; grant +multi "
        "+discard for that",
        connection->server());
    return Status::OK();
  }
  std::vector<std::string_view> sent;
  const auto send = [&](std::initializer_list<std::string_view> words) {
    connection->commands()->Command(words);
    sent.push_back(*words.begin());
  };
  if (view.overwrite != Overwrite::kAlways) send({"HMGET", key, field});
  send({"HSET", key, field, ""});
  if (has_ttl) {
    send({"TTL", key});
    send({"EXPIRE", key, "1"});
  }
  send({"DISCARD"});
  if (strict) {
    send({"WATCH", key});
    send({"UNWATCH"});
  }
  Status refusal;
  for (const std::string_view command : sent) {
    BANQUET_ASSIGN_OR_RETURN(const Reply* reply, connection->Receive());
    if (!reply->IsError() || !refusal.ok()) continue;
    refusal = ErrorOfReply(reply->text(), connection->server(), command);
  }
  return refusal;
}

Status RemoveRows(Connection* connection, const ViewColumns& view) {
  const std::string prefix = KeyPrefix(view);
  const std::string pattern = ScanPattern(prefix, view.project);
  const std::string time_field = TimeField(view.view);
  const std::vector<std::string> fields = FieldsOf(view);
  const std::set<std::string, std::less<>> own(fields.begin(), fields.end());
  const size_t join_keys = std::max<size_t>(1, view.join_keys.size());
  std::string cursor = "0";
  do {
    BANQUET_ASSIGN_OR_RETURN(ScanPage page, Scan(connection, cursor, pattern));
    std::erase_if(page.keys, [&](const std::string& key) {
      return !IsKeyOf(key, prefix, join_keys, view.project);
    });
    BANQUET_RETURN_NOT_OK(RemoveFrom(connection, page.keys, own, time_field));
    cursor = page.cursor;
  } while (cursor != "0");
  return Status::OK();
}

}  // namespace banquet::redis
