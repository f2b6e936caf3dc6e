#include "banquet/offline/adbc/connection.h"

#include <arrow-adbc/adbc_driver_manager.h>

#include <functional>

#include "arrow/c/bridge.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"

namespace banquet::adbc {
namespace {

constexpr std::string_view kOfManager = "[Driver Manager]";

// An error of the C interface, released.
class CallError {
 public:
  CallError() = default;
  ~CallError() {
    if (error_.release != nullptr) error_.release(&error_);
  }
  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;
  AdbcError* out() { return &error_; }
  static DriverFailure FailureOf(AdbcStatusCode code, const AdbcError& error) {
    DriverFailure failure{.code = code, .sql_state = {}, .text = {}};
    if (error.message != nullptr) failure.text = error.message;
    if (error.sqlstate[0] != '\0') failure.sql_state.assign(error.sqlstate, 5);
    return failure;
  }
  DriverFailure Failure(AdbcStatusCode code) const { return FailureOf(code, error_); }

 private:
  AdbcError error_ = ADBC_ERROR_INIT;
};

// Calls with an error to fill; a failure as our error.
template <typename Call>
Status Checked(const DatabaseSettings& settings, Call&& call) {
  CallError error;
  const AdbcStatusCode code = call(error.out());
  if (code == ADBC_STATUS_OK) return Status::OK();
  if (settings.stop.stop_requested()) return CancelledError();
  return StatusOf(error.Failure(code), settings.server);
}

// A statement that a requested stop cancels while one of its calls runs.
class Statement {
 public:
  Statement() = default;
  ~Statement() {
    CallError ignored;
    if (handle_.private_data != nullptr) AdbcStatementRelease(&handle_, ignored.out());
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  AdbcStatement* handle() { return &handle_; }

  template <typename Call>
  auto Cancellable(const std::stop_token& stop, Call&& call) {
    // Runs in the thread that asks for the stop; its destructor waits for it.
    const std::stop_callback cancel(stop, [this] {
      CallError ignored;
      AdbcStatementCancel(&handle_, ignored.out());
    });
    return call();
  }

 private:
  AdbcStatement handle_ = {};
};

class StreamedResult final : public QueryResult {
 public:
  StreamedResult(std::shared_ptr<Connection> connection, std::shared_ptr<Database> database)
      : connection_(std::move(connection)), database_(std::move(database)) {}
  ~StreamedResult() override {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }

  Status Start(AdbcConnection* connection, const std::string& sql) {
    const DatabaseSettings& settings = database_->settings();
    const auto step = [&](auto&& call) { return Checked(settings, call); };
    BANQUET_RETURN_NOT_OK(step([&](AdbcError* error) {
      return AdbcStatementNew(connection, statement_.handle(), error);
    }));
    return statement_.Cancellable(settings.stop, [&]() -> Status {
      BANQUET_RETURN_NOT_OK(step([&](AdbcError* error) {
        return AdbcStatementSetSqlQuery(statement_.handle(), sql.c_str(), error);
      }));
      return step([&](AdbcError* error) {
        return AdbcStatementExecuteQuery(statement_.handle(), &stream_, nullptr, error);
      });
    });
  }

  Status TakeSchema() {
    struct ArrowSchema c_schema = {};
    if (stream_.get_schema(&stream_, &c_schema) != 0) return Failure();
    return arrow::ImportSchema(&c_schema).Value(&schema_);
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    const std::stop_token& stop = database_->settings().stop;
    if (stop.stop_requested()) return CancelledError();
    struct ArrowArray array = {};
    const int code =
        statement_.Cancellable(stop, [&] { return stream_.get_next(&stream_, &array); });
    if (code != 0) return stop.stop_requested() ? CancelledError() : Failure();
    if (array.release == nullptr) return nullptr;
    return arrow::ImportRecordBatch(&array, schema_);
  }

 private:
  // Why the last call of the stream failed.
  Status Failure() {
    AdbcStatusCode code = ADBC_STATUS_OK;
    const AdbcError* error = AdbcErrorFromArrayStream(&stream_, &code);
    DriverFailure failure;
    if (error != nullptr) failure = CallError::FailureOf(code, *error);
    const char* text = stream_.get_last_error(&stream_);
    if (failure.text.empty() && text != nullptr) failure.text = text;
    return StatusOf(failure, database_->settings().server);
  }

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<Database> database_;
  Statement statement_;
  ArrowArrayStream stream_ = {};
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Database::~Database() {
  CallError ignored;
  if (handle_.private_data != nullptr) AdbcDatabaseRelease(&handle_, ignored.out());
}

Status Database::Load(const std::string& driver) {
  const auto step = [&](auto&& call) { return Checked(settings_, call); };
  BANQUET_RETURN_NOT_OK(step([&](AdbcError* error) { return AdbcDatabaseNew(&handle_, error); }));
  BANQUET_RETURN_NOT_OK(step([&](AdbcError* error) {
    return AdbcDriverManagerDatabaseSetLoadFlags(&handle_, ADBC_LOAD_FLAG_DEFAULT, error);
  }));
  const auto set = [&](const std::string& name, const std::string& value) {
    return step([&](AdbcError* error) {
      return AdbcDatabaseSetOption(&handle_, name.c_str(), value.c_str(), error);
    });
  };
  if (!driver.empty()) BANQUET_RETURN_NOT_OK(set("driver", driver));
  for (const auto& [name, value] : settings_.options) BANQUET_RETURN_NOT_OK(set(name, value));
  CallError error;
  const AdbcStatusCode code = AdbcDatabaseInit(&handle_, error.out());
  if (code == ADBC_STATUS_OK) return Status::OK();
  const DriverFailure failure = error.Failure(code);
  if (failure.text.find(kOfManager) == std::string::npos) {
    return StatusOf(failure, settings_.server);
  }
  return UserError("{}: the ADBC driver cannot be used: {}; {}", settings_.server.words,
                   PlainText(failure.text, settings_.server), settings_.how_to_get);
}

Result<std::shared_ptr<Database>> Database::Open(DatabaseSettings settings) {
  std::vector<std::string> drivers = settings.drivers;
  if (drivers.empty()) drivers.emplace_back();  // The profile names it.
  Status failure;
  for (const std::string& driver : drivers) {
    std::shared_ptr<Database> database(new Database(settings));
    failure = database->Load(driver);
    if (failure.ok()) return database;
    if (failure.message().find("Could not load") == std::string::npos) break;
  }
  return failure;
}

Result<std::shared_ptr<Connection>> Connection::Open(std::shared_ptr<Database> database) {
  std::shared_ptr<Connection> connection(new Connection(std::move(database)));
  const DatabaseSettings& settings = connection->database_->settings();
  AdbcConnection* handle = &connection->handle_;
  BANQUET_RETURN_NOT_OK(
      Checked(settings, [&](AdbcError* error) { return AdbcConnectionNew(handle, error); }));
  BANQUET_RETURN_NOT_OK(Checked(settings, [&](AdbcError* error) {
    return AdbcConnectionInit(handle, connection->database_->handle(), error);
  }));
  return connection;
}

Connection::~Connection() {
  CallError ignored;
  if (handle_.private_data != nullptr) AdbcConnectionRelease(&handle_, ignored.out());
}

Status Connection::Run(const std::string& sql) {
  BANQUET_ASSIGN_OR_RETURN(const auto result, Query(sql));
  while (true) {
    BANQUET_ASSIGN_OR_RETURN(const auto rows, result->Next());
    if (rows == nullptr) return Status::OK();
  }
}

Result<std::unique_ptr<QueryResult>> Connection::Query(const std::string& sql) {
  auto result = std::make_unique<StreamedResult>(shared_from_this(), database_);
  BANQUET_RETURN_NOT_OK(result->Start(&handle_, sql));
  BANQUET_RETURN_NOT_OK(result->TakeSchema());
  return result;
}

}  // namespace banquet::adbc
