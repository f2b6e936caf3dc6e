#pragma once
// Redis' wire protocol: commands into a reused buffer, replies out of hiredis'
// reader.

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/status.h"

struct redisReader;
struct redisReadTask;

namespace banquet::redis {

// Commands that wait to be sent. Binary safe: every word carries its length.
// Used by one thread.
class CommandBuffer {
 public:
  // Room for so many bytes more; write there and Commit the end.
  char* Reserve(size_t bytes);
  void Commit(char* end) { size_ = static_cast<size_t>(end - data_.get()); }

  void Append(std::string_view bytes);
  // "*2\r\n$4\r\nECHO\r\n…"
  void Command(std::initializer_list<std::string_view> words);

  std::string_view unsent() const { return {data_.get() + sent_, size_ - sent_}; }
  void Sent(size_t bytes);
  uint64_t sent_total() const { return sent_total_; }

 private:
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t sent_ = 0;
  uint64_t sent_total_ = 0;
};

char* PutLongHeader(char* out, char mark, uint64_t number);
// "$<number>\r\n", "*<number>\r\n": at most 23 bytes. Returns the end.
inline char* PutHeader(char* out, char mark, uint64_t number) {
  if (number > 9) return PutLongHeader(out, mark, number);
  const char header[4] = {mark, static_cast<char>('0' + number), '\r', '\n'};
  std::memcpy(out, header, sizeof header);
  return out + sizeof header;
}
// A word: header, bytes, line end. At most bytes.size() + kWordOverheadMax
// bytes.
char* PutWord(char* out, std::string_view bytes);
constexpr size_t kWordOverheadMax = 25;

enum class ReplyKind : uint8_t { kNil, kInteger, kStatus, kError, kBulk, kArray };

// One reply, its parts in the order in which they came: an array before its
// elements. Reused.
class Reply {
 public:
  size_t size() const { return items_.size(); }
  ReplyKind kind(size_t i = 0) const { return items_[i].kind; }
  int64_t integer(size_t i = 0) const { return items_[i].integer; }  // Of an array: its elements.
  std::string_view text(size_t i = 0) const {                        // Status, error or bulk.
    return std::string_view(bytes_).substr(items_[i].offset, items_[i].size);
  }
  bool IsError() const { return !items_.empty() && kind() == ReplyKind::kError; }
  bool IsStatus(std::string_view word) const {
    return !items_.empty() && kind() == ReplyKind::kStatus && text() == word;
  }
  // An array of so many elements, none of them an array.
  bool IsFlatArray(int64_t elements) const;

 private:
  friend class ReplyReader;
  struct Item {
    ReplyKind kind;
    int64_t integer = 0;
    size_t offset = 0;
    size_t size = 0;
  };
  std::vector<Item> items_;
  std::string bytes_;
};

// What a server may make us keep.
struct ReplyLimits {
  size_t bytes_max = (512 << 20) + (64 << 10);  // Of one reply; a Redis string ends at 512 MiB.
  int64_t elements_max = 4 << 20;               // Of one reply.
  size_t line_bytes_max = 64 << 10;             // Of a status, an error or a number.
};

// Takes bytes, gives replies. A reply that breaks the protocol or a limit is an
// error for good.
class ReplyReader {
 public:
  explicit ReplyReader(ReplyLimits limits = {});
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  Status Feed(std::string_view bytes);
  // The next reply; nullptr while it is not complete. Borrowed until the next
  // call.
  Result<const Reply*> Next();

 private:
  struct Callbacks;
  ReplyReader* Add(const redisReadTask* task, ReplyKind kind, int64_t integer,
                   std::string_view text);
  Status CheckPending() const;

  const ReplyLimits limits_;
  redisReader* reader_;
  Reply reply_;
};

}  // namespace banquet::redis
