#include "banquet/encode/entity_key.h"
#include "banquet/encode/batch_encoder.h"
#include "banquet/encode/value_reader.h"
