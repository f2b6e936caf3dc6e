#include "banquet/client/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cstdlib>

#include "banquet/client/network/wait_ready.h"
#include "banquet/client/postgres/sql_state.h"
#include "banquet/client/postgres/wire.h"

namespace banquet::postgres {
namespace {

using RealClock = std::chrono::steady_clock;

constexpr int kBinary = 1;
// Numbers of types in Postgres' catalogue.
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr size_t kCopySliceMax = 1 << 20;  // Of one message, so that libpq buffers no more.

}  // namespace

bool IsKeyword(std::string_view name) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> known(PQconndefaults(),
                                                                           &PQconninfoFree);
  for (const PQconninfoOption* option = known.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (name == option->keyword) return true;
  }
  return false;
}

// --- Rows ---

void Rows::Free::operator()(pg_result* result) const { PQclear(result); }

int Rows::size() const { return PQntuples(result_.get()); }

std::optional<std::string_view> Rows::At(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column) != 0) return std::nullopt;
  return Bytes(row, column);
}

std::string_view Rows::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

bool Rows::Bool(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  return !bytes.empty() && bytes[0] != 0;
}

int Rows::columns() const { return PQnfields(result_.get()); }

std::optional<int64_t> Rows::Integer(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column) != 0) return std::nullopt;
  switch (PQftype(result_.get(), column)) {
    case kInt2:
      return NumberOf<int16_t>(Bytes(row, column));
    case kInt4:
      return NumberOf<int32_t>(Bytes(row, column));
    case kInt8:
      return NumberOf<int64_t>(Bytes(row, column));
    default:
      return std::nullopt;
  }
}

int64_t Rows::affected() const { return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10); }

// --- Connection ---

Result<std::unique_ptr<Connection>> Connection::Open(ConnectionSettings settings) {
  std::unique_ptr<Connection> connection(new Connection(std::move(settings)));
  BANQUET_RETURN_NOT_OK(connection->Connect());
  return connection;
}

Connection::~Connection() { PQfinish(handle_); }

Status Connection::Connect() {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : settings_.parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const auto deadline = RealClock::now() + settings_.connect_timeout;
  handle_ = PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/0);
  if (handle_ == nullptr) return RemoteError({}, "{}: no memory for a connection", server());
  PQsetNoticeProcessor(
      handle_, [](void*, const char*) {}, nullptr);
  // So that the text of a refusal has its code.
  PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (PQstatus(handle_) != CONNECTION_BAD && step != PGRES_POLLING_OK) {
    const short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    BANQUET_ASSIGN_OR_RETURN(const bool ready, WaitReady(PQsocket(handle_), events, deadline,
                                                         settings_.stop, settings_.server));
    if (!ready) {
      return RemoteError({.retryable = true},
                         "{} did not answer for {} ms (banquet.connect_timeout)", server(),
                         settings_.connect_timeout.count());
    }
    step = PQconnectPoll(handle_);
  }
  if (PQstatus(handle_) != CONNECTION_OK) {
    const std::string_view text = PQerrorMessage(handle_);
    sql_state_ = StateInText(text);
    return sql_state_.empty() ? Broken() : ErrorOfState(sql_state_, PlainText(text), server());
  }
  PQsetErrorVerbosity(handle_, PQERRORS_DEFAULT);
  return PQsetnonblocking(handle_, 1) == 0 ? Status::OK() : Broken();
}

Result<Rows> Connection::Run(const std::string& sql, std::span<const std::string> parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  sql_state_.clear();
  if (PQsendQueryParams(handle_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, kBinary) == 0) {
    return Broken();
  }
  return Receive();
}

Status Connection::StartCopy(const std::string& sql) {
  sql_state_.clear();
  if (PQsendQuery(handle_, sql.c_str()) == 0) return Broken();
  BANQUET_RETURN_NOT_OK(SendAll());
  while (PQisBusy(handle_) != 0) {
    BANQUET_RETURN_NOT_OK(Wait(POLLIN));
  }
  PGresult* result = PQgetResult(handle_);
  const bool begun = PQresultStatus(result) == PGRES_COPY_IN;
  const Status status = begun ? Status::OK() : ErrorOf(result);
  PQclear(result);
  if (begun) return status;
  const Result<Rows> rest = Receive();  // The statement's end.
  return status;
}

Status Connection::SendCopy(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view slice = bytes.substr(0, kCopySliceMax);
    const int taken = PQputCopyData(handle_, slice.data(), static_cast<int>(slice.size()));
    if (taken < 0) return Broken();
    if (taken > 0) bytes.remove_prefix(slice.size());
    BANQUET_RETURN_NOT_OK(SendAll());
  }
  return Status::OK();
}

Result<int64_t> Connection::FinishCopy() {
  while (true) {
    const int ended = PQputCopyEnd(handle_, nullptr);
    if (ended < 0) return Broken();
    if (ended > 0) break;
    BANQUET_RETURN_NOT_OK(SendAll());
  }
  BANQUET_ASSIGN_OR_RETURN(const Rows rows, Receive());
  return rows.affected();
}

Status Connection::SendAll() {
  while (true) {
    const int left = PQflush(handle_);
    if (left == 0) return Status::OK();
    if (left < 0) return Broken();
    BANQUET_RETURN_NOT_OK(Wait(POLLIN | POLLOUT));
  }
}

// The answer to one statement, read to its end, so that the next one can be sent.
Result<Rows> Connection::Receive() {
  BANQUET_RETURN_NOT_OK(SendAll());
  Status failure;
  Rows last(nullptr);
  while (true) {
    while (PQisBusy(handle_) != 0) BANQUET_RETURN_NOT_OK(Wait(POLLIN));
    PGresult* result = PQgetResult(handle_);
    if (result == nullptr) break;
    last = Rows(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && failure.ok()) {
      failure = ErrorOf(result);
    }
    if (PQstatus(handle_) == CONNECTION_BAD) break;
  }
  BANQUET_RETURN_NOT_OK(failure);
  return last;
}

// For the server's next sign of life, and takes in what it said.
Status Connection::Wait(short events) {
  BANQUET_ASSIGN_OR_RETURN(const bool ready, WaitReady(PQsocket(handle_), events,
                                                       RealClock::now() + settings_.stall_timeout,
                                                       settings_.stop, settings_.server));
  if (!ready) {
    return RemoteError({.retryable = true}, "{} did not answer for {} ms (banquet.stall_timeout)",
                       server(), settings_.stall_timeout.count());
  }
  return PQconsumeInput(handle_) == 1 ? Status::OK() : Broken();
}

// Only the primary message: details repeat values.
Status Connection::ErrorOf(const pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) return Broken();
  sql_state_ = state;
  return ErrorOfState(sql_state_, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), server());
}

Status Connection::Broken() const {
  return RemoteError({.retryable = true}, "{}: {}", server(), PlainText(PQerrorMessage(handle_)));
}

}  // namespace banquet::postgres
