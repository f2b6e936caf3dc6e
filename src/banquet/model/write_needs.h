#pragma once
// What an online store asks of those who feed it, and what it answers.

#include <cstdint>
#include <vector>

namespace banquet {

enum class WriteOrder { kAny, kByKey };  // kByKey: ascending serialized entity key.

// What to encode beside the value bytes. Needs of several stores are joined by or.
struct EncodeNeeds {
  bool value_text = false;  // Python's str() of scalars (feast-compat 6.3).
  bool value_num = false;   // float of numbers and bools.
};

struct WriteNeeds {
  int lanes = 1;  // Writers that help the store at once.
  WriteOrder order = WriteOrder::kAny;
  EncodeNeeds encode;
  bool this_machine_only = false;  // No other machine can reach it.
  int64_t time_unit_us = 1;        // Event times are kept in whole ones, cut off toward zero.
};

// What became of the rows of one view of a task group.
struct ViewOutcomes {
  int64_t written = 0;
  int64_t stale = 0;
  int64_t unchanged = 0;
  bool operator==(const ViewOutcomes&) const = default;
};

// What became of rows that a writer took, by the store's own replies. A row of several views is
// written if any view took it; it is undecided for all of them or for none.
struct RowOutcomes {
  int64_t written = 0;
  int64_t stale = 0;      // The store holds a newer row.
  int64_t unchanged = 0;  // Equal time, left alone under overwrite: feast.
  int64_t bytes = 0;      // Sent to the store.
  // Rows (index in their batch) that the store refused for now; to be written again.
  std::vector<uint32_t> undecided;
  std::vector<ViewOutcomes> views;  // In the order of the group; empty if no row was decided.
};

}  // namespace banquet
