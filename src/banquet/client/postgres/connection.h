#pragma once
// libpq behind RAII, our waits and our errors; the only folder that sees libpq-fe.h.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "banquet/base/status.h"

struct pg_conn;
struct pg_result;

namespace banquet::postgres {

struct ConnectionSettings {
  // libpq's keywords (host, port, dbname, user, password, sslmode, …) and their values.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string server;  // Names the server in errors: "postgres at localhost:5432/features".
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{60'000};  // Of a server that does nothing we wait for.
  std::stop_token stop;                             // Ends every wait.
};

// Whether libpq knows a parameter of this name.
bool IsKeyword(std::string_view name);

// What a statement gave. Values are in Postgres' binary forms (wire.h).
class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}
  int size() const;
  int columns() const;
  // nullopt: NULL. Until the rows are gone.
  std::optional<std::string_view> At(int row, int column) const;
  std::string_view Bytes(int row, int column) const;  // NULL as no bytes.
  bool Bool(int row, int column) const;               // Of a boolean; NULL as false.
  // Of a smallint, integer or bigint; nullopt: NULL or of another type.
  std::optional<int64_t> Integer(int row, int column) const;
  int64_t affected() const;  // Rows inserted, updated or deleted, by the server's word.

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result_;
};

// One session. Used by one thread at a time. After a remote error drop it.
//
// Errors: lost and refused connections, a server that starts, stops, is full or only reads,
// deadlocks and lock or statement timeouts are retryable remote errors; logins, rights, databases
// and tables that are not there are the user's; values that the server cannot take are data errors;
// a requested stop is a cancellation. libpq looks a host's name up by itself: that alone is neither
// bounded by the timeout nor ended by a stop.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(ConnectionSettings settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One statement; $1, $2, … stand for `parameters`, given as text.
  Result<Rows> Run(const std::string& sql, std::span<const std::string> parameters = {});

  // COPY … FROM STDIN: Start, Send any number of times, Finish. Finish says how many rows the
  // server took; what it did not like about any of them is told there at the latest.
  Status StartCopy(const std::string& sql);
  Status SendCopy(std::string_view bytes);
  Result<int64_t> FinishCopy();

  // The five letters by which the server classified the error of the last call; empty: none.
  const std::string& sql_state() const { return sql_state_; }
  const std::string& server() const { return settings_.server; }

 private:
  explicit Connection(ConnectionSettings settings) : settings_(std::move(settings)) {}
  Status Connect();
  Status SendAll();
  Result<Rows> Receive();
  Status Wait(short events);
  Status ErrorOf(const pg_result* result);
  Status Broken() const;

  const ConnectionSettings settings_;
  pg_conn* handle_ = nullptr;
  std::string sql_state_;
};

}  // namespace banquet::postgres
