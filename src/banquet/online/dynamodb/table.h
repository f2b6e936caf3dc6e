#pragma once
// The table that Feast keeps for a view.

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/base/status.h"
#include "banquet/online/dynamodb/client.h"

namespace banquet::dynamodb {

struct TableFacts {
  std::string id;          // Another one is another table.
  bool is_active = true;   // Can be written.
  bool is_empty = false;   // By the service's count, which lags by hours.
  double write_units = 0;  // A second, that the table is known to take; 0: not known.
};

// nullopt: no such table. One whose key is not `entity_id` alone, a string, is a user error.
Result<std::optional<TableFacts>> DescribeTable(Client* client, const std::string& table);

struct TableWishes {
  std::map<std::string, std::string> tags;
  std::string ttl_attribute;                    // By which items are to expire; empty: none.
  std::chrono::milliseconds patience{300'000};  // Until it can be written.
  Clock* clock = &SystemClock();
  std::stop_token stop;
};

// Makes the table, on demand, where there is none, and waits until it can be written. A table that
// is there asks for no right to make one.
Result<TableFacts> EnsureTable(Client* client, const std::string& table, const TableWishes& wishes);

// Removes the table, if there is one, and waits until it is gone.
Status RemoveTable(Client* client, const std::string& table, const TableWishes& wishes);

}  // namespace banquet::dynamodb
