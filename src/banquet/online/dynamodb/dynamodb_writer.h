#pragma once
// Writes rows of a task group into the tables of its views.

#include <memory>
#include <stop_token>
#include <vector>

#include "banquet/base/clock.h"
#include "banquet/online/dynamodb/client.h"
#include "banquet/online/dynamodb/view_target.h"
#include "banquet/online/online_store.h"

namespace banquet::dynamodb {

// A writer with a connection of its own.
std::unique_ptr<OnlineWriter> MakeWriter(std::unique_ptr<Client> client,
                                         std::vector<ViewTarget> targets, Clock* clock,
                                         const std::stop_token& stop);

}  // namespace banquet::dynamodb
