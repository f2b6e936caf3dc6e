#pragma once
// Reading entities back.

#include <span>
#include <string>

#include "banquet/base/clock.h"
#include "banquet/online/dynamodb/client.h"
#include "banquet/online/online_store.h"

namespace banquet::dynamodb {

struct ReadSettings {
  std::string table;
  bool is_consistent = false;
  Clock* clock = &SystemClock();
  std::stop_token stop;
  std::chrono::milliseconds patience{60'000};  // Without capacity for any of what is asked.
};

// A view without a table has no rows.
Result<StoredRows> ReadRows(Client* client, const ViewColumns& view,
                            std::span<const std::string> keys, const ReadSettings& settings);

}  // namespace banquet::dynamodb
