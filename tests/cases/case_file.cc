#include "tests/cases/case_file.h"

#include <cctype>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace banquet {
namespace {

std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words;
  for (size_t i = 0; i < line.size();) {
    if (std::isspace(static_cast<unsigned char>(line[i])) != 0) {
      ++i;
      continue;
    }
    std::string word;
    bool quoted = false;
    for (; i < line.size() && (quoted || std::isspace(static_cast<unsigned char>(line[i])) == 0);
         ++i) {
      if (line[i] == '"') quoted = !quoted;
      word += line[i];
    }
    words.push_back(word);
  }
  return words;
}

std::optional<ValueType> TypeOf(const std::string& word) {
  if (word == "int64") return ValueType::kInt64;
  if (word == "int32") return ValueType::kInt32;
  if (word == "float64") return ValueType::kDouble;
  if (word == "float32") return ValueType::kFloat;
  if (word == "string") return ValueType::kString;
  if (word == "bool") return ValueType::kBool;
  if (word == "timestamp") return ValueType::kUnixTimestamp;
  return std::nullopt;
}

Result<Field> ParseField(const std::string& word) {
  const size_t colon = word.find(':');
  const std::optional<ValueType> type =
      colon == std::string::npos ? std::nullopt : TypeOf(word.substr(colon + 1));
  if (!type.has_value()) return UserError("Not a column; write name:type: {}", word);
  return Field{.name = word.substr(0, colon), .type = *type, .tags = {}, .description = {}};
}

Result<CaseView> ParseView(const std::vector<std::string>& words) {
  CaseView view;
  if (words.size() < 2) return UserError("view needs a name: {} words", words.size());
  view.name = words[1];
  for (size_t i = 2; i + 1 < words.size(); i += 2) {
    const std::string& what = words[i];
    const std::string& value = words[i + 1];
    if (what == "key") {
      BANQUET_ASSIGN_OR_RETURN(view.keys.emplace_back(), ParseField(value));
    } else if (what == "feature") {
      BANQUET_ASSIGN_OR_RETURN(view.features.emplace_back(), ParseField(value));
    } else if (what == "time") {
      view.time = value;
    } else if (what == "created") {
      view.created = value;
    } else if (what == "ttl") {
      view.ttl = value;
    } else {
      return UserError("Unknown word in view: {}", what);
    }
  }
  return view;
}

// The step of one unindented line; a table's rows are added by the caller.
Result<CaseStep> ParseStep(const std::vector<std::string>& words) {
  const std::string& verb = words[0];
  if (verb == "rows") return CaseStep(RowsStep{});
  if (verb == "expect") return CaseStep(ExpectStep{});
  if (verb == "materialize" && words.size() == 3)
    return CaseStep(MaterializeStep{false, words[1], words[2]});
  if (verb == "materialize-incremental" && words.size() == 2)
    return CaseStep(MaterializeStep{true, "", words[1]});
  if (verb == "option" && words.size() == 3) return CaseStep(OptionStep{words[1], words[2]});
  if (verb == "fails" && words.size() == 2)
    return CaseStep(FailStep{words[1].substr(1, words[1].size() - 2)});
  if (verb == "report") {
    ReportStep step;
    for (size_t i = 1; i < words.size(); ++i) {
      const size_t equals = words[i].find('=');
      if (equals == std::string::npos)
        return UserError("Not a count; write name=number: {}", words[i]);
      step.counts[words[i].substr(0, equals)] = std::atoll(words[i].c_str() + equals + 1);
    }
    return CaseStep(std::move(step));
  }
  return UserError("Unknown step, or a wrong number of words: {}", verb);
}

CaseTable* TableOf(CaseStep* step) {
  if (auto* rows = std::get_if<RowsStep>(step)) return &rows->table;
  if (auto* expect = std::get_if<ExpectStep>(step)) return &expect->table;
  return nullptr;
}

}  // namespace

Result<CaseFile> ParseCaseFile(const std::string& path, const std::string& text) {
  CaseFile file{.path = path, .view = {}, .steps = {}};
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::vector<std::string> words = Words(line);
    if (words.empty() || words[0][0] == '#') continue;
    const std::string where = path + ":" + std::to_string(number);
    if (line[0] == ' ') {
      CaseTable* table = file.steps.empty() ? nullptr : TableOf(&file.steps.back().step);
      if (table == nullptr)
        return UserError("{}: an indented line belongs to rows or expect", where);
      if (!table->empty() && table->front().size() != words.size()) {
        return UserError("{}: {} cells, {} columns", where, words.size(), table->front().size());
      }
      table->push_back(words);
    } else if (words[0] == "view") {
      Result<CaseView> view = ParseView(words);
      if (!view.ok()) return Annotate(view.status(), where);
      file.view = std::move(*view);
    } else {
      Result<CaseStep> step = ParseStep(words);
      if (!step.ok()) return Annotate(step.status(), where);
      file.steps.push_back({number, std::move(*step)});
    }
  }
  if (file.view.name.empty()) return UserError("{}: no view", path);
  return file;
}

}  // namespace banquet
