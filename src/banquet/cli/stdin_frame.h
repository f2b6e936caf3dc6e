#pragma once
// What a program that starts us says first, on standard input.

#include <string>

#include "banquet/base/status.h"

namespace banquet {

// Four bytes of length, little-endian, and so much text: its JSON. At most 64 MiB; a data error
// that names the command for anything else.
Result<std::string> ReadStdinFrame(const std::string& command);

// From here on this process is killed when the thread that started it ends: what it was sent is
// not whole, and nobody waits for it.
void DieWithParent();

}  // namespace banquet
