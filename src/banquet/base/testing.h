#pragma once
// Assertions on Status and Result for unit tests; included by tests only.

#include "banquet/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace banquet {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

}  // namespace banquet

#define EXPECT_OK(expression)                                                             \
  do {                                                                                    \
    auto&& banquet_outcome = (expression);                                                \
    EXPECT_TRUE(banquet_outcome.ok()) << ::banquet::StatusOf(banquet_outcome).ToString(); \
  } while (false)
#define ASSERT_OK(expression)                                                             \
  do {                                                                                    \
    auto&& banquet_outcome = (expression);                                                \
    ASSERT_TRUE(banquet_outcome.ok()) << ::banquet::StatusOf(banquet_outcome).ToString(); \
  } while (false)

#define BANQUET_TEST_CONCAT_(a, b) a##b
#define BANQUET_TEST_CONCAT(a, b) BANQUET_TEST_CONCAT_(a, b)
#define BANQUET_ASSERT_ASSIGN_(name, lhs, expression) \
  auto name = (expression);                           \
  ASSERT_TRUE(name.ok()) << name.status().ToString(); \
  lhs = std::move(name).ValueUnsafe()
#define ASSERT_OK_AND_ASSIGN(lhs, expression) \
  BANQUET_ASSERT_ASSIGN_(BANQUET_TEST_CONCAT(banquet_result_, __LINE__), lhs, expression)

// The status fails with this fault, and its message has this text in it.
#define EXPECT_FAULT(expected_fault, text, expression)                             \
  do {                                                                             \
    auto&& banquet_outcome = (expression);                                         \
    const ::banquet::Status banquet_status = ::banquet::StatusOf(banquet_outcome); \
    EXPECT_FALSE(banquet_status.ok());                                             \
    if (!banquet_status.ok()) {                                                    \
      EXPECT_EQ(static_cast<int>(::banquet::FaultOf(banquet_status)),              \
                static_cast<int>(expected_fault))                                  \
          << banquet_status.ToString();                                            \
      EXPECT_THAT(banquet_status.message(), ::testing::HasSubstr(text));           \
    }                                                                              \
  } while (false)
