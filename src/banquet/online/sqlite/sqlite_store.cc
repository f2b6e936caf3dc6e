#include "banquet/online/sqlite/sqlite_store.h"
