#include "banquet/client/process/program.h"

#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
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
  const auto is_running = [&] {  // What nobody has waited for is not.
    std::ifstream state("/proc/" + std::to_string(left) + "/stat");
    std::string words;
    return std::getline(state, words) && words.find(") Z") == std::string::npos;
  };
  for (int i = 0; i < 500 && is_running(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(is_running());
}

// Its last lines are told even if they come with its end, while a child keeps the pipe open.
TEST(ProgramTest, AllThatItSaidIsTold) {
  std::vector<std::string> lines;
  ASSERT_OK(RunProgram(Shell("sleep 60 & seq 20000; echo last", &lines)));
  ASSERT_EQ(lines.size(), 20'001U);
  EXPECT_EQ(lines.back(), "last");
}

// It says more on its way out than the pipe holds.
TEST(ProgramTest, AStopReadsWhatItSaysLast) {
  std::vector<std::string> lines;
  std::stop_source stop;
  Program program = Shell(
      "trap 'seq 50000; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", &lines);
  program.stop = stop.get_token();
  program.on_line = [&](std::string_view line) {
    lines.emplace_back(line);
    if (line == "up") stop.request_stop();
  };
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FAULT(Fault::kCancelled, "", RunProgram(program));
  EXPECT_LT(std::chrono::steady_clock::now() - began, program.grace);
  EXPECT_EQ(lines.back(), "bye");
}

TEST(ProgramTest, KnowsWhenThisProcessBegan) {
  ASSERT_OK_AND_ASSIGN(const int64_t ours, OwnStartTicks());
  std::vector<std::string> lines;
  ASSERT_OK(RunProgram(Shell("cut -d' ' -f22 /proc/self/stat", &lines)));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_GT(ours, 0);
  EXPECT_LE(ours, std::stoll(lines[0])) << "of a child";
}

TEST(ProgramTest, FindsWhatMayBeRun) {
  EXPECT_EQ(FindProgram("/bin/sh"), "/bin/sh");
  EXPECT_NE(FindProgram("sh"), "");
  for (const char* word : {"no-such-program", "/etc/passwd", "/etc", "/no/such/program"})
    EXPECT_EQ(FindProgram(word), "") << word;
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
