// Files that are damaged or change: always a data error with the file's name, or the right rows.

#include <unistd.h>

#include <iostream>
#include <random>

#include "banquet/offline/parquet/parquet_file.h"
#include "banquet/offline/parquet/parquet_fixtures.h"
#include "parquet/file_writer.h"
#include "parquet/metadata.h"
#include "parquet/schema.h"

namespace banquet::parquet_store {
namespace {

constexpr int kTruncations = 64;
constexpr int kFlips = 400;

// A small file with several kinds of columns and pages.
std::string SmallFile(const TempFolder& folder) {
  const std::string path = folder.Make("small.parquet");
  std::string ids = "[0", texts = R"(["t0")", lists = "[[0]";
  for (int i = 1; i < 300; ++i) {
    ids += "," + std::to_string(i);
    texts += R"(,"t)" + std::to_string(i % 7) + "\"";
    lists += ",[" + std::to_string(i) + ",null]";
  }
  WriteParquet(path,
               {{"id", arrow::int64(), ids + "]"},
                {"event_timestamp", Micros(), ids + "]"},
                {"text", arrow::utf8(), texts + "]"},
                {"list", arrow::list(arrow::int32()), lists + "]"}},
               {.row_group_rows = 100});
  return path;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ScanRequest SmallRequest(const std::string& path, bool keep_dictionaries = false) {
  ScanRequest request = RequestOf(path, {"id", "text", "list"});
  request.keep_dictionaries = keep_dictionaries;
  return request;
}

TEST(DamagedFiles, EmptyAndForeignFilesAreNamed) {
  const TempFolder folder;
  EXPECT_FAULT(Fault::kData, "empty (0 bytes): " + folder.path() + "/e.parquet",
               OpenScan(RequestOf(folder.WriteText("e.parquet", ""))));
  EXPECT_FAULT(Fault::kData, folder.path() + "/csv.parquet",
               OpenScan(RequestOf(folder.WriteText("csv.parquet", "id,event_timestamp\n1,2\n"))));
  EXPECT_FAULT(Fault::kData, folder.path() + "/p.parquet",
               OpenScan(RequestOf(folder.WriteText("p.parquet", "PAR1"))));
}

TEST(DamagedFiles, EveryTruncationIsADataErrorWithTheFilesName) {
  const TempFolder folder;
  const std::string path = SmallFile(folder);
  const std::string whole = Content(path);
  EXPECT_OK(ReadSource(SmallRequest(path)));
  for (int part = 0; part < kTruncations; ++part) {
    SCOPED_TRACE(part);
    folder.WriteText("small.parquet", whole.substr(0, whole.size() * part / kTruncations));
    EXPECT_FAULT(Fault::kData, path, ReadSource(SmallRequest(path)));
  }
}

// No checksums lie in the file, so a flip may give other values; it must not give other counts or
// invalid arrays, and never a crash.
TEST(DamagedFiles, FlippedBitsGiveADataErrorOrWellFormedRows) {
  const TempFolder folder;
  const std::string path = SmallFile(folder);
  const std::string whole = Content(path);
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  int refused = 0;
  for (int i = 0; i < kFlips; ++i) {
    std::string damaged = whole;
    // Every other flip hits the footer, where the structure is.
    const size_t from = i % 2 == 0 ? 0 : whole.size() * 3 / 4;
    const size_t at = std::uniform_int_distribution<size_t>(from, whole.size() - 1)(random);
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    SCOPED_TRACE("byte " + std::to_string(at));
    folder.WriteText("small.parquet", damaged);
    const auto read = ReadSource(SmallRequest(path, /*keep_dictionaries=*/i % 4 < 2));
    if (read.ok()) continue;
    ++refused;
    // A flipped letter of a text is no valid UTF-8 any more: ValidateFull says so, not the store.
    if (read.status().message().find("UTF8") != std::string::npos) continue;
    EXPECT_FAULT(Fault::kData, path, read);
  }
  EXPECT_GT(refused, 0);
}

// Indices of a dictionary are used to read from it: one beyond its end must not come through.
TEST(DamagedFiles, AnIndexBeyondItsDictionaryIsADataError) {
  const TempFolder folder;
  const std::string path = SmallFile(folder);
  const std::string whole = Content(path);
  ASSERT_OK_AND_ASSIGN(const auto file, ParquetFile::Open(path, MakeLocalAccess()));
  const auto chunk = file->metadata().RowGroup(0)->ColumnChunk(2);
  const auto begin = static_cast<size_t>(chunk->data_page_offset());
  const auto end =
      static_cast<size_t>(chunk->dictionary_page_offset() + chunk->total_compressed_size());
  ASSERT_LT(begin, end);
  int beyond = 0;
  for (size_t at = begin; at < end; ++at) {
    SCOPED_TRACE("byte " + std::to_string(at));
    std::string damaged = whole;
    damaged[at] = '\xff';
    folder.WriteText("small.parquet", damaged);
    const auto read = ReadSource(SmallRequest(path, /*keep_dictionaries=*/true));
    if (read.ok()) continue;
    EXPECT_FAULT(Fault::kData, path, read);
    beyond += read.status().message().find("out of bounds") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(beyond, 0);
}

// A footer that claims more rows than positions can count, though none of them is read.
TEST(DamagedFiles, MoreRowsThanPositionsIsADataError) {
  const TempFolder folder;
  const std::string path = folder.Make("many.parquet");
  parquet::schema::NodeVector fields = {parquet::schema::PrimitiveNode::Make(
      "event_timestamp", parquet::Repetition::REQUIRED,
      parquet::LogicalType::Timestamp(true, parquet::LogicalType::TimeUnit::MICROS),
      parquet::Type::INT64)};
  parquet::SchemaDescriptor schema;
  schema.Init(
      parquet::schema::GroupNode::Make("schema", parquet::Repetition::REQUIRED, std::move(fields)));
  auto footer = parquet::FileMetaDataBuilder::Make(&schema, parquet::default_writer_properties());
  constexpr int64_t kRows = int64_t{1} << 50;
  parquet::RowGroupMetaDataBuilder* group = footer->AppendRowGroup();
  group->set_num_rows(kRows);
  group->NextColumnChunk()->Finish(kRows, 0, 0, 4, 8, 8, false, false, {}, {});
  group->Finish(8);
  ASSERT_OK_AND_ASSIGN(auto file, arrow::io::FileOutputStream::Open(path));
  parquet::WriteMetaDataFile(*footer->Finish(), file.get());
  ASSERT_OK(file->Close());
  EXPECT_FAULT(Fault::kData, "more rows than can be told apart", OpenScan(RequestOf(path, {})));
}

TEST(DamagedFiles, PageChecksumsAreHeld) {
  const TempFolder folder;
  const std::string path = folder.Make("sums.parquet");
  const auto table = arrow::Table::Make(
      arrow::schema(
          {arrow::field("id", arrow::int64()), arrow::field("event_timestamp", Micros())}),
      {FromJson(arrow::int64(), "[72623859790382856]"), FromJson(Micros(), "[1]")});
  ASSERT_OK_AND_ASSIGN(auto file, arrow::io::FileOutputStream::Open(path));
  ASSERT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 100,
                                       parquet::WriterProperties::Builder()
                                           .enable_page_checksum()
                                           ->disable_dictionary()
                                           ->disable_statistics()
                                           ->build()));
  ASSERT_OK(file->Close());
  std::string content = Content(path);
  const size_t at = content.find("\x08\x07\x06\x05\x04\x03\x02\x01");
  ASSERT_NE(at, std::string::npos);
  content[at] = 9;
  folder.WriteText("sums.parquet", content);
  EXPECT_FAULT(Fault::kData, path, ReadSource(RequestOf(path)));
}

TEST(ChangedFiles, ReplacedBetweenPlanAndOpenIsADataError) {
  const TempFolder folder;
  const std::string path = folder.Make("t.parquet");
  WriteIds(path, "[1]");
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(RequestOf(path)));
  WriteIds(folder.Make("next.parquet"), "[2]");
  std::filesystem::rename(folder.path() + "/next.parquet", path);
  EXPECT_FAULT(Fault::kData, "changed while it was being read", ReadScan(scan));
  std::filesystem::remove(path);
  EXPECT_FAULT(Fault::kData, "changed while it was being read", ReadScan(scan));
}

TEST(ChangedFiles, ReplacedByRenameWhileOpenIsReadToItsEnd) {
  const TempFolder folder;
  const std::string path = folder.Make("t.parquet");
  WriteIds(path, "[1]");
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(RequestOf(path)));
  ASSERT_OK_AND_ASSIGN(const auto reader, scan.fragments[0]->Open(scan.AllColumns()));
  WriteIds(folder.Make("next.parquet"), "[2]");
  std::filesystem::rename(folder.path() + "/next.parquet", path);
  ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
  EXPECT_TRUE(batch->column(0)->Equals(FromJson(arrow::int64(), "[1]")));
  ASSERT_OK_AND_ASSIGN(const auto end, reader->Next());
  EXPECT_EQ(end, nullptr);
}

TEST(ChangedFiles, WrittenInPlaceWhileOpenIsADataError) {
  const TempFolder folder;
  const std::string path = folder.Make("t.parquet");
  WriteIds(path, "[1]");
  ASSERT_OK_AND_ASSIGN(const Scan scan, OpenScan(RequestOf(path)));
  ASSERT_OK_AND_ASSIGN(const auto reader, scan.fragments[0]->Open(scan.AllColumns()));
  EXPECT_OK(reader->Next());
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_FAULT(Fault::kData, "changed while it was being read", reader->Next());
}

}  // namespace
}  // namespace banquet::parquet_store
