#pragma once
// Instants as Feast keeps them in SQLite: whole seconds, of local time (feast-compat 6.3).

#include <cstdint>

namespace banquet::sqlite {

enum class TimeRule {
  kPython,  // int(naive_utc.timestamp()): the UTC wall time read as local time, before any repeated
            // hour (fold=0).
  kUtc,     // Seconds since the epoch.
};

// Both rules cut fractions off toward zero, as Python's int() does. Under TZ=UTC they are one.
int64_t ToStoredSeconds(int64_t us, TimeRule rule);

// Whether both rules give the same seconds here, this year: the host's zone is UTC all year round.
bool LocalTimeIsUtc(int64_t now_us);

// The instant that a Python reader in the same zone makes of it.
int64_t FromStoredSeconds(int64_t seconds, TimeRule rule);

}  // namespace banquet::sqlite
