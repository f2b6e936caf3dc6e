#pragma once
// The door for exceptions that a library throws where a status was due, std::bad_alloc above all.

#include <exception>
#include <new>
#include <utility>

#include "banquet/base/status.h"

namespace banquet {

// What the call says, or the error that stands for what it threw. For the ends of threads, which an
// exception would take down with the process.
template <typename Call>
Status WithoutExceptions(Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const std::bad_alloc&) {
    return RemoteError({}, "Out of memory; lower banquet.threads or give the run more memory");
  } catch (const std::exception& error) {
    return Bug("Unexpected exception: {}", error.what());
  }
}

}  // namespace banquet
