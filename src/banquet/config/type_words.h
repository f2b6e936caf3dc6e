#pragma once
// The words and class paths by which feature_store.yaml names stores and engines
// (feast-compat 1.4).

#include <string>

namespace banquet {

// Class paths of Feast's own classes, old contrib ones too, become their short words; other text
// stays as it is.
std::string OnlineStoreWord(const std::string& type);
std::string OfflineStoreWord(const std::string& type);
std::string BatchEngineWord(const std::string& type);

// Our plug-in, as Feast names it; see RepoConfig::batch_engine.
inline constexpr char kFeastEngineClass[] = "banquet.feast.BanquetEngine";

}  // namespace banquet
