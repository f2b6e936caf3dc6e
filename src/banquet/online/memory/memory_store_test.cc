#include "banquet/online/memory/memory_store.h"

#include "banquet/online/contract/online_store_contract.h"

namespace banquet {
namespace {

ConfigNode BlockOf(std::vector<std::pair<std::string, std::string>> entries) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (auto& [key, value] : entries) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = std::move(value)}});
  }
  return block;
}

StoreUnderTest Memory() {
  return {.name = "memory", .make = [](const std::string& scratch) {
            return memory::MakeStore(BlockOf({{"type", "memory"}, {"name", scratch}}), {});
          }};
}
INSTANTIATE_TEST_SUITE_P(Memory, OnlineStoreContract, ::testing::Values(Memory()),
                         StoreUnderTest::NameOf);

TEST(MemoryStoreTest, StoresOfOtherNamesAreApart) {
  ASSERT_OK_AND_ASSIGN(auto one, memory::MakeStore(BlockOf({{"name", "apart-1"}}), {}));
  ASSERT_OK_AND_ASSIGN(auto two, memory::MakeStore(BlockOf({{"name", "apart-2"}}), {}));
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, one->OpenWriter(std::span(&view, 1), 0));
  ASSERT_OK(writer->Write(BatchBuilder(view).Row("k", 1, {"v"}).Build(), RowSelection::All()));
  ASSERT_OK(writer->Flush());
  const std::string key = "k";
  ASSERT_OK_AND_ASSIGN(const StoredRows here, one->Read(view, std::span(&key, 1)));
  ASSERT_OK_AND_ASSIGN(const StoredRows there, two->Read(view, std::span(&key, 1)));
  EXPECT_TRUE(here[0].has_value());
  EXPECT_FALSE(there[0].has_value());
}

TEST(MemoryStoreTest, RefusesUnknownKeys) {
  EXPECT_FAULT(Fault::kUser, "nmae", memory::MakeStore(BlockOf({{"nmae", "x"}}), {}));
}

TEST(MemoryStoreTest, ABatchOfOtherViewsIsABug) {
  ASSERT_OK_AND_ASSIGN(auto store, memory::MakeStore({}, {}));
  const ViewColumns view = MakeTestView("stats", {"a"});
  ASSERT_OK_AND_ASSIGN(auto writer, store->OpenWriter(std::span(&view, 1), 0));
  EXPECT_FAULT(
      Fault::kBug, "views",
      writer->Write(BatchBuilder(std::vector<ViewColumns>()).Build(), RowSelection::All()));
}

}  // namespace
}  // namespace banquet
