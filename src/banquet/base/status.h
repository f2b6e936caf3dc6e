#pragma once
// The one error type of Banquet: arrow::Status, with a fault that says who can mend it.

#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "arrow/result.h"
#include "arrow/status.h"

namespace banquet {

using Status = arrow::Status;
template <typename T>
using Result = arrow::Result<T>;

// Who can mend a failure. Decides the exit code; see ExitCodeOf.
enum class Fault {
  kUser,       // Configuration, arguments, a name that does not exist.
  kData,       // A source whose content cannot be read or converted.
  kRemote,     // A server or file system that did not do its part.
  kBug,        // Ours.
  kHeld,       // Another run holds the view.
  kCancelled,  // Stopped by the user or a signal.
};

// What arrow::Status lacks.
class FaultDetail final : public arrow::StatusDetail {
 public:
  FaultDetail(Fault fault, bool retryable, std::chrono::milliseconds retry_after)
      : fault_(fault), retryable_(retryable), retry_after_(retry_after) {}
  const char* type_id() const override;
  std::string ToString() const override;
  Fault fault() const { return fault_; }
  // The same call may succeed later without anybody's help.
  bool retryable() const { return retryable_; }
  // How long the server asked us to wait; zero when it did not say.
  std::chrono::milliseconds retry_after() const { return retry_after_; }

 private:
  Fault fault_;
  bool retryable_;
  std::chrono::milliseconds retry_after_;
};

struct Retry {
  bool retryable = false;
  std::chrono::milliseconds after{0};
};

Status MakeFault(Fault fault, Retry retry, std::string message);

// Static text first, values last: UserError("Join key is missing in the source: {}", name). A
// user's error says what to do next.
template <typename... Args>
Status UserError(fmt::format_string<Args...> format, Args&&... args) {
  return MakeFault(Fault::kUser, {}, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status DataError(fmt::format_string<Args...> format, Args&&... args) {
  return MakeFault(Fault::kData, {}, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status RemoteError(Retry retry, fmt::format_string<Args...> format, Args&&... args) {
  return MakeFault(Fault::kRemote, retry, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status Bug(fmt::format_string<Args...> format, Args&&... args) {
  return MakeFault(Fault::kBug, {}, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status HeldError(fmt::format_string<Args...> format, Args&&... args) {
  return MakeFault(Fault::kHeld, {}, fmt::format(format, std::forward<Args>(args)...));
}
Status CancelledError();

// The fault of any status; bare Arrow statuses get the default of their code (IOError is remote,
// Invalid is data, …).
Fault FaultOf(const Status& status);
bool IsRetryable(const Status& status);
std::chrono::milliseconds RetryAfterOf(const Status& status);  // Zero when nobody asked for a wait.

// 0 for OK; 2 user, 3 data, 4 remote, 70 bug, 75 held, 130 cancelled.
int ExitCodeOf(const Status& status);

// Puts "context: " before the message and keeps fault and code.
Status Annotate(const Status& status, const std::string& context);

// The message without Arrow's code prefix and detail suffix, on one line: what a person is shown.
std::string MessageOf(const Status& status);

}  // namespace banquet

// Short forms of Arrow's macros.
#define BANQUET_RETURN_NOT_OK(expression) ARROW_RETURN_NOT_OK(expression)
#define BANQUET_ASSIGN_OR_RETURN(lhs, expression) ARROW_ASSIGN_OR_RAISE(lhs, expression)
