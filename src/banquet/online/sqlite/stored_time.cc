#include "banquet/online/sqlite/stored_time.h"

#include <algorithm>
#include <ctime>

namespace banquet::sqlite {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kDaySeconds = 24 * 3600;

// Local wall time, as seconds since 1970-01-01T00:00 local, at an instant.
int64_t LocalSeconds(int64_t seconds) {
  const time_t instant = seconds;
  struct tm parts = {};
  if (localtime_r(&instant, &parts) == nullptr) return seconds;
  return seconds + parts.tm_gmtoff;
}

// The instant at which local clocks show `wall`: the earlier one of a repeated hour; in a skipped
// hour, the instant by the offset before the gap. PEP 495's rule for fold=0.
int64_t InstantOfWall(int64_t wall) {
  const int64_t offset = LocalSeconds(wall) - wall;
  const int64_t guess = wall - offset;
  const bool exact = LocalSeconds(guess) == wall;
  // Either another instant shows the same time a day earlier's offset away, or the guess missed by
  // a change of offset.
  const int64_t other_offset = exact ? LocalSeconds(guess - kDaySeconds) - (guess - kDaySeconds)
                                     : LocalSeconds(guess) - guess;
  if (exact && other_offset == offset) return guess;
  const int64_t other = wall - other_offset;
  if (LocalSeconds(other) == wall) return other;
  if (exact) return guess;
  return std::max(guess, other);
}

}  // namespace

int64_t ToStoredSeconds(int64_t us, TimeRule rule) {
  int64_t whole = us / kMicros;
  int64_t micros = us % kMicros;
  if (micros < 0) {
    micros += kMicros;
    --whole;
  }
  if (rule == TimeRule::kPython) whole = InstantOfWall(whole);
  // In double, as Python adds the fraction before int() cuts it off: centuries away from 1970 the
  // sum rounds.
  const double timestamp = static_cast<double>(whole) + static_cast<double>(micros) / 1e6;
  return static_cast<int64_t>(timestamp);
}

bool LocalTimeIsUtc(int64_t now_us) {
  const int64_t now = now_us / kMicros;
  const int64_t half_a_year_ago = now - 182 * kDaySeconds;  // Summer time, or not.
  return LocalSeconds(now) == now && LocalSeconds(half_a_year_ago) == half_a_year_ago;
}

int64_t FromStoredSeconds(int64_t seconds, TimeRule rule) {
  // A stored number out of range of int64 microseconds was not written by Feast; it saturates.
  constexpr int64_t kLimit = INT64_MAX / kMicros - kDaySeconds;
  seconds = std::clamp(seconds, -kLimit, kLimit);
  return (rule == TimeRule::kUtc ? seconds : LocalSeconds(seconds)) * kMicros;
}

}  // namespace banquet::sqlite
