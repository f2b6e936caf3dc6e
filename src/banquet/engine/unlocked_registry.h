#pragma once
// A registry for runs that write nothing.

#include <memory>
#include <optional>
#include <string>

#include "banquet/registry/registry.h"

namespace banquet {

// Reads what the real one holds; its views are locked for nobody and nothing can be recorded.
// Borrows the registry.
class UnlockedRegistry final : public Registry {
 public:
  explicit UnlockedRegistry(Registry* registry) : registry_(registry) {}

  Result<std::shared_ptr<const RegistryContents>> Read() override { return registry_->Read(); }
  Result<std::optional<std::string>> RecordMaterialization(
      const MaterializationRecord& record) override {
    return Bug("A run that writes nothing was to be recorded: {}", record.view);
  }
  Status CheckWritable() override { return Status::OK(); }
  Result<std::unique_ptr<ViewLock>> LockView(const std::string& /*project*/,
                                             const std::string& /*view*/,
                                             std::chrono::milliseconds /*wait*/,
                                             std::stop_token /*stop*/) override {
    return std::make_unique<ViewLock>();
  }

 private:
  Registry* const registry_;
};

}  // namespace banquet
