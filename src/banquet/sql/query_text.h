#pragma once
// A user's query as a table of another query.

#include <string>
#include <string_view>

#include "banquet/base/status.h"
#include "banquet/sql/dialect.h"

namespace banquet {

// "(\nquery\n)": without the semicolons at its end, with its comments; the line breaks keep a
// comment at the end from swallowing the parenthesis. The query is read as far as quotes,
// comments, parentheses and semicolons go. What would not stay inside the parentheses is the
// user's error: a second statement, a parenthesis, quote or comment without its partner, NUL,
// nothing at all.
Result<std::string> WrapQuery(const SqlDialect& dialect, std::string_view query);

}  // namespace banquet
