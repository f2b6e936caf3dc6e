#include "banquet/cli/stdin_frame.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include "banquet/client/ipc/arrow_stream.h"

namespace banquet {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kFrameBytesMax = size_t{64} << 20;

}  // namespace

Result<std::string> ReadStdinFrame(const std::string& command) {
  BANQUET_ASSIGN_OR_RETURN(const std::string length,
                           ReadExactly(STDIN_FILENO, kLengthBytes, "the frame's length"));
  size_t size = 0;
  for (size_t i = kLengthBytes; i-- > 0;) size = size << 8 | static_cast<unsigned char>(length[i]);
  if (size == 0 || size > kFrameBytesMax)
    return DataError("Standard input does not begin with a frame of `banquet {}`", command);
  return ReadExactly(STDIN_FILENO, size, "the frame");
}

void DieWithParent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

}  // namespace banquet
