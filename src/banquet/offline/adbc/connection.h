#pragma once
// ADBC's C handles behind RAII and our errors. Drivers run in this process: C and C++ ones.

#include <arrow-adbc/adbc.h>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "arrow/type_fwd.h"
#include "banquet/base/status.h"
#include "banquet/offline/adbc/driver_failure.h"

namespace banquet::adbc {

struct DatabaseSettings {
  std::vector<std::string> drivers;  // Names or paths, of which the first that is found is taken.
  std::string how_to_get;            // A driver that is not found.
  // Of the driver manager ("entrypoint", "profile") and of the driver, in this order.
  std::vector<std::pair<std::string, std::string>> options;
  ServerName server;
  std::stop_token stop;  // Ends running queries, as far as the driver can.
};

// An opened driver. Safe to share between threads; outlives its connections.
class Database {
 public:
  // Loads the driver; Postgres' connects at once. A driver that is not there is the user's error.
  static Result<std::shared_ptr<Database>> Open(DatabaseSettings settings);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const DatabaseSettings& settings() const { return settings_; }
  AdbcDatabase* handle() { return &handle_; }

 private:
  explicit Database(DatabaseSettings settings) : settings_(std::move(settings)) {}
  Status Load(const std::string& driver);

  const DatabaseSettings settings_;
  AdbcDatabase handle_ = {};
};

// The rows of a query, as the driver gives them. Used by one thread at a time.
class QueryResult {
 public:
  virtual ~QueryResult() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  // Null at the end. Ends early, cancelled, when stop is requested.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

// One session. Used by one thread at a time, and by one query.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static Result<std::shared_ptr<Connection>> Open(std::shared_ptr<Database> database);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Status Run(const std::string& sql);  // What it gives is dropped.
  // Keeps the connection until the result is gone.
  Result<std::unique_ptr<QueryResult>> Query(const std::string& sql);

 private:
  explicit Connection(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  const std::shared_ptr<Database> database_;
  AdbcConnection handle_ = {};
};

}  // namespace banquet::adbc
