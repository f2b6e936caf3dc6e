#pragma once
// Where the executors find `banquet sink`.

#include <string>

namespace banquet {

struct SinkRuntime {
  std::string program;       // Absolute, or below the executor's folder of files.
  std::string library_path;  // Its libraries, below that folder; empty: where it finds them itself.
};

}  // namespace banquet
