#include "banquet/config/repo_config.h"
