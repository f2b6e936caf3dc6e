#include "banquet/exec/spill_pages.h"

#include <cstring>
#include <memory>

#include "arrow/util/compression.h"

namespace banquet {
namespace {

template <typename T>
void Put(const T& value, std::string* page) {
  page->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
T Take(const char** at) {
  T value;
  std::memcpy(&value, *at, sizeof(value));
  *at += sizeof(value);
  return value;
}

// Of a row, without the bytes of its key.
int64_t LeastBytes(const ContestForm& form) {
  return static_cast<int64_t>(2 * sizeof(int64_t) + (form.fine_times ? sizeof(FineTimes) : 0) +
                              (form.number_keys ? sizeof(uint64_t) : sizeof(uint32_t)));
}

Status Damaged() {
  return RemoteError({},
                     "The spill file gave other bytes than were written to it; is the disk of "
                     "banquet.spill_directory sound?");
}

Result<std::unique_ptr<arrow::util::Codec>> MakeCodec() {
  return arrow::util::Codec::Create(arrow::Compression::LZ4);
}

}  // namespace

Status SpillPages::Append(const ContestForm& form, const Entrant& entrant, SpillFile* file) {
  if (lease_.bytes() == 0) {
    lease_.Grow(kPageBytes);
    page_.reserve(kPageBytes);
  }
  Put(entrant.event_us, &page_);
  Put(entrant.position, &page_);
  if (form.fine_times) Put(entrant.fine, &page_);
  if (form.number_keys) {
    Put(entrant.number, &page_);
  } else {
    Put(static_cast<uint32_t>(entrant.bytes.size()), &page_);
    page_.append(entrant.bytes);
  }
  return static_cast<int64_t>(page_.size()) < kPageBytes ? Status::OK() : Flush(file);
}

Status SpillPages::Finish(SpillFile* file) {
  BANQUET_RETURN_NOT_OK(Flush(file));
  page_ = {};
  lease_.Release();
  return Status::OK();
}

Status SpillPages::Flush(SpillFile* file) {
  if (page_.empty()) return Status::OK();
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<arrow::util::Codec> codec, MakeCodec());
  const auto bytes = static_cast<int64_t>(page_.size());
  const auto* input = reinterpret_cast<const uint8_t*>(page_.data());
  std::vector<uint8_t> stored(static_cast<size_t>(codec->MaxCompressedLen(bytes, input)));
  BANQUET_ASSIGN_OR_RETURN(
      const int64_t stored_bytes,
      codec->Compress(bytes, input, static_cast<int64_t>(stored.size()), stored.data()));
  BANQUET_ASSIGN_OR_RETURN(const int64_t offset, file->Append(stored.data(), stored_bytes));
  pages_.push_back({.offset = offset, .stored_bytes = stored_bytes, .bytes = bytes});
  page_.clear();
  return Status::OK();
}

Status SpillPages::Read(size_t page, const ContestForm& form, const SpillFile& file,
                        Entrants* entrants) const {
  const Page& place = pages_[page];
  std::vector<uint8_t> stored(static_cast<size_t>(place.stored_bytes));
  BANQUET_RETURN_NOT_OK(file.Read(place.offset, stored.data(), place.stored_bytes));
  std::string rows(static_cast<size_t>(place.bytes), '\0');
  BANQUET_ASSIGN_OR_RETURN(const std::unique_ptr<arrow::util::Codec> codec, MakeCodec());
  BANQUET_ASSIGN_OR_RETURN(const int64_t bytes,
                           codec->Decompress(place.stored_bytes, stored.data(), place.bytes,
                                             reinterpret_cast<uint8_t*>(rows.data())));
  if (bytes != place.bytes) return Damaged();
  const char* at = rows.data();
  const char* const end = at + rows.size();
  const int64_t least_bytes = LeastBytes(form);
  while (at < end) {
    if (end - at < least_bytes) return Damaged();
    entrants->event_us.push_back(Take<int64_t>(&at));
    entrants->positions.push_back(Take<int64_t>(&at));
    if (form.fine_times) entrants->fine.push_back(Take<FineTimes>(&at));
    if (form.number_keys) {
      entrants->numbers.push_back(Take<uint64_t>(&at));
    } else {
      const auto size = Take<uint32_t>(&at);
      if (end - at < int64_t{size}) return Damaged();
      entrants->bytes.data.append(at, size);
      entrants->bytes.Close();
      at += size;
    }
  }
  return Status::OK();
}

}  // namespace banquet
