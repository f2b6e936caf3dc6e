#include "banquet/online/memory/memory_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace banquet::memory {
namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "name",
     .type = OptionType::kText,
     .default_value = "default",
     .unit = "",
     .meaning = "stores of one name share their rows within the process",
     .choices = ""},
};
constexpr std::string_view kIgnoredKeys[] = {"type"};

struct Row {
  std::map<std::string, std::string, std::less<>> values;  // By feature.
  int64_t event_us = 0;
};

// What stores of one name share. Guarded by its mutex.
struct Shelf {
  using ViewName = std::pair<std::string, std::string>;  // Project, view.
  using View = std::map<std::string, Row, std::less<>>;  // By serialized key.
  std::mutex mutex;
  std::map<ViewName, View> views;
};

std::shared_ptr<Shelf> ShelfOf(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Shelf>> shelves;
  std::lock_guard lock(mutex);
  std::shared_ptr<Shelf>& shelf = shelves[name];
  if (shelf == nullptr) shelf = std::make_shared<Shelf>();
  return shelf;
}

// Holds what it takes until Flush, which decides all of it under one lock.
class MemoryWriter final : public OnlineWriter {
 public:
  MemoryWriter(std::shared_ptr<Shelf> shelf, std::span<const ViewColumns> views)
      : shelf_(std::move(shelf)), views_(views.begin(), views.end()) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    if (batch->views.size() != views_.size()) {
      return Bug("A batch has not the views of its writer: {} for {}", batch->views.size(),
                 views_.size());
    }
    pending_.emplace_back(std::move(batch), rows);
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    outcomes.views.resize(views_.size());
    std::lock_guard lock(shelf_->mutex);
    for (const auto& [batch, rows] : pending_) {
      for (size_t i = 0; i < rows.Count(batch->rows); ++i) {
        bool written = false;
        for (size_t view = 0; view < views_.size(); ++view) {
          const bool taken = WriteRow(*batch, rows.At(i), view, &outcomes.bytes);
          ++(taken ? outcomes.views[view].written : outcomes.views[view].stale);
          written |= taken;
        }
        ++(written ? outcomes.written : outcomes.stale);
      }
    }
    pending_.clear();
    return outcomes;
  }

 private:
  bool WriteRow(const EncodedBatch& batch, uint32_t row, size_t view, int64_t* bytes) {
    const ViewColumns& columns = views_[view];
    const int64_t event_us = batch.event_us[row];
    Shelf::View& rows = shelf_->views[{columns.project, columns.view}];
    const auto [it, fresh] = rows.try_emplace(std::string(batch.keys[row]));
    Row& stored = it->second;
    if (!fresh && columns.overwrite == Overwrite::kNewest && event_us < stored.event_us) {
      return false;
    }
    stored.event_us = event_us;
    for (size_t feature = 0; feature < columns.features.size(); ++feature) {
      const std::string_view value = batch.views[view][feature].values[row];
      stored.values.insert_or_assign(columns.features[feature].name, std::string(value));
      *bytes += static_cast<int64_t>(value.size());
    }
    return true;
  }

  const std::shared_ptr<Shelf> shelf_;
  const std::vector<ViewColumns> views_;
  std::vector<std::pair<std::shared_ptr<const EncodedBatch>, RowSelection>> pending_;
};

// Rows in this process's memory: the reference that the contract suite measures other stores by.
// Under overwrite: feast it has no guard, as most of Feast's stores.
class MemoryStore final : public OnlineStore {
 public:
  explicit MemoryStore(std::string name) : name_(std::move(name)), shelf_(ShelfOf(name_)) {}

  WriteNeeds needs() const override { return {.lanes = 4, .encode = {}}; }

  Status Check(std::span<const ViewColumns> /*views*/) override { return Status::OK(); }

  Status Prepare(std::span<const ViewColumns> views) override {
    std::lock_guard lock(shelf_->mutex);
    for (const ViewColumns& view : views) shelf_->views[{view.project, view.view}];
    return Status::OK();
  }

  Result<std::unique_ptr<OnlineWriter>> OpenWriter(std::span<const ViewColumns> views,
                                                   int /*lane*/) override {
    return std::make_unique<MemoryWriter>(shelf_, views);
  }

  Result<StoredRows> Read(const ViewColumns& view, std::span<const std::string> keys) override {
    StoredRows found(keys.size());
    std::lock_guard lock(shelf_->mutex);
    const auto rows = shelf_->views.find({view.project, view.view});
    if (rows == shelf_->views.end()) return found;
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto row = rows->second.find(keys[i]);
      if (row == rows->second.end()) continue;
      StoredRow& stored = found[i].emplace();
      stored.event_us = row->second.event_us;
      for (const Field& feature : view.features) {
        const auto value = row->second.values.find(feature.name);
        if (value == row->second.values.end()) {
          stored.values.emplace_back();
        } else {
          stored.values.emplace_back(value->second);
        }
      }
    }
    return found;
  }

  Status Remove(const ViewColumns& view) override {
    std::lock_guard lock(shelf_->mutex);
    shelf_->views.erase({view.project, view.view});
    return Status::OK();
  }

  std::string_view type() const override { return "memory"; }
  std::string Describe() const override { return fmt::format("memory '{}'", name_); }

 private:
  const std::string name_;
  const std::shared_ptr<Shelf> shelf_;
};

}  // namespace

Result<std::unique_ptr<OnlineStore>> MakeStore(const ConfigNode& block,
                                               const OnlineStoreContext& /*context*/) {
  BANQUET_ASSIGN_OR_RETURN(const OptionValues options,
                           OptionValues::Parse(kOptions, block, "online_store", kIgnoredKeys));
  return std::make_unique<MemoryStore>(options.Text("name").value_or("default"));
}

std::span<const OptionSpec> StoreOptions() { return kOptions; }

}  // namespace banquet::memory
