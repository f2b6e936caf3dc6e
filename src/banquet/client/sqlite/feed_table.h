#pragma once
// Rows of ours that a statement reads as if a table held them.

#include <cstddef>
#include <cstdint>
#include <string_view>

struct sqlite3_context;

namespace banquet::sqlite {

// Where a row's column goes; what is not set is NULL. Bytes and text are borrowed until the
// statement that reads them is reset. Zero bytes stay a value, not NULL.
class FeedCell {
 public:
  explicit FeedCell(sqlite3_context* context) : context_(context) {}
  void SetBlob(std::string_view bytes);
  void SetText(std::string_view text);
  void SetInt(int64_t value);
  void SetReal(double value);

 private:
  sqlite3_context* const context_;
};

// The rows, group by group, every group of the same size. Constant while a statement runs.
class FeedRows {
 public:
  struct Shape {
    size_t groups = 0;
    size_t group_rows = 1;
  };

  virtual ~FeedRows() = default;
  virtual Shape shape() const = 0;
  // `row` counts within the group.
  virtual void Give(size_t group, size_t row, int column, FeedCell cell) const = 0;
};

}  // namespace banquet::sqlite
