#pragma once
// A registry for runs of tasks that another program hands over.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "banquet/registry/registry.h"

namespace banquet {

// Holds what came with the tasks; locks and records are the other program's.
class GivenRegistry final : public Registry {
 public:
  explicit GivenRegistry(std::shared_ptr<const RegistryContents> contents)
      : contents_(std::move(contents)) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override { return contents_; }
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override {
    return Bug("A task of another program was to be recorded: {}", record.view);
  }
  Status CheckWritable() override { return Status::OK(); }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string& /*project*/,
                                             const std::string& /*view*/,
                                             std::chrono::milliseconds /*wait*/,
                                             std::stop_token /*stop*/) override {
    return std::make_unique<ViewLock>();
  }

 private:
  const std::shared_ptr<const RegistryContents> contents_;
};

}  // namespace banquet
