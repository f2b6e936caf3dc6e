#include "banquet/client/sqlite/feed_table.h"

#include <sqlite3.h>

#include <memory>
#include <string>
#include <utility>

#include "banquet/client/sqlite/database.h"

namespace banquet::sqlite {
namespace {

// SQLite frees it when the module's name is taken anew or the connection closes.
struct Feed {
  std::string declaration;
  const FeedRows* rows;
};

struct FeedVtab : sqlite3_vtab {
  const FeedRows* rows;
};

struct FeedCursor : sqlite3_vtab_cursor {
  const FeedRows* rows;
  FeedRows::Shape shape;
  size_t group;
  size_t row;  // Within the group.
};

FeedCursor* Of(sqlite3_vtab_cursor* cursor) { return static_cast<FeedCursor*>(cursor); }

int Connect(sqlite3* handle, void* self, int, const char* const*, sqlite3_vtab** vtab,
            char** error) {
  const auto* feed = static_cast<const Feed*>(self);
  const int code = sqlite3_declare_vtab(handle, feed->declaration.c_str());
  if (code != SQLITE_OK) {
    *error = sqlite3_mprintf("%s", sqlite3_errmsg(handle));
    return code;
  }
  // A trigger or a view of the file must not read it.
  sqlite3_vtab_config(handle, SQLITE_VTAB_DIRECTONLY);
  auto made = std::make_unique<FeedVtab>();
  made->rows = feed->rows;
  *vtab = made.release();
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* vtab) {
  delete static_cast<FeedVtab*>(vtab);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab* vtab, sqlite3_index_info* plan) {
  const FeedRows::Shape shape = static_cast<const FeedVtab*>(vtab)->rows->shape();
  const size_t rows = shape.groups * shape.group_rows;
  plan->estimatedRows = static_cast<sqlite3_int64>(rows);
  plan->estimatedCost = static_cast<double>(rows);
  return SQLITE_OK;
}

int Open(sqlite3_vtab* vtab, sqlite3_vtab_cursor** cursor) {
  auto made = std::make_unique<FeedCursor>();
  made->rows = static_cast<const FeedVtab*>(vtab)->rows;
  *cursor = made.release();
  return SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  delete Of(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  FeedCursor* at = Of(cursor);
  at->shape = at->rows->shape();
  if (at->shape.group_rows == 0) at->shape.groups = 0;
  at->group = 0;
  at->row = 0;
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  FeedCursor* at = Of(cursor);
  if (++at->row == at->shape.group_rows) {
    at->row = 0;
    ++at->group;
  }
  return SQLITE_OK;
}

int AtEnd(sqlite3_vtab_cursor* cursor) {
  return Of(cursor)->group == Of(cursor)->shape.groups ? 1 : 0;
}

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const FeedCursor* at = Of(cursor);
  at->rows->Give(at->group, at->row, column, FeedCell(context));
  return SQLITE_OK;
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  const FeedCursor* at = Of(cursor);
  *id = static_cast<sqlite3_int64>(at->group * at->shape.group_rows + at->row);
  return SQLITE_OK;
}

// Without xCreate a module's name is a table of the connection, and of no other.
constexpr sqlite3_module MakeModule() {
  sqlite3_module module = {};
  module.xConnect = &Connect;
  module.xDisconnect = &Disconnect;
  module.xBestIndex = &BestIndex;
  module.xOpen = &Open;
  module.xClose = &Close;
  module.xFilter = &Filter;
  module.xNext = &Next;
  module.xEof = &AtEnd;
  module.xColumn = &Column;
  module.xRowid = &RowId;
  return module;
}
constexpr sqlite3_module kModule = MakeModule();

}  // namespace

void FeedCell::SetBlob(std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  sqlite3_result_blob64(context_, data, bytes.size(), SQLITE_STATIC);
}

void FeedCell::SetText(std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  sqlite3_result_text64(context_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void FeedCell::SetInt(int64_t value) { sqlite3_result_int64(context_, value); }

void FeedCell::SetReal(double value) { sqlite3_result_double(context_, value); }

Status Database::AddFeed(const std::string& name, const std::string& columns,
                         const FeedRows* rows) {
  auto feed = std::make_unique<Feed>(
      Feed{.declaration = "CREATE TABLE feed (" + columns + ")", .rows = rows});
  // SQLite calls the destructor even if it fails.
  const int code = sqlite3_create_module_v2(handle_, name.c_str(), &kModule, feed.release(),
                                            [](void* self) { delete static_cast<Feed*>(self); });
  return code == SQLITE_OK ? Status::OK() : ErrorOf(code);
}

}  // namespace banquet::sqlite
