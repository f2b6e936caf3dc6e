#pragma once
// A large array of plain data that grows without copying, on huge pages.

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace banquet {

// Zero at first; grows by moving its pages, not its bytes. Random access to many MiB costs a page
// walk for each 4 KiB page; pages of 2 MiB (where the system gives them) spare most of it.
template <typename T>
class HugeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr size_t kPageBytes = size_t{2} << 20;
  // Smaller arrays have small pages, so that the last page, of which only a part is used, does not
  // count for much.
  static constexpr size_t kHugeFromBytes = 4 * kPageBytes;

  HugeArray() = default;
  HugeArray(HugeArray&& other) noexcept { *this = std::move(other); }
  HugeArray& operator=(HugeArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~HugeArray() {
    if (data_ != nullptr) ::munmap(data_, size_ * sizeof(T));
  }

  // Room for `size` elements, more than before; what is new is zero. False: the system has no
  // memory; nothing changed.
  [[nodiscard]] bool Grow(size_t size) {
    const size_t bytes = size * sizeof(T);
    void* grown = data_ == nullptr ? Map(bytes) : Remap(bytes);
    if (grown == MAP_FAILED) return false;
    if (bytes >= kHugeFromBytes) ::madvise(grown, bytes, MADV_HUGEPAGE);  // A wish.
    data_ = static_cast<T*>(grown);
    size_ = size;
    return true;
  }

  size_t size() const { return size_; }
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  static void* Map(size_t bytes) {
    return ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  void* Remap(size_t bytes) {
#ifdef __SANITIZE_THREAD__
    // TSan does not see mremap, and takes whoever held the new addresses before for a racer.
    void* grown = Map(bytes);
    if (grown == MAP_FAILED) return grown;
    std::memcpy(grown, data_, size_ * sizeof(T));
    ::munmap(data_, size_ * sizeof(T));
    return grown;
#else
    return ::mremap(data_, size_ * sizeof(T), bytes, MREMAP_MAYMOVE);
#endif
  }

  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace banquet
