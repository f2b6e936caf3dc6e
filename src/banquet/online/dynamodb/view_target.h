#pragma once
// What a writer knows of a view and its table.

#include <memory>
#include <string>

#include "banquet/model/view_columns.h"
#include "banquet/online/dynamodb/write_rate.h"

namespace banquet::dynamodb {

struct ViewTarget {
  ViewColumns view;
  size_t number = 0;  // In EncodedBatch::views.
  std::string table;
  std::string ttl_attribute;        // Empty: items have none.
  std::shared_ptr<WriteRate> rate;  // Of the table, over all lanes.
  bool is_new = false;              // The table was empty when the run began.
};

}  // namespace banquet::dynamodb
