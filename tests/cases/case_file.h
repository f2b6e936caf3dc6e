#pragma once
// A case file, parsed: one view, then steps of rows, materialize and expect (grammar in README.md
// beside this file).

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "banquet/base/status.h"
#include "banquet/model/field.h"

namespace banquet {

using CaseTable = std::vector<std::vector<std::string>>;  // First row: the head.

struct CaseView {
  std::string name;
  std::vector<Field> keys;
  std::vector<Field> features;
  std::string time;
  std::string created;
  std::string ttl;
};
struct RowsStep {
  CaseTable table;
};
struct MaterializeStep {
  bool incremental = false;
  std::string start;
  std::string end;
};
struct ExpectStep {
  CaseTable table;
};
struct ReportStep {  // Counts of the last materialize: read=3 duplicates=1 written=2 …
  std::map<std::string, int64_t> counts;
};
struct FailStep {  // The last materialize failed, and its message has this text in it.
  std::string text;
};
struct OptionStep {  // One option of banquet:.
  std::string name;
  std::string value;
};
using CaseStep =
    std::variant<RowsStep, MaterializeStep, ExpectStep, ReportStep, FailStep, OptionStep>;

struct CaseFile {
  std::string path;
  CaseView view;
  struct Line {
    int number = 0;
    CaseStep step;
  };
  std::vector<Line> steps;
};

Result<CaseFile> ParseCaseFile(const std::string& path, const std::string& text);

}  // namespace banquet
