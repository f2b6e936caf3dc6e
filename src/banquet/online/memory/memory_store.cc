#include "banquet/online/memory/memory_store.h"
