#pragma once
// The rows of a case as an offline store.

#include <memory>

#include "banquet/offline/offline_store.h"
#include "tests/cases/case_file.h"

namespace banquet {

// Gives the table's columns typed as the view says, three rows a fragment, so that even small cases
// cross fragments. The word null is a null.
class CaseSource final : public OfflineStore {
 public:
  CaseSource(CaseView view, CaseTable table) : view_(std::move(view)), table_(std::move(table)) {}
  ScanCapabilities capabilities() const override { return {}; }
  Result<Scan> OpenScan(const ScanRequest& request) override;

 private:
  const CaseView view_;
  const CaseTable table_;
};

}  // namespace banquet
