// The contract on three masters, and what happens while slots move and masters fail.

#include <atomic>
#include <map>

#include "banquet/online/contract/online_store_contract.h"
#include "banquet/online/redis/live_cluster.h"
#include "banquet/online/redis/redis_store.h"

namespace banquet::redis {
namespace {

constexpr int64_t kNoonUs = 1'700'000'000'000'000;

Result<std::unique_ptr<OnlineStore>> StoreOn(const LiveCluster& cluster, bool restore = true) {
  ConfigNode block{.kind = ConfigNode::Kind::kMap};
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"redis_type", "redis_cluster"}, {"connection_string", cluster.connection_string()}}) {
    block.entries.push_back({key, {.kind = ConfigNode::Kind::kScalar, .scalar = value}});
  }
  return MakeStore(block, {.redis_restore = restore});
}

LiveCluster* Cluster() {
  static const Result<std::unique_ptr<LiveCluster>> cluster = LiveCluster::Start();
  EXPECT_OK(cluster);
  return cluster.ok() ? cluster->get() : nullptr;
}

StoreUnderTest ClusterStoreUnderTest(std::string name, bool restore) {
  return {.name = std::move(name),
          .make = [restore](const std::string& scratch) -> Result<std::unique_ptr<OnlineStore>> {
            LiveCluster* cluster = Cluster();
            if (cluster == nullptr) return RemoteError({}, "no cluster");
            static std::map<std::string, bool> known;
            if (known.emplace(scratch, true).second) {
              for (int i = 0; i < LiveCluster::kMasters; ++i) {
                BANQUET_RETURN_NOT_OK(LiveCluster::Ask(cluster->node(i), {"FLUSHALL"}));
              }
            }
            return StoreOn(*cluster, restore);
          },
          .feast_skips_older = true,
          .feast_skips_equal = true};
}

INSTANTIATE_TEST_SUITE_P(RedisCluster, OnlineStoreContract,
                         ::testing::Values(ClusterStoreUnderTest("cluster", true),
                                           ClusterStoreUnderTest("cluster_hset", false)),
                         StoreUnderTest::NameOf);

std::string KeyOf(int i) { return "key" + std::to_string(i); }

std::shared_ptr<const EncodedBatch> Rows(const ViewColumns& view, int rows, int64_t event_us,
                                         const std::string& value) {
  BatchBuilder builder(view);
  for (int i = 0; i < rows; ++i) builder.Row(KeyOf(i), event_us, {value});
  return builder.Build();
}

// As the sink does: what is undecided goes again, after an error all of it by a new writer.
Result<int64_t> WriteUntilDecided(OnlineStore* store, const ViewColumns& view,
                                  const std::shared_ptr<const EncodedBatch>& batch) {
  int64_t written = 0;
  std::vector<uint32_t> left;
  std::unique_ptr<OnlineWriter> writer;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    if (writer == nullptr) {
      auto opened = store->OpenWriter(std::span(&view, 1), 0);
      if (opened.ok()) writer = *std::move(opened);
    }
    if (writer != nullptr) {
      Status status =
          writer->Write(batch, left.empty() ? RowSelection::All() : RowSelection::Of(left));
      Result<RowOutcomes> outcomes =
          status.ok() ? writer->Flush() : Result<RowOutcomes>(std::move(status));
      if (outcomes.ok()) {
        written += outcomes->written;
        left = outcomes->undecided;
        if (left.empty()) return written;
      } else if (!IsRetryable(outcomes.status())) {
        return outcomes.status();
      } else {
        writer.reset();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return RemoteError({}, "rows are undecided for good");
}

void ExpectAll(OnlineStore* store, const ViewColumns& view, int rows, const std::string& value) {
  std::vector<std::string> keys;
  for (int i = 0; i < rows; ++i) keys.push_back(KeyOf(i));
  ASSERT_OK_AND_ASSIGN(const StoredRows stored, store->Read(view, keys));
  for (int i = 0; i < rows; ++i) {
    ASSERT_TRUE(stored[static_cast<size_t>(i)].has_value()) << i;
    EXPECT_EQ(stored[static_cast<size_t>(i)]->values[0], value) << i;
  }
}

TEST(RedisClusterTest, SlotsThatMoveWhileTheyAreWrittenLoseNoRow) {
  for (const Guard guard : {Guard::kCheck, Guard::kStrict}) {
    ASSERT_OK_AND_ASSIGN(const auto cluster, LiveCluster::Start());
    ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*cluster));
    ViewColumns view = MakeTestView("moving", {"a"});
    view.guard = guard;
    constexpr int kRows = 3000;
    ASSERT_OK(store->Prepare(std::span(&view, 1)));
    ASSERT_OK(WriteUntilDecided(store.get(), view, Rows(view, kRows, kNoonUs, "first")));
    std::atomic<bool> ended = false;
    std::thread mover([&] {
      for (uint16_t slot = 0; slot < 300 && !ended; ++slot) {
        EXPECT_OK(cluster->MoveSlot(slot, 0, 1 + slot % 2));
      }
    });
    for (int round = 1; round <= 5; ++round) {
      const std::string value = "round " + std::to_string(round);
      EXPECT_OK(WriteUntilDecided(store.get(), view, Rows(view, kRows, kNoonUs + round, value)));
    }
    ended = true;
    mover.join();
    ASSERT_OK(store->ConfirmWritten());
    ExpectAll(store.get(), view, kRows, "round 5");
  }
}

TEST(RedisClusterTest, AMasterThatFailsIsReplacedAndNothingIsConfirmed) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, LiveCluster::Start(/*with_replicas=*/true));
  ASSERT_OK_AND_ASSIGN(const auto store, StoreOn(*cluster));
  const ViewColumns view = MakeTestView("failing", {"a"});
  constexpr int kRows = 500;
  ASSERT_OK(store->Prepare(std::span(&view, 1)));
  ASSERT_OK(WriteUntilDecided(store.get(), view, Rows(view, kRows, kNoonUs, "first")));
  ASSERT_OK(store->ConfirmWritten());
  cluster->node(1).Kill();
  ASSERT_OK(WriteUntilDecided(store.get(), view, Rows(view, kRows, kNoonUs + 1, "second")));
  // What the dead one acknowledged may be lost, so that the run must not count.
  EXPECT_FAULT(Fault::kRemote, "", store->ConfirmWritten());
  // The same command again.
  ASSERT_OK_AND_ASSIGN(const auto next, StoreOn(*cluster));
  ASSERT_OK(next->Prepare(std::span(&view, 1)));
  ASSERT_OK(WriteUntilDecided(next.get(), view, Rows(view, kRows, kNoonUs + 1, "second")));
  ASSERT_OK(next->ConfirmWritten());
  ExpectAll(next.get(), view, kRows, "second");
}

TEST(RedisClusterTest, RowsLieWhereARealClusterLooksForThem) {
  LiveCluster* cluster = Cluster();
  ASSERT_NE(cluster, nullptr);
  for (const char* key : {"a", "{b}c", "x{}y", "some key", "{{z}}"}) {
    ASSERT_OK_AND_ASSIGN(const std::string slot,
                         LiveCluster::Ask(cluster->node(0), {"CLUSTER", "KEYSLOT", key}));
    EXPECT_EQ(std::to_string(SlotOf(key)), slot) << key;
  }
}

}  // namespace
}  // namespace banquet::redis
