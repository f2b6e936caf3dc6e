#pragma once
// The steps of a plan as data: a closed set, so the compiler lists every place that a further one
// touches.

#include <string>
#include <variant>
#include <vector>

#include "banquet/model/scan_request.h"
#include "banquet/model/time_window.h"
#include "banquet/model/view_columns.h"
#include "banquet/model/write_needs.h"

namespace banquet {

// Reads a source. Always the first node.
struct ScanNode {
  ScanRequest request;
};

// Runs a view's SQL over the rows of the source whose event time is inside the window; the source's
// field mapping is applied before it, as in Feast. Behind a scan of all columns.
struct TransformNode {
  int input = 0;
  std::string function;              // Its name.
  std::string text;                  // Feast's source text of a function that gives the SQL.
  std::vector<std::string> columns;  // Of its result, that are read: keys and features.
  TimeWindow window;
};

// Applies the source's field mapping: output column `name` is input column `source`.
struct RenameNode {
  struct Column {
    std::string source;
    std::string name;
    bool operator==(const Column&) const = default;
  };
  int input = 0;
  std::vector<Column> columns;
};

// Keeps rows with an event time inside the closed window and no null in a key column.
struct FilterNode {
  int input = 0;
  TimeWindow window;
  std::vector<std::string> key_columns;
  bool fail_on_null_key = false;
};

// Keeps the newest row per key: greatest event time, then greatest created time (null lowest), then
// first in input order.
struct LatestNode {
  int input = 0;
  std::vector<Field> join_keys;
  int entity_key_version = 3;
};

// Puts rows of distinct keys into ascending order of their serialized entity keys.
struct OrderNode {
  int input = 0;
  std::vector<Field> join_keys;
  int entity_key_version = 3;
};

// Encodes the rows for the views of the group and writes them to every online store of the run.
struct WriteNode {
  int input = 0;
  std::vector<ViewColumns> views;
};

using PlanNode =
    std::variant<ScanNode, TransformNode, RenameNode, FilterNode, LatestNode, OrderNode, WriteNode>;

}  // namespace banquet
