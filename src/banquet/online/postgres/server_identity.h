#pragma once
// Is the server, and are the tables, those that acknowledged?

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "banquet/base/status.h"
#include "banquet/client/postgres/connection.h"
#include "banquet/model/view_columns.h"
#include "banquet/online/postgres/view_table.h"

namespace banquet::postgres {

// What was there when a run began. Safe to share between threads.
class ServerIdentity {
 public:
  // Keeps what is there now, unless it has been kept before.
  Status Note(Connection* connection);
  void NoteTable(const ViewColumns& view, const ViewTable& table);

  // A server promoted meanwhile may lack rows that the one before it acknowledged, and a table that
  // was made anew lacks them all: either is a remote error.
  Status Confirm(Connection* connection);

 private:
  struct Table {
    ViewColumns view;
    std::string id;
  };
  std::mutex mutex_;
  std::optional<std::string> timeline_;
  std::map<std::string, Table> tables_;  // By quoted name.
};

}  // namespace banquet::postgres
