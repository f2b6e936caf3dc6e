// The main of every unit-test program.

#include <cstdio>

#include "banquet/base/arrow_runtime.h"
#include "gmock/gmock.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  if (banquet::Status status = banquet::InitializeArrow(); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
