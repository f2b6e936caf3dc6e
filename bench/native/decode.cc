// `decode`: nothing but decoding columns of a Parquet file; the ceiling of every read path.

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "arrow/io/file.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/base/memory_budget.h"
#include "bench/native/command.h"
#include "bench/native/meters.h"
#include "parquet/arrow/reader.h"

namespace banquet::bench {
namespace {

constexpr int64_t kBatchRows = 64 * 1024;

struct DecodeArguments {
  std::string file;
  std::vector<std::string> columns;
  int threads = 2;
};

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(const std::string& path) {
  BANQUET_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(path));
  parquet::arrow::FileReaderBuilder builder;
  BANQUET_RETURN_NOT_OK(builder.Open(file));
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(kBatchRows);
  properties.set_pre_buffer(false);
  builder.properties(properties);
  return builder.Build();
}

Result<std::vector<int>> IndicesOf(parquet::arrow::FileReader& reader,
                                   const std::vector<std::string>& names) {
  std::shared_ptr<arrow::Schema> schema;
  BANQUET_RETURN_NOT_OK(reader.GetSchema(&schema));
  std::vector<int> indices;
  for (const std::string& name : names) {
    const int index = schema->GetFieldIndex(name);
    if (index < 0) return UserError("The file has no column {}", name);
    indices.push_back(index);
  }
  return indices;
}

// Decodes row groups until none is left.
Result<int64_t> DecodeRowGroups(const DecodeArguments& arguments, std::atomic<int>* next) {
  BANQUET_ASSIGN_OR_RETURN(const auto reader, OpenReader(arguments.file));
  BANQUET_ASSIGN_OR_RETURN(const std::vector<int> columns, IndicesOf(*reader, arguments.columns));
  int64_t rows = 0;
  for (int group = next->fetch_add(1); group < reader->num_row_groups();
       group = next->fetch_add(1)) {
    BANQUET_ASSIGN_OR_RETURN(const auto batches, reader->GetRecordBatchReader({group}, columns));
    while (true) {
      BANQUET_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, batches->Next());
      if (batch == nullptr) break;
      rows += batch->num_rows();
    }
  }
  return rows;
}

Status RunDecode(const DecodeArguments& arguments) {
  std::atomic<int> next = 0;
  std::vector<Result<int64_t>> rows(arguments.threads, int64_t{0});
  const double began = Now();
  {
    std::vector<std::jthread> threads;
    for (Result<int64_t>& mine : rows) {
      threads.emplace_back([&] { mine = DecodeRowGroups(arguments, &next); });
    }
  }
  const double seconds = Now() - began;
  int64_t total = 0;
  for (const Result<int64_t>& mine : rows) {
    BANQUET_RETURN_NOT_OK(mine.status());
    total += *mine;
  }
  fmt::print("{{\"seconds\": {:.6f}, \"rows\": {}, \"peak_memory_bytes\": {}}}\n", seconds, total,
             PeakMemoryBytes());
  return Status::OK();
}

}  // namespace

void AddDecodeCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<DecodeArguments>();
  CLI::App* command = app.add_subcommand("decode", "Decode columns of a Parquet file");
  command->add_option("--file", arguments->file)->required();
  command->add_option("--columns", arguments->columns, "Names, with commas between")
      ->required()
      ->delimiter(',');
  command->add_option("--threads", arguments->threads, "One reader each, on row groups of its own");
  command->callback([body, arguments] { *body = [arguments] { return RunDecode(*arguments); }; });
}

}  // namespace banquet::bench
