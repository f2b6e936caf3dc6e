#include "banquet/base/status.h"

#include <cstring>

namespace banquet {
namespace {

constexpr char kFaultTypeId[] = "banquet::FaultDetail";

arrow::StatusCode CodeOf(Fault fault) {
  switch (fault) {
    case Fault::kUser:
    case Fault::kData:
      return arrow::StatusCode::Invalid;
    case Fault::kRemote:
      return arrow::StatusCode::IOError;
    case Fault::kCancelled:
      return arrow::StatusCode::Cancelled;
    case Fault::kHeld:
    case Fault::kBug:
      break;
  }
  return arrow::StatusCode::UnknownError;
}

const FaultDetail* DetailOf(const Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::strcmp(detail->type_id(), kFaultTypeId) != 0) return nullptr;
  return static_cast<const FaultDetail*>(detail.get());
}

}  // namespace

const char* FaultDetail::type_id() const { return kFaultTypeId; }

std::string FaultDetail::ToString() const {
  static constexpr const char* kNames[] = {"user", "data", "remote", "bug", "held", "cancelled"};
  return fmt::format("{} fault{}", kNames[static_cast<int>(fault_)],
                     retryable_ ? ", retryable" : "");
}

Status MakeFault(Fault fault, Retry retry, std::string message) {
  return Status(CodeOf(fault), std::move(message),
                std::make_shared<FaultDetail>(fault, retry.retryable, retry.after));
}

Status CancelledError() {
  return MakeFault(Fault::kCancelled, {}, "Stopped before the end; nothing was recorded");
}

Fault FaultOf(const Status& status) {
  if (const FaultDetail* detail = DetailOf(status)) return detail->fault();
  switch (status.code()) {
    case arrow::StatusCode::IOError:
      return Fault::kRemote;
    case arrow::StatusCode::Cancelled:
      return Fault::kCancelled;
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::TypeError:
    case arrow::StatusCode::SerializationError:
    case arrow::StatusCode::NotImplemented:
      return Fault::kData;
    default:
      return Fault::kBug;
  }
}

bool IsRetryable(const Status& status) {
  const FaultDetail* detail = DetailOf(status);
  return detail != nullptr && detail->retryable();
}

std::chrono::milliseconds RetryAfterOf(const Status& status) {
  const FaultDetail* detail = DetailOf(status);
  return detail == nullptr ? std::chrono::milliseconds(0) : detail->retry_after();
}

int ExitCodeOf(const Status& status) {
  if (status.ok()) return 0;
  switch (FaultOf(status)) {
    case Fault::kUser:
      return 2;
    case Fault::kData:
      return 3;
    case Fault::kRemote:
      return 4;
    case Fault::kHeld:
      return 75;
    case Fault::kCancelled:
      return 130;
    case Fault::kBug:
      break;
  }
  return 70;
}

Status Annotate(const Status& status, const std::string& context) {
  if (status.ok()) return status;
  return status.WithMessage(context, ": ", status.message());
}

std::string MessageOf(const Status& status) {
  std::string text = status.ok() ? std::string() : status.message();
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

}  // namespace banquet
