#include "banquet/online/redis/resp.h"

#include <hiredis/read.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace banquet::redis {

char* CommandBuffer::Reserve(size_t bytes) {
  if (capacity_ - size_ < bytes) {
    if (sent_ > 0) {
      std::memmove(data_.get(), data_.get() + sent_, size_ - sent_);
      size_ -= sent_;
      sent_ = 0;
    }
    if (capacity_ - size_ < bytes) {
      const size_t capacity = std::max({size_ + bytes, capacity_ * 2, size_t{64} << 10});
      auto data = std::make_unique_for_overwrite<char[]>(capacity);
      if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
      data_ = std::move(data);
      capacity_ = capacity;
    }
  }
  return data_.get() + size_;
}

void CommandBuffer::Append(std::string_view bytes) {
  char* out = Reserve(bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  Commit(out + bytes.size());
}

void CommandBuffer::Command(std::initializer_list<std::string_view> words) {
  size_t bytes = kWordOverheadMax;
  for (const std::string_view word : words) bytes += word.size() + kWordOverheadMax;
  char* out = PutHeader(Reserve(bytes), '*', words.size());
  for (const std::string_view word : words) out = PutWord(out, word);
  Commit(out);
}

void CommandBuffer::Sent(size_t bytes) {
  sent_ += bytes;
  sent_total_ += bytes;
  if (sent_ == size_) sent_ = size_ = 0;
}

char* PutLongHeader(char* out, char mark, uint64_t number) {
  *out++ = mark;
  out = std::to_chars(out, out + 20, number).ptr;
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

char* PutWord(char* out, std::string_view bytes) {
  out = PutHeader(out, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  out += bytes.size();
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

bool Reply::IsFlatArray(int64_t elements) const {
  if (items_.empty() || kind() != ReplyKind::kArray || integer() != elements) return false;
  if (items_.size() != static_cast<size_t>(elements) + 1) return false;
  return std::none_of(items_.begin() + 1, items_.end(),
                      [](const Item& item) { return item.kind == ReplyKind::kArray; });
}

// What hiredis calls for each part of a reply. The parts are no objects of
// their own: each answers with the reader itself, and nullptr where a limit is
// passed.
struct ReplyReader::Callbacks {
  static ReplyReader* Self(const redisReadTask* task) {
    return static_cast<ReplyReader*>(task->privdata);
  }
  static void* String(const redisReadTask* task, char* text, size_t size) {
    const ReplyKind kind = task->type == REDIS_REPLY_ERROR    ? ReplyKind::kError
                           : task->type == REDIS_REPLY_STATUS ? ReplyKind::kStatus
                                                              : ReplyKind::kBulk;
    return Self(task)->Add(task, kind, 0, {text, size});
  }
  static void* Array(const redisReadTask* task, int elements) {
    return Self(task)->Add(task, ReplyKind::kArray, elements, {});
  }
  static void* Integer(const redisReadTask* task, long long number) {
    return Self(task)->Add(task, ReplyKind::kInteger, number, {});
  }
  static void* Nil(const redisReadTask* task) {
    return Self(task)->Add(task, ReplyKind::kNil, 0, {});
  }
  static void Free(void* /*self*/) {}
};

ReplyReader::ReplyReader(ReplyLimits limits) : limits_(limits) {
  static redisReplyObjectFunctions functions = {.createString = &Callbacks::String,
                                                .createArray = &Callbacks::Array,
                                                .createInteger = &Callbacks::Integer,
                                                .createNil = &Callbacks::Nil,
                                                .freeObject = &Callbacks::Free};
  reader_ = redisReaderCreateWithFunctions(&functions);
  if (reader_ != nullptr) {
    reader_->privdata = this;
    reader_->maxbuf = 1 << 20;
  }
}

ReplyReader::~ReplyReader() {
  if (reader_ != nullptr) redisReaderFree(reader_);
}

ReplyReader* ReplyReader::Add(const redisReadTask* task, ReplyKind kind, int64_t integer,
                              std::string_view text) {
  if (task->parent == nullptr) {
    reply_.items_.clear();
    reply_.bytes_.clear();
  }
  const int64_t announced = kind == ReplyKind::kArray ? integer : 0;
  if (announced < 0 ||
      static_cast<int64_t>(reply_.items_.size()) + announced > limits_.elements_max ||
      reply_.bytes_.size() + text.size() > limits_.bytes_max) {
    return nullptr;
  }
  reply_.items_.push_back(
      {.kind = kind, .integer = integer, .offset = reply_.bytes_.size(), .size = text.size()});
  reply_.bytes_ += text;
  return this;
}

Status ReplyReader::Feed(std::string_view bytes) {
  if (reader_ == nullptr || redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) {
    return RemoteError({}, "no memory for a reply, or a reply after a broken one");
  }
  return Status::OK();
}

Result<const Reply*> ReplyReader::Next() {
  if (reader_ == nullptr) return RemoteError({}, "no memory for a reply");
  void* reply = nullptr;
  if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
    if (reader_->err == REDIS_ERR_OOM) {
      return RemoteError({}, "a reply is larger than {} bytes or {} parts", limits_.bytes_max,
                         limits_.elements_max);
    }
    return RemoteError({}, "a reply breaks the protocol; is this a Redis server?");
  }
  if (reply == nullptr) {
    BANQUET_RETURN_NOT_OK(CheckPending());
    return nullptr;
  }
  return &reply_;
}

// Refuses what is only announced, before its bytes are taken in.
Status ReplyReader::CheckPending() const {
  const size_t pending = reader_->len - reader_->pos;
  if (pending == 0 || reader_->ridx < 0) return Status::OK();
  const char* begin = reader_->buf + reader_->pos;
  if (reader_->rstack[reader_->ridx].type != REDIS_REPLY_STRING) {
    if (pending <= limits_.line_bytes_max) return Status::OK();
    return RemoteError({}, "a line of a reply is longer than {} bytes", limits_.line_bytes_max);
  }
  constexpr size_t kDigitsMax = 24;
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(begin, begin + std::min(pending, kDigitsMax), size);
  if (error == std::errc::result_out_of_range || end == begin + kDigitsMax ||
      (error == std::errc() && size > limits_.bytes_max)) {
    return RemoteError({}, "a reply announces more than {} bytes", limits_.bytes_max);
  }
  return Status::OK();
}

}  // namespace banquet::redis
