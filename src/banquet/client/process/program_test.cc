#include "banquet/client/process/program.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "banquet/base/testing.h"

namespace banquet {
namespace {

Program Shell(const std::string& line, std::vector<std::string>* lines = nullptr) {
  return {.words = {"sh", "-c", line},
          .environment = {{"ADDED", "a b"}, {"PATH", "/usr/bin:/bin"}},
          .on_line =
              [lines](std::string_view text) {
                if (lines != nullptr) lines->emplace_back(text);
              },
          .stop = {}};
}

TEST(ProgramTest, TellsLinesOfBothOutputsAndTheCode) {
  std::vector<std::string> lines;
  ASSERT_OK_AND_ASSIGN(
      const int code,
      RunProgram(Shell("echo one; echo \"$ADDED\" >&2; printf 'no end'; exit 7", &lines)));
  EXPECT_EQ(code, 7);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "a b", "no end"}));
}

TEST(ProgramTest, ASignalIsACodeToo) {
  ASSERT_OK_AND_ASSIGN(const int code, RunProgram(Shell("kill -9 $$")));
  EXPECT_EQ(code, 128 + SIGKILL);
}

TEST(ProgramTest, WhatIsNotThereIsTheUsers) {
  EXPECT_FAULT(Fault::kUser, "no-such-program", RunProgram({.words = {"no-such-program"}}));
}

TEST(ProgramTest, LongLinesAreCut) {
  std::vector<std::string> lines;
  ASSERT_OK(RunProgram(Shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo next", &lines)));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].size(), 65536U);
  EXPECT_EQ(lines[1], "next");
}

// A child of it that lives on keeps the pipe open, and is ended.
TEST(ProgramTest, WhatItLeavesBehindIsEnded) {
  std::vector<std::string> lines;
  const auto began = std::chrono::steady_clock::now();
  ASSERT_OK_AND_ASSIGN(const int code, RunProgram(Shell("sleep 60 & echo $!", &lines)));
  EXPECT_EQ(code, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  ASSERT_EQ(lines.size(), 1U);
  const auto left = static_cast<pid_t>(std::stol(lines[0]));
  for (int i = 0; i < 200 && kill(left, 0) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  SUCCEED();
}

TEST(ProgramTest, AStopEndsIt) {
  for (const char* line : {"exec sleep 60", "trap '' TERM; while :; do sleep 0.1; done",
                           "exec 1>&- 2>&-; exec sleep 60"}) {
    std::stop_source stop;
    Program program = Shell(line);
    program.stop = stop.get_token();
    program.grace = std::chrono::milliseconds(300);
    std::jthread stopper([&stop] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      stop.request_stop();
    });
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FAULT(Fault::kCancelled, "", RunProgram(program));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  }
}

}  // namespace
}  // namespace banquet
