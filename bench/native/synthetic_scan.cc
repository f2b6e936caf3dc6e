#include "bench/native/synthetic_scan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "arrow/array/array_primitive.h"
#include "arrow/buffer.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "banquet/model/scan_request.h"

namespace banquet::bench {
namespace {

constexpr int64_t kBatchRows = 64 * 1024;
constexpr int64_t kFragmentRows = 16 * kBatchRows;
constexpr int64_t kFirstEvent_us = 1'767'225'600'000'000;  // 2026-01-01
constexpr int64_t kDisorder_us = 4'000'000;                // Events are 1 ms apart.

// splitmix64: every bit of the result depends on every bit of the position.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

template <typename Make>
Result<std::shared_ptr<arrow::Buffer>> Words(int64_t first, int64_t count, Make make) {
  BANQUET_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(8 * count));
  uint8_t* out = buffer->mutable_data();
  for (int64_t i = 0; i < count; ++i) {
    const auto word = make(static_cast<uint64_t>(first + i));
    static_assert(sizeof(word) == 8);
    std::memcpy(out + 8 * i, &word, 8);
  }
  return buffer;
}

std::string FeatureName(int feature) { return fmt::format("f{}", feature); }

std::shared_ptr<arrow::DataType> TimeType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeColumns(const SyntheticRows& rows,
                                                        std::span<const int> columns, int64_t first,
                                                        int64_t count) {
  const auto keys = static_cast<uint64_t>(rows.keys);
  const std::shared_ptr<arrow::Schema> whole = SchemaOf(rows);
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const int column : columns) {
    fields.push_back(whole->field(column));
    if (column == 0) {
      // A multiplication spreads 32 random bits over the keys, without a division.
      BANQUET_ASSIGN_OR_RETURN(auto key, Words(first, count, [keys](uint64_t row) {
                                 return static_cast<int64_t>(((Mix(row) >> 32) * keys) >> 32);
                               }));
      arrays.push_back(std::make_shared<arrow::Int64Array>(count, std::move(key)));
      continue;
    }
    const uint64_t seed = Mix(static_cast<uint64_t>(column));
    BANQUET_ASSIGN_OR_RETURN(auto values, Words(first, count, [seed](uint64_t row) {
                               return static_cast<double>(Mix(row ^ seed) >> 11) * 0x1p-53;
                             }));
    arrays.push_back(std::make_shared<arrow::DoubleArray>(count, std::move(values)));
  }
  BANQUET_ASSIGN_OR_RETURN(auto event, Words(first, count, [](uint64_t row) {
                             const auto disorder =
                                 static_cast<int64_t>(Mix(~row) % uint64_t{kDisorder_us});
                             return kFirstEvent_us + static_cast<int64_t>(row) * 1000 + disorder;
                           }));
  fields.push_back(whole->fields().back());
  arrays.push_back(std::make_shared<arrow::TimestampArray>(TimeType(), count, std::move(event)));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(arrays));
}

class SyntheticReader final : public FragmentReader {
 public:
  SyntheticReader(const SyntheticRows& rows, std::span<const int> columns, int64_t first,
                  int64_t end)
      : rows_(rows), columns_(columns.begin(), columns.end()), next_(first), end_(end) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ == end_) return nullptr;
    const int64_t first = next_;
    next_ = std::min(end_, first + kBatchRows);
    return MakeColumns(rows_, columns_, first, next_ - first);
  }
  int64_t bytes_read() const override { return 0; }

 private:
  const SyntheticRows rows_;
  const std::vector<int> columns_;
  int64_t next_;
  const int64_t end_;
};

class SyntheticFragment final : public ScanFragment {
 public:
  SyntheticFragment(const SyntheticRows& rows, int64_t first, int64_t end)
      : rows_(rows), first_(first), end_(end) {}
  int64_t rows() const override { return end_ - first_; }
  int64_t first_row() const override { return first_; }
  Result<std::unique_ptr<FragmentReader>> Open(std::span<const int> columns) const override {
    return std::make_unique<SyntheticReader>(rows_, columns, first_, end_);
  }

 private:
  const SyntheticRows rows_;
  const int64_t first_;
  const int64_t end_;
};

class SyntheticStore final : public OfflineStore {
 public:
  explicit SyntheticStore(const SyntheticRows& rows) : rows_(rows) {}
  ScanCapabilities capabilities() const override { return {}; }
  Result<Scan> OpenScan(const ScanRequest&) override {
    Scan scan;
    scan.schema = SchemaOf(rows_);
    scan.columns = 1 + rows_.features;
    scan.summary.rows = rows_.rows;
    for (int64_t first = 0; first < rows_.rows; first += kFragmentRows) {
      scan.fragments.push_back(std::make_unique<SyntheticFragment>(
          rows_, first, std::min(rows_.rows, first + kFragmentRows)));
    }
    return scan;
  }

 private:
  const SyntheticRows rows_;
};

}  // namespace

std::shared_ptr<arrow::Schema> SchemaOf(const SyntheticRows& rows) {
  arrow::FieldVector fields = {arrow::field("k", arrow::int64())};
  for (int i = 0; i < rows.features; ++i) {
    fields.push_back(arrow::field(FeatureName(i), arrow::float64()));
  }
  fields.push_back(arrow::field(kEventTimeColumn, TimeType()));
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(const SyntheticRows& rows, int64_t first,
                                                      int64_t count) {
  std::vector<int> all(static_cast<size_t>(1 + rows.features));
  std::iota(all.begin(), all.end(), 0);
  return MakeColumns(rows, all, first, count);
}

std::unique_ptr<OfflineStore> MakeSyntheticStore(const SyntheticRows& rows) {
  return std::make_unique<SyntheticStore>(rows);
}

ViewColumns SyntheticView(const SyntheticRows& rows) {
  ViewColumns view{.project = "bench", .view = "synthetic", .join_keys = {}, .features = {}};
  view.join_keys.push_back({.name = "k", .type = ValueType::kInt64});
  for (int i = 0; i < rows.features; ++i) {
    view.features.push_back({.name = FeatureName(i), .type = ValueType::kDouble});
  }
  return view;
}

ExecutionPlan SyntheticPlan(const SyntheticRows& rows) {
  const ViewColumns view = SyntheticView(rows);
  std::vector<PlanNode> nodes;
  nodes.emplace_back(ScanNode{});
  nodes.emplace_back(LatestNode{.input = 0, .join_keys = view.join_keys, .entity_key_version = 3});
  nodes.emplace_back(WriteNode{.input = 1, .views = {view}});
  return ExecutionPlan(std::move(nodes));
}

}  // namespace banquet::bench
