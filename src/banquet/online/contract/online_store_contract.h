#pragma once
// The one suite that every online store passes. A store's own test instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Memory, OnlineStoreContract, ::testing::Values(StoreUnderTest{…}),
//   StoreUnderTest::NameOf);

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "banquet/base/testing.h"
#include "banquet/online/contract/batch_builder.h"
#include "banquet/online/online_store.h"

namespace banquet {

// A store and its declared deviations from the reference (online/memory).
struct StoreUnderTest {
  std::string name;
  // A store that holds nothing yet. `scratch` is an empty folder of this test alone; a second store
  // made with the same one sees the same rows.
  std::function<Result<std::unique_ptr<OnlineStore>>(const std::string& scratch)> make;
  // Event times are kept, and compared, in whole seconds, truncated toward zero. Else microseconds.
  bool keeps_seconds = false;
  // What overwrite: feast does to an older row (counted stale) and to one of equal time (counted
  // unchanged).
  bool feast_skips_older = false;
  bool feast_skips_equal = false;
  // Under overwrite: newest, a stored time of 1970-01-01 or before still guards against older ones.
  bool guards_times_before_1970 = true;
  // The most that an entity's row may hold; 0: no limit that the suite meets.
  size_t row_bytes_max = 0;
  // A view's name must be of letters, digits, _, - and .; another is a user error.
  bool names_are_plain = false;

  static std::string NameOf(const ::testing::TestParamInfo<StoreUnderTest>& info) {
    return info.param.name;
  }
};
void PrintTo(const StoreUnderTest& store, std::ostream* out);

// Fixture: a fresh store per test. Counts are per row of a batch, whatever the number of views: a
// row is `written` when any view took it, else `stale` when any view holds a newer one, else
// `unchanged`.
class OnlineStoreContract : public ::testing::TestWithParam<StoreUnderTest> {
 protected:
  static constexpr int64_t kSecond = 1'000'000;
  static constexpr int64_t kNoon = 1'700'000'000 * kSecond;

  // A key as Feast serializes it (version 3) for the test view's join key, so that a store may
  // parse it. The number's bytes are in an order that makes keys ascend with it.
  static std::string Key(int i);
  // Of all that became of rows.
  static int64_t Sum(const RowOutcomes& outcomes);

  void SetUp() override;
  void TearDown() override;

  // Prepares the views, opens a writer on `lane`, writes and flushes.
  Result<RowOutcomes> Write(std::span<const ViewColumns> views,
                            std::shared_ptr<const EncodedBatch> batch,
                            RowSelection rows = RowSelection::All(), int lane = 0);
  Result<RowOutcomes> Write(const ViewColumns& view, std::shared_ptr<const EncodedBatch> batch,
                            RowSelection rows = RowSelection::All()) {
    return Write(std::span(&view, 1), std::move(batch), rows);
  }
  // Writes one row of a view and expects it decided.
  RowOutcomes WriteRow(const ViewColumns& view, std::string_view key, int64_t event_us,
                       const std::vector<std::string>& values);

  // The row of one key; fails the test on an error.
  std::optional<StoredRow> ReadRow(const ViewColumns& view, const std::string& key);
  // Expects the key's row to hold these values and this time (at the store's precision).
  void ExpectRow(const ViewColumns& view, const std::string& key, int64_t event_us,
                 const std::vector<std::string>& values);
  void ExpectNoRow(const ViewColumns& view, const std::string& key);
  int64_t AtPrecision(int64_t event_us) const;
  OnlineStore& store() { return *store_; }
  const std::string& scratch() const { return scratch_; }

 private:
  std::string scratch_;
  std::unique_ptr<OnlineStore> store_;
};

}  // namespace banquet
