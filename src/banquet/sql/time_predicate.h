#pragma once
// Windows as SQL: literals in explicit UTC with microseconds, and the conditions made of them.

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/model/time_window.h"
#include "banquet/sql/dialect.h"

namespace banquet {

// An instant as a literal that compares with a column of this kind. For a date: the day that it
// lies in. Outside the years 0001 to 9999 it is a bug.
Result<std::string> TimeLiteral(const SqlDialect& dialect, TimeKind kind, int64_t us);

// The column as what compares with such a literal; NULL where it has no time.
std::string TimeValue(const SqlDialect& dialect, std::string_view column);

// The column inside the closed window. The literal fits the column, never the other way round, so
// that indexes, partitions and zone maps serve (SQLite excepted, whose times are text). Dates: a
// day of which any part lies in the window is inside (feast-compat 4.5), so a row of the first day
// may be before its start; it can be newest only if no later row is.
Result<std::string> WindowPredicate(const SqlDialect& dialect, std::string_view column,
                                    TimeKind kind, const TimeWindow& window);

// `column >= 'START' AND column <= 'END'` with both ends in the format (feast-compat 4.5): texts,
// compared as texts or turned by the product into the column's type. A format that has words other
// than %Y %m %d %H %M %S %%, or them in another order, so that later does not sort behind earlier,
// is the user's error: Feast would silently read the wrong partitions.
Result<std::string> PartitionPredicate(const SqlDialect& dialect, std::string_view column,
                                       std::string_view format, const TimeWindow& window);

}  // namespace banquet
