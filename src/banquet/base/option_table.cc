#include "banquet/base/option_table.h"

#include "banquet/base/time_text.h"
