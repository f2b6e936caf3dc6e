#include "banquet/online/redis/redis_store.h"
