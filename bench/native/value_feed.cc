#include "bench/native/value_feed.h"

#include <sqlite3.h>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace banquet::bench {
namespace {

struct FeedTable {
  sqlite3_vtab base;  // First: SQLite casts.
  const ValueFeed* feed;
};

struct FeedCursor {
  sqlite3_vtab_cursor base;
  const ValueFeed* feed;
  size_t row;
  size_t place;  // In the order of the features.
};

int Connect(sqlite3* database, void* feed, int, const char* const*, sqlite3_vtab** table, char**) {
  *table = &(new FeedTable{{}, static_cast<const ValueFeed*>(feed)})->base;
  return sqlite3_declare_vtab(database,
                              "CREATE TABLE x(entity_key, feature_name, value, value_text, "
                              "event_ts, created_ts)");
}

int Disconnect(sqlite3_vtab* table) {
  delete reinterpret_cast<FeedTable*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }

int Open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
  *cursor = &(new FeedCursor{{}, reinterpret_cast<FeedTable*>(table)->feed, 0, 0})->base;
  return SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  delete reinterpret_cast<FeedCursor*>(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  auto* at = reinterpret_cast<FeedCursor*>(cursor);
  at->row = 0;
  at->place = 0;
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  auto* at = reinterpret_cast<FeedCursor*>(cursor);
  if (++at->place < at->feed->order().size()) return SQLITE_OK;
  at->place = 0;
  ++at->row;
  return SQLITE_OK;
}

int Eof(sqlite3_vtab_cursor* cursor) {
  const auto* at = reinterpret_cast<const FeedCursor*>(cursor);
  return at->row >= at->feed->batch()->rows ? 1 : 0;
}

void GiveBlob(sqlite3_context* context, std::string_view bytes) {
  sqlite3_result_blob(context, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
}

void GiveText(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const auto* at = reinterpret_cast<const FeedCursor*>(cursor);
  const EncodedBatch& batch = *at->feed->batch();
  const size_t number = at->feed->order()[at->place];
  const EncodedFeature& feature = batch.views.front()[number];
  switch (column) {
    case 0:
      GiveBlob(context, batch.keys[at->row]);
      break;
    case 1:
      GiveText(context, at->feed->NameOf(number));
      break;
    case 2:
      GiveBlob(context, feature.values[at->row]);
      break;
    case 3:
      if (feature.text_valid[at->row] != 0) GiveText(context, feature.text[at->row]);
      break;
    case 4:
      sqlite3_result_int64(context, batch.event_us[at->row] / 1'000'000);
      break;
    default:
      if (!batch.created_us.empty() && batch.created_valid[at->row] != 0)
        sqlite3_result_int64(context, batch.created_us[at->row] / 1'000'000);
  }
  return SQLITE_OK;
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  const auto* at = reinterpret_cast<const FeedCursor*>(cursor);
  *id = static_cast<sqlite3_int64>(at->row * at->feed->order().size() + at->place);
  return SQLITE_OK;
}

sqlite3_module MakeModule() {
  sqlite3_module module = {};
  module.xConnect = Connect;  // Without xCreate: eponymous only.
  module.xBestIndex = BestIndex;
  module.xDisconnect = Disconnect;
  module.xOpen = Open;
  module.xClose = Close;
  module.xFilter = Filter;
  module.xNext = Next;
  module.xEof = Eof;
  module.xColumn = Column;
  module.xRowid = RowId;
  return module;
}

}  // namespace

ValueFeed::ValueFeed(const ViewColumns& view) : view_(view), order_(view.features.size()) {
  std::iota(order_.begin(), order_.end(), size_t{0});
  std::ranges::sort(order_, {}, [this](size_t i) { return view_.features[i].name; });
}

Status ValueFeed::Register(sqlite3* database) {
  static const sqlite3_module module = MakeModule();
  if (sqlite3_create_module_v2(database, "value_feed", &module, this, nullptr) == SQLITE_OK)
    return Status::OK();
  return Bug("The virtual table was refused: {}", sqlite3_errmsg(database));
}

}  // namespace banquet::bench
