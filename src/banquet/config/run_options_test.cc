#include "banquet/config/run_options.h"

#include "banquet/base/testing.h"
#include "banquet/config/yaml_reader.h"

namespace banquet {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Overrides = std::vector<std::pair<std::string, std::string>>;

Result<RunOptions> Parse(const std::string& keys, const Overrides& overrides = {}) {
  std::vector<std::string> warnings;
  BANQUET_ASSIGN_OR_RETURN(const ConfigNode root,
                           ReadYaml("banquet: {" + keys + "}", "f.yaml", &warnings));
  return ParseRunOptions(*root.Find("banquet"), overrides);
}

TEST(RunOptions, DefaultsAreThoseOfTheTable) {
  ASSERT_OK_AND_ASSIGN(const RunOptions options, ParseRunOptions({}, {}));
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.parallel_groups, 2);
  EXPECT_EQ(options.overwrite, std::nullopt);
  EXPECT_EQ(options.guard, std::nullopt);
  EXPECT_EQ(options.on_null_key, OnNullKey::kSkip);
  EXPECT_FALSE(options.unsupported.skip_all);
  EXPECT_THAT(options.unsupported.skip_views, IsEmpty());
  EXPECT_EQ(options.sqlite_ts, SqliteTimes::kPython);
  EXPECT_TRUE(options.sqlite_feed);
  EXPECT_EQ(options.redis_wait_replicas, 0);
  EXPECT_TRUE(options.redis_restore);
  EXPECT_EQ(options.connect_timeout, milliseconds(10'000));
  EXPECT_EQ(options.stall_timeout, milliseconds(60'000));
  EXPECT_EQ(options.retry_timeout, milliseconds(300'000));
  EXPECT_EQ(options.lock_wait, milliseconds(0));
  EXPECT_THAT(options.views, IsEmpty());
}

TEST(RunOptions, EveryOptionIsRead) {
  ASSERT_OK_AND_ASSIGN(
      const RunOptions options,
      Parse("threads: 3, parallel_groups: 4, overwrite: feast, guard: strict, on_null_key: fail, "
            "unsupported: skip, sqlite_ts: utc, sqlite_feed: false, redis_wait_replicas: 2, "
            "redis_restore: false, connect_timeout: 1s, stall_timeout: 2m, retry_timeout: 1h, "
            "lock_wait: 5"));
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.parallel_groups, 4);
  EXPECT_EQ(options.overwrite, Overwrite::kFeast);
  EXPECT_EQ(options.guard, Guard::kStrict);
  EXPECT_EQ(options.on_null_key, OnNullKey::kFail);
  EXPECT_TRUE(options.unsupported.skip_all);
  EXPECT_EQ(options.sqlite_ts, SqliteTimes::kUtc);
  EXPECT_FALSE(options.sqlite_feed);
  EXPECT_EQ(options.redis_wait_replicas, 2);
  EXPECT_FALSE(options.redis_restore);
  EXPECT_EQ(options.connect_timeout, milliseconds(1'000));
  EXPECT_EQ(options.stall_timeout, milliseconds(120'000));
  EXPECT_EQ(options.retry_timeout, milliseconds(3'600'000));
  EXPECT_EQ(options.lock_wait, milliseconds(5'000));
}

TEST(RunOptions, TheCommandLineWins) {
  ASSERT_OK_AND_ASSIGN(const RunOptions options,
                       Parse("threads: 3, overwrite: feast",
                             {{"threads", "5"}, {"overwrite", "always"}, {"lock_wait", "1m"}}));
  EXPECT_EQ(options.threads, 5);
  EXPECT_EQ(options.overwrite, Overwrite::kAlways);
  EXPECT_EQ(options.lock_wait, milliseconds(60'000));
  EXPECT_FAULT(Fault::kUser, "--threads: must be 0 to 1024, not -1",
               Parse("", {{"threads", "-1"}}));
  EXPECT_FAULT(Fault::kUser, "--wait: ", Parse("", {{"wait", "abc"}}));
  EXPECT_FAULT(Fault::kUser, "--on-null-key: write skip or fail, not 'fial'. Did you mean 'fail'?",
               Parse("", {{"on_null_key", "fial"}}));
}

TEST(RunOptions, ValuesOutOfBoundsAreRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"threads: 1025", "f.yaml:1: banquet.threads: must be 0 to 1024, not 1025"},
      {"parallel_groups: 0", "banquet.parallel_groups: must be 1 to 256"},
      {"redis_wait_replicas: -1", "banquet.redis_wait_replicas: must be 0 to 1000"},
      {"connect_timeout: 0", "banquet.connect_timeout: must be more than 0 s"},
      {"stall_timeout: 0s", "banquet.stall_timeout: must be more than 0 s, at most 24 h, not 0s"},
      {"retry_timeout: 8d", "banquet.retry_timeout: must be more than 0 s, at most 7 d"},
      {"lock_wait: 8d", "banquet.lock_wait: must be 0 s to 7 d"},
      {"write_rate_max: -1", "banquet.write_rate_max: must be 0 (no limit) to 1000000000"},
      {"views: {v: {write_rate_max: 1}}", "for the whole run only"},
      {"threads: 99999999999999999999", "banquet.threads: write a whole number"},
  };
  for (const auto& [keys, message] : cases) {
    SCOPED_TRACE(keys);
    EXPECT_FAULT(Fault::kUser, message, Parse(keys));
  }
}

TEST(RunOptions, PlannedOptionsAreRefusedByName) {
  for (const std::string name : {"allow_python"}) {
    EXPECT_FAULT(Fault::kUser, "f.yaml:1: banquet." + name + ": not supported by this version",
                 Parse(name + ": 1"));
  }
  EXPECT_FAULT(Fault::kUser, "--allow-python: not supported by this version",
               Parse("", {{"allow_python", "1"}}));
  EXPECT_FAULT(Fault::kUser, "banquet.views.v.allow_python: not supported",
               Parse("views: {v: {allow_python: true}}"));
}

TEST(RunOptions, FurtherOnlineStoresHaveNamesAndTypes) {
  ASSERT_OK_AND_ASSIGN(const RunOptions options,
                       Parse("online_stores: {b: {type: redis, db: 1}, a: {type: sqlite}}"));
  ASSERT_EQ(options.online_stores.size(), 2u);
  EXPECT_EQ(options.online_stores[0].name, "b");
  EXPECT_EQ(options.online_stores[0].type, "redis");
  EXPECT_NE(options.online_stores[0].block.Find("db"), nullptr);
  EXPECT_EQ(options.online_stores[1].name, "a");
  EXPECT_FAULT(Fault::kUser, "banquet.online_stores: write names", Parse("online_stores: redis"));
  EXPECT_FAULT(Fault::kUser, "banquet.online_stores.a: write an online_store block with its type",
               Parse("online_stores: {a: {path: x.db}}"));
  EXPECT_FAULT(Fault::kUser, "banquet.online_stores.a.skip_dedup: one rule holds for all stores",
               Parse("online_stores: {a: {type: redis, skip_dedup: true}}"));
  EXPECT_FAULT(Fault::kUser, "for the whole run only",
               Parse("views: {v: {online_stores: {a: {type: sqlite}}}}"));
}

TEST(RunOptions, MemoryIsLimitedInBytesWithAUnit) {
  ASSERT_OK_AND_ASSIGN(RunOptions options, Parse("memory_limit: 2GiB, spill_directory: /scratch"));
  EXPECT_EQ(options.memory_limit, int64_t{2} << 30);
  EXPECT_EQ(options.spill_directory, "/scratch");
  ASSERT_OK_AND_ASSIGN(options, Parse(""));
  EXPECT_EQ(options.memory_limit, 0);
  EXPECT_FAULT(Fault::kUser, "banquet.memory_limit: must be 64MiB or more",
               Parse("memory_limit: 1MiB"));
}

TEST(RunOptions, FastPathsAreOnUnlessSwitchedOff) {
  ASSERT_OK_AND_ASSIGN(RunOptions options, Parse(""));
  EXPECT_TRUE(options.share_reads && options.late_materialization && options.skip_row_groups &&
              options.dictionaries);
  ASSERT_OK_AND_ASSIGN(options, Parse("late_materialization: false, dictionaries: false",
                                      {{"share_reads", "false"}, {"skip_row_groups", "no"}}));
  EXPECT_FALSE(options.share_reads || options.late_materialization || options.skip_row_groups ||
               options.dictionaries);
}

TEST(RunOptions, UnsupportedTakesAWordOrNames) {
  ASSERT_OK_AND_ASSIGN(RunOptions options, Parse("unsupported: [a, b]"));
  EXPECT_THAT(options.unsupported.skip_views, ElementsAre("a", "b"));
  EXPECT_FALSE(options.unsupported.skip_all);
  ASSERT_OK_AND_ASSIGN(options, Parse("unsupported: fail"));
  EXPECT_THAT(options.unsupported.skip_views, IsEmpty());
  ASSERT_OK_AND_ASSIGN(options, Parse("unsupported: fail", {{"unsupported", "a,b"}}));
  EXPECT_THAT(options.unsupported.skip_views, ElementsAre("a", "b"));
  ASSERT_OK_AND_ASSIGN(options, Parse("", {{"unsupported", "driver_stats"}}));
  EXPECT_THAT(options.unsupported.skip_views, ElementsAre("driver_stats"));
  ASSERT_OK_AND_ASSIGN(options, Parse("", {{"unsupported", "skip"}}));
  EXPECT_TRUE(options.unsupported.skip_all);
  EXPECT_FAULT(Fault::kUser,
               "f.yaml:1: banquet.unsupported: write fail, skip or a list of view names, not "
               "'skpi'. Did you mean 'skip'?",
               Parse("unsupported: skpi"));
  EXPECT_FAULT(Fault::kUser, "write fail, skip or a list", Parse("unsupported: driver_stats"));
  EXPECT_FAULT(Fault::kUser, "--unsupported: write fail, skip",
               Parse("", {{"unsupported", "skpi"}}));
  EXPECT_FAULT(Fault::kUser, "--unsupported: write fail, skip", Parse("", {{"unsupported", ""}}));
  EXPECT_FAULT(Fault::kUser, "banquet.unsupported: write a list of text",
               Parse("unsupported: {a: b}"));
}

TEST(RunOptions, AViewsOwnValueWins) {
  ASSERT_OK_AND_ASSIGN(const RunOptions options,
                       Parse("overwrite: feast, on_null_key: fail, "
                             "views: {a: {overwrite: newest, guard: check, on_null_key: skip}, b: "
                             "{guard: strict}, c: }"));
  EXPECT_EQ(options.OverwriteOf("a"), Overwrite::kNewest);
  EXPECT_EQ(options.GuardOf("a"), Guard::kCheck);
  EXPECT_EQ(options.OnNullKeyOf("a"), OnNullKey::kSkip);
  EXPECT_EQ(options.OverwriteOf("b"), Overwrite::kFeast);
  EXPECT_EQ(options.GuardOf("b"), Guard::kStrict);
  EXPECT_EQ(options.OnNullKeyOf("b"), OnNullKey::kFail);
  EXPECT_EQ(options.GuardOf("c"), std::nullopt);
  EXPECT_EQ(options.OverwriteOf("elsewhere"), Overwrite::kFeast);
  EXPECT_EQ(options.GuardOf("elsewhere"), std::nullopt);
  EXPECT_EQ(options.OnNullKeyOf("elsewhere"), OnNullKey::kFail);
}

TEST(RunOptions, TheCommandLineWinsOverAViewsOwnValueToo) {
  const std::string views =
      "views: {a: {overwrite: newest, guard: check, on_null_key: skip}, b: {guard: check}}";
  ASSERT_OK_AND_ASSIGN(RunOptions options, Parse(views, {{"overwrite", "always"}}));
  EXPECT_EQ(options.OverwriteOf("a"), Overwrite::kAlways);
  EXPECT_EQ(options.GuardOf("a"), Guard::kCheck);
  ASSERT_OK_AND_ASSIGN(options, Parse(views, {{"guard", "strict"}, {"on_null_key", "fail"}}));
  EXPECT_EQ(options.OverwriteOf("a"), Overwrite::kNewest);
  EXPECT_EQ(options.GuardOf("a"), Guard::kStrict);
  EXPECT_EQ(options.GuardOf("b"), Guard::kStrict);
  EXPECT_EQ(options.OnNullKeyOf("a"), OnNullKey::kFail);
}

TEST(RunOptions, OptionsThatNoViewCanHaveAreRefused) {
  EXPECT_FAULT(Fault::kUser,
               "f.yaml:1: banquet.views.a.overwrit: unknown key. Did you mean 'overwrite'?",
               Parse("views: {a: {overwrit: newest}}"));
  EXPECT_FAULT(Fault::kUser, "banquet.views.a.threads: this version has it for the whole run only",
               Parse("views: {a: {threads: 1}}"));
  for (const char* engine : {"[]", "{partitions: 1}", "''"}) {
    EXPECT_FAULT(Fault::kUser, "f.yaml:1: banquet.views.a.batch_engine: write a batch_engine block",
                 Parse(fmt::format("views: {{a: {{batch_engine: {}}}}}", engine)));
  }
  EXPECT_FAULT(Fault::kUser, "banquet.views.a.guard: write check or strict",
               Parse("views: {a: {guard: x}}"));
  EXPECT_FAULT(Fault::kUser, "banquet.views: write view names", Parse("views: [a]"));
  EXPECT_FAULT(Fault::kUser, "banquet.views.a: write keys with values",
               Parse("views: {a: newest}"));
}

TEST(RunOptionsTest, AViewMayHaveAnEngineOfItsOwn) {
  ASSERT_OK_AND_ASSIGN(
      const RunOptions options,
      Parse("views: {a: {batch_engine: {type: spark.engine, partitions: 3}}, b: {batch_engine: "
            "feast.infra.compute_engines.local.compute.LocalComputeEngine}, c: {guard: check}}"));
  const auto& spark = options.views.at("a").batch_engine;
  ASSERT_TRUE(spark.has_value());
  EXPECT_EQ(spark->type, "spark.engine");
  EXPECT_EQ(spark->block.Find("partitions")->scalar, "3");
  EXPECT_EQ(options.views.at("b").batch_engine->type, "local");
  EXPECT_FALSE(options.views.at("c").batch_engine.has_value());
}

TEST(RunOptions, EveryOptionSaysWhatItMeans) {
  for (const OptionSpec& spec : RunOptionTable()) {
    EXPECT_FALSE(spec.meaning.empty()) << spec.name;
    EXPECT_EQ(spec.type == OptionType::kChoice, !spec.choices.empty()) << spec.name;
  }
}

}  // namespace
}  // namespace banquet
