#include "banquet/registry/registry.h"
