#include "banquet/offline/parquet/parquet_store.h"
