#include "banquet/registry/materialization_splice.h"

#include <random>

#include "banquet/base/testing.h"
#include "banquet/client/filesystem/file_descriptor.h"
#include "banquet/registry/proto_time.h"
#include "banquet/registry/wire_fields.h"
#include "feast/core/Registry.pb.h"

namespace banquet {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr int64_t kNowUs = 1'800'000'000'123'456;
const RegistryStamp kStamp = {.now_us = kNowUs,
                              .version_id = "11111111-2222-4333-8444-555555555555"};

std::string TestBytes(const std::string& name) {
  return ReadWholeFile(std::string(BANQUET_REGISTRY_TESTDATA) + "/" + name).ValueOrDie();
}

feast::core::Registry Parsed(const std::string& bytes) {
  feast::core::Registry message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

MaterializationRecord Record(const std::string& view) {
  return {.project = "golden_inc",
          .view = view,
          .window = {.start_us = -1'500'000, .end_us = 1'700'000'000'000'000}};
}

// Makes the five changes on the parsed message, as Feast does but for the place in the list.
void ApplyToMessage(const MaterializationRecord& record, feast::core::Registry* message) {
  const auto apply = [&](feast::core::FeatureViewMeta* meta) {
    auto* interval = meta->add_materialization_intervals();
    *interval->mutable_start_time() = TimestampOf(record.window.start_us);
    *interval->mutable_end_time() = TimestampOf(record.window.end_us);
    *meta->mutable_last_updated_timestamp() = TimestampOf(kNowUs);
    meta->set_state(feast::core::AVAILABLE_ONLINE);
  };
  message->set_version_id(kStamp.version_id);
  *message->mutable_last_updated() = TimestampOf(kNowUs);
  for (auto& view : *message->mutable_feature_views()) {
    if (view.spec().name() == record.view && view.spec().project() == record.project)
      return apply(view.mutable_meta());
  }
  for (auto& view : *message->mutable_stream_feature_views()) {
    if (view.spec().name() == record.view && view.spec().project() == record.project)
      return apply(view.mutable_meta());
  }
  FAIL() << "no such view";
}

// Every field of the registry but the view's entry, version_id and last_updated has the same bytes
// at the same place.
void ExpectOtherFieldsUntouched(const std::string& before, const std::string& after) {
  ASSERT_OK_AND_ASSIGN(const std::vector<WireField> old_fields, SplitFields(before));
  ASSERT_OK_AND_ASSIGN(const std::vector<WireField> new_fields, SplitFields(after));
  ASSERT_EQ(old_fields.size(), new_fields.size());
  int changed = 0;
  for (size_t i = 0; i < old_fields.size(); ++i) {
    EXPECT_EQ(old_fields[i].number, new_fields[i].number);
    if (old_fields[i].all == new_fields[i].all) continue;
    ++changed;
    EXPECT_THAT(old_fields[i].number, ::testing::AnyOf(4u, 5u, 6u, 14u));
  }
  EXPECT_EQ(changed, 3);
}

TEST(SpliceMaterializationTest, ChangesFivePlacesOfARealRegistryAndNoOtherByte) {
  for (const char* view : {"inc_new", "inc_plain", "inc_ttl"}) {
    for (const char* file : {"incremental_after_apply.db", "incremental.db"}) {
      const std::string before = TestBytes(file);
      ASSERT_OK_AND_ASSIGN(const std::string after,
                           SpliceMaterialization(before, Record(view), kStamp));
      ExpectOtherFieldsUntouched(before, after);
      feast::core::Registry expected = Parsed(before);
      ApplyToMessage(Record(view), &expected);
      EXPECT_EQ(Parsed(after).SerializeAsString(), expected.SerializeAsString());
    }
  }
}

std::string EntryOf(const std::string& registry, const std::string& name) {
  const std::vector<WireField> fields = SplitFields(registry).ValueOrDie();
  for (const WireField& field : fields) {
    if (!field.Is(6, WireType::kBytes)) continue;
    feast::core::FeatureView view;
    if (view.ParseFromString(std::string(field.value)) && view.spec().name() == name)
      return std::string(field.all);
  }
  return "";
}

TEST(SpliceMaterializationTest, WritesTheBytesThatFeastWrote) {
  const std::string feast_result = TestBytes("incremental.db");
  std::string registry = TestBytes("incremental_after_apply.db");
  const feast::core::Registry result = Parsed(feast_result);
  for (const auto& view : result.feature_views()) {
    for (const auto& interval : view.meta().materialization_intervals()) {
      ASSERT_OK_AND_ASSIGN(
          registry,
          SpliceMaterialization(
              registry,
              {.project = view.spec().project(),
               .view = view.spec().name(),
               .window = {.start_us = MicrosecondsOf(interval.start_time()),
                          .end_us = MicrosecondsOf(interval.end_time())}},
              {.now_us = MicrosecondsOf(view.meta().last_updated_timestamp()), .version_id = "x"}));
    }
    EXPECT_EQ(EntryOf(registry, view.spec().name()), EntryOf(feast_result, view.spec().name()));
  }
}

// Fields of numbers that no version of Feast uses, of every wire type.
std::string RandomUnknownFields(std::mt19937& random) {
  std::string fields;
  for (int i = 0; i < 4; ++i) {
    const uint32_t number = 900 + random() % 5000;
    std::string content(random() % 200, 'x');
    for (char& c : content) c = static_cast<char>(random());
    AppendBytesField(number, content, &fields);
    AppendVarintField(number + 1, (uint64_t{random()} << 32) | random(), &fields);
  }
  fields += std::string("\x85\x7d", 2) + "abcd";      // 2000: fixed32
  fields += std::string("\x81\x7d", 2) + "abcdefgh";  // 2000: fixed64
  fields +=
      "\x83\x7d"
      "\x08\x01"
      "\x84\x7d";  // 2000: a group with field 1 in it
  return fields;
}

TEST(SpliceMaterializationTest, KeepsUnknownFieldsAtEveryLevelBitForBit) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    const std::string in_spec = RandomUnknownFields(random);
    const std::string in_meta = RandomUnknownFields(random);
    const std::string in_view = RandomUnknownFields(random);
    const std::string in_registry = RandomUnknownFields(random);
    std::string spec = in_spec;
    AppendBytesField(1, "v", &spec);
    AppendBytesField(2, "p", &spec);
    spec += in_spec;
    std::string meta = in_meta;
    AppendBytesField(5, "id", &meta);
    meta += in_meta;
    std::string view = in_view;
    AppendBytesField(2, meta, &view);
    AppendBytesField(1, spec, &view);
    view += in_view;
    std::string registry = in_registry;
    AppendBytesField(6, view, &registry);
    registry += in_registry;
    ASSERT_OK_AND_ASSIGN(
        const std::string after,
        SpliceMaterialization(registry,
                              {.project = "p", .view = "v", .window = {.start_us = 1, .end_us = 2}},
                              kStamp));
    EXPECT_THAT(after, EndsWith(in_registry));
    const feast::core::Registry message = Parsed(after);
    ASSERT_EQ(message.feature_views_size(), 1);
    EXPECT_EQ(message.feature_views(0).meta().materialization_intervals_size(), 1);
    EXPECT_EQ(message.feature_views(0).meta().state(), feast::core::AVAILABLE_ONLINE);
    EXPECT_EQ(message.feature_views(0).meta().version_id(), "id");
    feast::core::Registry expected = Parsed(registry);
    auto record =
        MaterializationRecord{.project = "p", .view = "v", .window = {.start_us = 1, .end_us = 2}};
    ApplyToMessage(record, &expected);
    EXPECT_EQ(message.SerializeAsString(), expected.SerializeAsString());
    std::string spec_field;
    AppendBytesField(1, spec, &spec_field);
    EXPECT_NE(after.find(spec_field + in_view), std::string::npos);
    EXPECT_NE(after.find(in_view), after.rfind(in_view));
    EXPECT_NE(after.find(in_meta), after.rfind(in_meta));
  }
}

TEST(SpliceMaterializationTest, FindsStreamViewsAndTellsProjectsApart) {
  feast::core::Registry message;
  const auto add = [](auto* view, const char* project) {
    view->mutable_spec()->set_name("v");
    view->mutable_spec()->set_project(project);
    view->mutable_meta()->set_state(feast::core::CREATED);
  };
  add(message.add_feature_views(), "other");
  add(message.add_stream_feature_views(), "other");
  add(message.add_stream_feature_views(), "p");
  message.set_version_id("old");
  message.mutable_last_updated()->set_seconds(1);
  const MaterializationRecord record{
      .project = "p", .view = "v", .window = {.start_us = 0, .end_us = 1}};
  const std::string before = message.SerializeAsString();
  ASSERT_OK_AND_ASSIGN(const std::string after, SpliceMaterialization(before, record, kStamp));
  ExpectOtherFieldsUntouched(before, after);
  ApplyToMessage(record, &message);
  EXPECT_EQ(after, message.SerializeAsString());
}

TEST(SpliceMaterializationTest, AddsWhatIsMissing) {
  feast::core::Registry message;
  message.add_feature_views()->mutable_spec()->set_name("v");
  message.add_projects()->mutable_spec()->set_name("later field");
  const MaterializationRecord record{.project = "", .view = "v", .window = {}};
  ASSERT_OK_AND_ASSIGN(const std::string after,
                       SpliceMaterialization(message.SerializeAsString(), record, kStamp));
  ApplyToMessage(record, &message);
  EXPECT_EQ(after, message.SerializeAsString());
}

TEST(SpliceMaterializationTest, OfSeveralMetasTheLastOnesValuesCount) {
  std::string old_meta;
  AppendVarintField(6, 1, &old_meta);
  AppendVarintField(6, 2, &old_meta);
  std::string spec;
  AppendBytesField(1, "v", &spec);
  std::string view;
  AppendBytesField(2, old_meta, &view);
  AppendBytesField(1, spec, &view);
  AppendBytesField(2, old_meta, &view);
  std::string registry;
  AppendBytesField(6, view, &registry);
  ASSERT_OK_AND_ASSIGN(
      const std::string after,
      SpliceMaterialization(registry, {.project = "", .view = "v", .window = {}}, kStamp));
  EXPECT_EQ(Parsed(after).feature_views(0).meta().state(), feast::core::AVAILABLE_ONLINE);
  EXPECT_EQ(Parsed(after).feature_views(0).meta().materialization_intervals_size(), 1);
}

TEST(SpliceMaterializationTest, AViewThatVanishedIsAUserError) {
  EXPECT_FAULT(Fault::kUser, "no longer there",
               SpliceMaterialization(TestBytes("incremental.db"), Record("none"), kStamp));
  MaterializationRecord other = Record("inc_new");
  other.project = "another";
  EXPECT_FAULT(Fault::kUser, "feast apply",
               SpliceMaterialization(TestBytes("incremental.db"), other, kStamp));
}

TEST(SpliceMaterializationTest, CutBytesAreADataErrorOrAnotherRegistryButNeverACrash) {
  const std::string whole = TestBytes("incremental.db");
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto spliced = SpliceMaterialization(whole.substr(0, size), Record("inc_ttl"), kStamp);
    if (spliced.ok()) Parsed(*spliced);
  }
  EXPECT_FAULT(Fault::kData, "Damaged protobuf",
               SpliceMaterialization(whole.substr(0, 100), Record("inc_ttl"), kStamp));
}

TEST(SplitFieldsTest, RefusesWhatIsNoProtobuf) {
  const std::string_view damaged[] = {
      "\x80",                     // An endless tag.
      std::string_view("\0", 1),  // Field number 0.
      "\x0a\x05"
      "abc",  // Fewer bytes than said.
      "\x09"
      "1234567",  // A cut fixed64.
      "\x0d"
      "123",           // A cut fixed32.
      "\x08",          // A varint without value.
      "\x0f",          // Wire type 7.
      "\x0c",          // The end of no group.
      "\x0b\x08\x01",  // A group without end.
      "\x0b\x14",      // A group that another number ends.
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
  };
  for (const std::string_view bytes : damaged)
    EXPECT_FAULT(Fault::kData, "Damaged", SplitFields(bytes));
  EXPECT_FAULT(Fault::kData, "Damaged", SplitFields(std::string(500, '\x0b')));
  ASSERT_OK_AND_ASSIGN(const std::vector<WireField> fields,
                       SplitFields("\x0b\x08\x01\x0c\x12\x01x"));
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[1].value, "x");
  EXPECT_THAT(std::string(fields[0].all), StartsWith("\x0b"));
}

}  // namespace
}  // namespace banquet
