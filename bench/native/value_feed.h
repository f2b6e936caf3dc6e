#pragma once
// A virtual table over an encoded batch: SQLite pulls its rows without a statement for each.

#include <cstdint>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/encode/encoded_batch.h"
#include "banquet/model/view_columns.h"

struct sqlite3;

namespace banquet::bench {

// The eponymous table value_feed of one connection: a row per entity and feature, features by name.
// Must outlive the connection.
class ValueFeed {
 public:
  explicit ValueFeed(const ViewColumns& view);
  Status Register(sqlite3* database);
  // The batch that the next SELECT reads; borrowed until then.
  void Set(const EncodedBatch* batch) { batch_ = batch; }

  const EncodedBatch* batch() const { return batch_; }
  // Features in the order of their names.
  const std::vector<size_t>& order() const { return order_; }
  const std::string& NameOf(size_t feature) const { return view_.features[feature].name; }

 private:
  const ViewColumns view_;
  std::vector<size_t> order_;
  const EncodedBatch* batch_ = nullptr;
};

}  // namespace banquet::bench
