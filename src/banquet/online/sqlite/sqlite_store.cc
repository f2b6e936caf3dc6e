#include "banquet/online/sqlite/sqlite_store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "banquet/base/log.h"
#include "banquet/base/sql_name.h"
#include "banquet/client/sqlite/database.h"
#include "banquet/online/sqlite/sqlite_writer.h"
#include "banquet/online/sqlite/stored_time.h"
#include "banquet/online/sqlite/view_table.h"

namespace banquet::sqlite {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "path",
     .type = OptionType::kText,
     .default_value = "data/online.db",
     .unit = "",
     .meaning = "the database file; a relative path counts from the repository",
     .choices = ""},
    {.name = "vector_enabled",
     .type = OptionType::kBool,
     .default_value = "false",
     .unit = "",
     .meaning = "vectors beside the values; true is refused",
     .choices = ""},
    {.name = "similarity",
     .type = OptionType::kText,
     .default_value = "cosine",
     .unit = "",
     .meaning = "for Feast's vector search; writing does not depend on it",
     .choices = ""},
    {.name = "text_search_enabled",
     .type = OptionType::kBool,
     .default_value = "false",
     .unit = "",
     .meaning = "for Feast's text search; writing does not depend on it",
     .choices = ""},
    {.name = "enable_openai_compatible_store",
     .type = OptionType::kBool,
     .default_value = "false",
     .unit = "",
     .meaning = "a column value_num beside the values",
     .choices = ""},
};
constexpr std::string_view kIgnoredKeys[] = {"type"};

constexpr size_t kReadKeysMax = 500;  // Keys of one SELECT.
// The writer's page cache, and its share of the run's memory limit where there is one.
constexpr int64_t kCacheBytesMax = int64_t{16} << 20;
constexpr int64_t kCachePerLimit = 16;

// EXTRA also syncs the folder, so that a commit outlives a loss of power.
std::string WriterPragmas(int64_t memory_limit) {
  const int64_t cache =
      memory_limit > 0 ? std::min(kCacheBytesMax, memory_limit / kCachePerLimit) : kCacheBytesMax;
  return fmt::format("PRAGMA cache_size = -{}; PRAGMA synchronous = EXTRA", cache / 1024);
}

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

std::optional<FileIdentity> IdentityOf(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return std::nullopt;
  return FileIdentity{.device = file.st_dev, .inode = file.st_ino};
}

struct StoreSettings {
  std::string path;  // Absolute, or relative to the working directory if the repository's is.
  WriterSettings writer;
};

// Feast's tables in one file. Every call and every writer has its own connection, so that nothing
// is shared.
class SqliteStore final : public OnlineStore {
 public:
  SqliteStore(StoreSettings settings, OnlineStoreContext context)
      : settings_(std::move(settings)), context_(std::move(context)) {}

  WriteNeeds needs() const override {
    return {.lanes = 1,
            .order = WriteOrder::kByKey,
            .encode = {.value_text = true, .value_num = settings_.writer.form.value_num},
            .this_machine_only = true,
            .time_unit_us = 1'000'000};
  }

  // What Prepare does, rolled back.
  Status Check(std::span<const ViewColumns> views) override {
    if (!IdentityOf(settings_.path).has_value()) return CheckFolder();
    BANQUET_ASSIGN_OR_RETURN(auto database, Open({.create = false}));
    BANQUET_ASSIGN_OR_RETURN(const Transaction transaction, Transaction::Begin(database.get()));
    return EnsureTables(database.get(), views);
  }

  Status Prepare(std::span<const ViewColumns> views) override {
    WarnOfLocalTimes();
    BANQUET_RETURN_NOT_OK(MakeFolder());
    BANQUET_ASSIGN_OR_RETURN(auto database, Open({.create = true}));
    BANQUET_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database.get()));
    BANQUET_RETURN_NOT_OK(EnsureTables(database.get(), views));
    BANQUET_RETURN_NOT_OK(transaction.Commit());
    std::lock_guard lock(mutex_);
    if (!identity_.has_value()) identity_ = IdentityOf(settings_.path);
    return Status::OK();
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    BANQUET_ASSIGN_OR_RETURN(auto database, Open({.create = false}));
    BANQUET_RETURN_NOT_OK(database->Execute(WriterPragmas(context_.memory_limit)));
    return MakeWriter(std::move(database), views, settings_.writer);
  }

  Status ConfirmWritten() override {
    std::lock_guard lock(mutex_);
    if (!identity_.has_value() || identity_ == IdentityOf(settings_.path)) return Status::OK();
    return RemoteError({}, "SQLite database was removed or replaced while it was written: {}",
                       settings_.path);
  }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    StoredRows rows(keys.size());
    if (keys.empty() || !IdentityOf(settings_.path).has_value()) return rows;
    BANQUET_ASSIGN_OR_RETURN(auto database, OpenForReading());
    const std::string table = TableNameOf(view);
    BANQUET_ASSIGN_OR_RETURN(const auto columns, database->ColumnsOf(table));
    if (!columns.has_value()) return rows;
    for (size_t first = 0; first < keys.size(); first += kReadKeysMax) {
      const size_t count = std::min(kReadKeysMax, keys.size() - first);
      BANQUET_RETURN_NOT_OK(ReadChunk(database.get(), table, view, keys.subspan(first, count),
                                      std::span(rows).subspan(first, count)));
    }
    return rows;
  }

  Status Remove(const ViewColumns& view) override {
    if (!IdentityOf(settings_.path).has_value()) return Status::OK();
    BANQUET_ASSIGN_OR_RETURN(auto database, Open({.create = false}));
    return database->Execute("DROP TABLE IF EXISTS " + QuoteName(TableNameOf(view)));
  }

  std::string_view type() const override { return "sqlite"; }
  std::string Describe() const override { return "sqlite at " + settings_.path; }

 private:
  // Feast's own rule, but one that surprises: another host's reader is off by the zones'
  // difference.
  void WarnOfLocalTimes() {
    if (settings_.writer.times == TimeRule::kUtc || LocalTimeIsUtc(context_.clock->NowUs())) return;
    if (warned_of_local_times_.exchange(true)) return;
    LogWarning(
        "Event times are stored in SQLite as Feast stores them: as seconds of this host's local "
        "time, which is not UTC; who reads must have the same time zone (banquet.sqlite_ts: utc "
        "stores true seconds)");
  }

  struct OpenMode {
    bool create = false;
    bool read_only = false;
  };

  Result<std::unique_ptr<Database>> Open(OpenMode mode) const {
    return Database::Open({.path = settings_.path,
                           .create = mode.create,
                           .read_only = mode.read_only,
                           .busy_timeout = context_.stall_timeout,
                           .stop = context_.stop,
                           .clock = context_.clock});
  }

  // For writing where that is allowed, so that an interrupted writer's journal can be rolled back.
  Result<std::unique_ptr<Database>> OpenForReading() const {
    auto database = Open({.create = false});
    if (database.ok() || FaultOf(database.status()) != Fault::kUser) return database;
    return Open({.read_only = true});
  }

  Status EnsureTables(Database* database, std::span<const ViewColumns> views) const {
    for (const ViewColumns& view : views) {
      BANQUET_RETURN_NOT_OK(EnsureTable(database, TableNameOf(view), settings_.writer.form));
    }
    return Status::OK();
  }

  // Of a file that is not there yet: may it be made, or its folder, in the folder above it?
  Status CheckFolder() const {
    std::filesystem::path folder = std::filesystem::path(settings_.path).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) folder = folder.parent_path();
    if (folder.empty()) folder = ".";
    if (access(folder.c_str(), W_OK | X_OK) == 0) return Status::OK();
    return UserError(
        "SQLite database cannot be made there ({}); mend online_store.path or the folder's rights: "
        "{}",
        std::strerror(errno), settings_.path);
  }

  // One level, as Feast does: a missing folder above it is more likely a wrong path.
  Status MakeFolder() const {
    const std::filesystem::path folder = std::filesystem::path(settings_.path).parent_path();
    if (folder.empty() || mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return Status::OK();
    return UserError(
        "Folder of the SQLite database cannot be made ({}); make it or mend online_store.path: {}",
        std::strerror(errno), folder.string());
  }

  Status ReadChunk(Database* database, const std::string& table, const ViewColumns& view,
                   std::span<const std::string> keys, std::span<std::optional<StoredRow>> rows) {
    std::string sql = fmt::format(
        "SELECT entity_key, feature_name, value, event_ts FROM {} WHERE entity_key IN (?",
        QuoteName(table));
    for (size_t i = 1; i < keys.size(); ++i) sql += ",?";
    BANQUET_ASSIGN_OR_RETURN(Statement statement, database->Prepare(sql + ")"));
    std::unordered_map<std::string_view, std::vector<size_t>> places;
    for (size_t i = 0; i < keys.size(); ++i) {
      BANQUET_RETURN_NOT_OK(statement.BindBlob(static_cast<int>(i) + 1, keys[i]));
      places[keys[i]].push_back(i);
    }
    std::unordered_map<std::string_view, size_t> features;
    for (size_t i = 0; i < view.features.size(); ++i) features.emplace(view.features[i].name, i);
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const bool found, statement.Step());
      if (!found) return Status::OK();
      const auto feature = features.find(statement.Bytes(1));
      for (const size_t place : places[statement.Bytes(0)]) {
        if (!rows[place].has_value()) rows[place].emplace().values.resize(view.features.size());
        if (feature != features.end()) {
          rows[place]->values[feature->second] = std::string(statement.Bytes(2));
        }
        TakeTime(statement, &*rows[place]);
      }
    }
  }

  // The greatest of the entity's rows.
  void TakeTime(const Statement& statement, StoredRow* row) const {
    if (!statement.IsNumber(3)) return;
    const int64_t event_us = FromStoredSeconds(statement.Int(3), settings_.writer.times);
    row->event_us = std::max(event_us, row->event_us.value_or(event_us));
  }

  const StoreSettings settings_;
  const OnlineStoreContext context_;
  std::mutex mutex_;
  std::atomic<bool> warned_of_local_times_ = false;
  std::optional<FileIdentity> identity_;  // Of the file first prepared.
};

}  // namespace

Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& context) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "online_store", kIgnoredKeys));
  if (options.Bool("vector_enabled")) {
    return UserError(
        "online_store.vector_enabled is not supported by this version; set it to false ({})",
        options.Location("vector_enabled").ToString());
  }
  const std::string path = options.Text("path").value_or("");
  if (path.empty() || path.find('\0') != std::string::npos) {
    return UserError("online_store.path must name a file ({})",
                     options.Location("path").ToString());
  }
  tzset();
  StoreSettings settings;
  settings.path = (std::filesystem::path(context.repo_path) / path).string();
  settings.writer.form = {.local_provider = context.provider == "local",
                          .value_num = options.Bool("enable_openai_compatible_store")};
  settings.writer.times = context.sqlite_ts_utc ? TimeRule::kUtc : TimeRule::kPython;
  settings.writer.feed = context.sqlite_feed;
  return std::make_unique<SqliteStore>(std::move(settings), context);
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::sqlite
