#pragma once
// Which tables hold nothing but what this run has copied into them.

#include <mutex>
#include <set>
#include <string>

namespace banquet::postgres {

// Tables that were empty when the run began, by name. Shared by the writers of all lanes. A run
// writes an entity once, so that rows can be copied straight in; when one is there all the same,
// the table's unique index says so and the table is fresh no more.
class FreshTables {
 public:
  void Set(const std::string& table, bool is_fresh) {
    const std::lock_guard lock(mutex_);
    if (is_fresh) {
      tables_.insert(table);
    } else {
      tables_.erase(table);
    }
  }
  bool Contains(const std::string& table) const {
    const std::lock_guard lock(mutex_);
    return tables_.contains(table);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> tables_;
};

}  // namespace banquet::postgres
