// `banquet get-online-features`: reads a few entities back from the online store.

#include <CLI/App.hpp>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/base/time_text.h"
#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/cli/text_table.h"
#include "banquet/encode/value_reader.h"
#include "banquet/engine/online_lookup.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;

struct LookupArguments {
  std::vector<std::string> features;
  std::string feature_service;
  std::vector<std::string> entities;
  bool full_feature_names = false;
};

// Splits at commas; "\," is a comma that belongs to the text.
std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += text[++i];
    } else if (text[i] == ',') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

Result<LookupQuery> QueryOf(const LookupArguments& arguments) {
  LookupQuery query{.features = {},
                    .feature_service = arguments.feature_service,
                    .entities = {},
                    .full_feature_names = arguments.full_feature_names};
  for (const std::string& list : arguments.features) {
    for (std::string& reference : SplitAtCommas(list))
      query.features.push_back(std::move(reference));
  }
  if (query.features.empty() == query.feature_service.empty()) {
    return UserError("Give either --features view:feature,… or --feature-service NAME");
  }
  for (const std::string& entity : arguments.entities) {
    auto& row = query.entities.emplace_back();
    if (entity.empty()) continue;
    for (const std::string& pair : SplitAtCommas(entity)) {
      const size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) {
        return UserError("Not an entity; write join_key=value[,join_key=value]: {}", entity);
      }
      if (!row.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
        return UserError("--entity gives {} twice; write one --entity per row: {}",
                         pair.substr(0, equals), entity);
      }
    }
  }
  if (query.entities.empty())
    query.entities.emplace_back();  // An entityless view needs no --entity.
  return query;
}

Json KeyAsJson(const LookupColumn& column, const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (column.key_is_number && error == std::errc() && end == text.data() + text.size())
    return number;
  return text;
}

// Feast's HTTP answer: feature names, then one result per name (feast-compat section 10).
Result<Json> AnswerAsJson(const std::vector<LookupColumn>& columns) {
  auto names = Json::array();
  auto results = Json::array();
  for (const LookupColumn& column : columns) {
    names.push_back(column.name);
    auto values = Json::array();
    auto statuses = Json::array();
    auto times = Json::array();
    for (const std::string& key : column.keys) {
      values.push_back(KeyAsJson(column, key));
      statuses.push_back("PRESENT");
      times.push_back(FormatRfc3339(0));
    }
    for (const LookupValue& value : column.values) {
      BANQUET_ASSIGN_OR_RETURN(const std::string text, ValueToJson(value.value_bytes));
      values.push_back(Json::parse(text));
      statuses.push_back(value.found ? "PRESENT" : "NOT_FOUND");
      times.push_back(FormatRfc3339(value.event_us));
    }
    results.push_back({{"values", values}, {"statuses", statuses}, {"event_timestamps", times}});
  }
  return Json{{"metadata", {{"feature_names", names}}}, {"results", results}};
}

std::string CellOf(const Json& value, const std::string& status) {
  if (status == "NOT_FOUND") return "-";
  if (value.is_null()) return "null";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One line per entity row; the last column is the newest event time of the row.
std::string AnswerAsTable(const Json& answer, size_t row_count) {
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& name : answer["metadata"]["feature_names"])
    rows[0].push_back(name.get<std::string>());
  rows[0].push_back("event_timestamp");
  for (size_t i = 0; i < row_count; ++i) {
    auto& row = rows.emplace_back();
    std::string newest;
    for (const auto& result : answer["results"]) {
      row.push_back(CellOf(result["values"][i], result["statuses"][i]));
      const auto time = result["event_timestamps"][i].get<std::string>();
      if (time != FormatRfc3339(0)) newest = std::max(newest, time);
    }
    row.push_back(newest.empty() ? "-" : newest);
  }
  return FormatTable(rows);
}

Result<int> RunLookup(const GlobalOptions& options, const LookupArguments& arguments) {
  BANQUET_ASSIGN_OR_RETURN(const LookupQuery query, QueryOf(arguments));
  BANQUET_ASSIGN_OR_RETURN(const Repository repository, OpenRepository(options));
  BANQUET_ASSIGN_OR_RETURN(const auto store, MakeOnlineStore(repository.config, {}, SystemClock()));
  BANQUET_ASSIGN_OR_RETURN(const LookupAnswer found,
                           LookUpOnline(*repository.contents, repository.config, *store, query));
  BANQUET_ASSIGN_OR_RETURN(const Json answer, AnswerAsJson(found.columns));
  for (const std::string& hint : found.hints) {
    if (!options.quiet) std::fprintf(stderr, "banquet: note: %s\n", hint.c_str());
  }
  if (options.json) {
    std::printf("%s\n", answer.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s", AnswerAsTable(answer, query.entities.size()).c_str());
  }
  return 0;
}

}  // namespace

void AddGetOnlineFeaturesCommand(CLI::App& app, CommandBody* body) {
  auto arguments = std::make_shared<LookupArguments>();
  CLI::App* command = app.add_subcommand("get-online-features",
                                         "Read features of entities back from the online store");
  command->add_option("--features", arguments->features, "view:feature,… (repeatable)")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_option("--feature-service", arguments->feature_service,
                      "All features of a feature service");
  command
      ->add_option("--entity", arguments->entities,
                   "join_key=value[,join_key=value]; one row each (repeatable)")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_flag("--full-feature-names", arguments->full_feature_names,
                    "Name columns view__feature");
  command->footer(
      "Example: two features of two drivers, one row each:\n"
      "  banquet get-online-features --features driver_hourly_stats:conv_rate,"
      "driver_hourly_stats:acc_rate \\\n"
      "    --entity driver_id=1001 --entity driver_id=1002");
  command->callback([body, arguments] {
    *body = [arguments](const GlobalOptions& options) {
      const Result<int> exit_code = RunLookup(options, *arguments);
      return exit_code.ok() ? *exit_code : ReportFailure(options, exit_code.status());
    };
  });
}

}  // namespace banquet
