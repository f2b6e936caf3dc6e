#include "banquet/offline/parquet/parquet_store.h"

#include <string>
#include <string_view>
#include <utility>

#include "banquet/base/option_table.h"
#include "banquet/offline/parquet/scan_planner.h"

namespace banquet::parquet_store {
namespace {

class ParquetStore final : public OfflineStore {
 public:
  explicit ParquetStore(const OfflineStoreContext& context) : stores_(context) {}

  ScanCapabilities capabilities() const override { return {}; }

  Result<Scan> OpenScan(const ScanRequest& request) override {
    Result<Scan> scan = PlanScan(request, &stores_);
    if (!scan.ok()) return Annotate(scan.status(), "data source " + request.source.name);
    return scan;
  }

 private:
  SourceStores stores_;
};

}  // namespace

Result<std::unique_ptr<OfflineStore>> MakeStore(const ConfigNode& block,
                                                const OfflineStoreContext& context) {
  // `offline_store: file` and no block at all say nothing but the type.
  if (block.kind == ConfigNode::Kind::kMap) {
    // DuckDB's options say where it stages and how it finds S3; neither has a part in reading
    // files.
    static constexpr std::string_view kFileKeys[] = {"type"};
    static constexpr std::string_view kDuckdbKeys[] = {"type", "staging_location",
                                                       "staging_location_endpoint_override"};
    const ConfigNode* type = block.Find("type");
    const bool is_duckdb = type != nullptr && type->scalar == "duckdb";
    const std::span<const std::string_view> known =
        is_duckdb ? std::span<const std::string_view>(kDuckdbKeys) : kFileKeys;
    BANQUET_RETURN_NOT_OK(OptionValues::Parse({}, block, "offline_store", known).status());
  }
  return std::make_unique<ParquetStore>(context);
}

SourceReach Reach() {
  return {.words =
              "file sources (Parquet), a SparkSource by batch_engine: spark.engine, and a "
              "PostgreSQLSource by offline_store: {type: postgres}",
          .sources = {SourceType::kFile}};
}

}  // namespace banquet::parquet_store
