// `banquet stores` and `banquet options`: every option, from the tables that parse them.

#include <CLI/App.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/base/option_table.h"
#include "banquet/builtin/products.h"
#include "banquet/cli/command.h"
#include "banquet/cli/text_table.h"

namespace banquet {
namespace {

std::string_view TypeWord(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kText:
      return "text";
    case OptionType::kSecret:
      return "secret";
    case OptionType::kBool:
      return "bool";
    case OptionType::kInt:
      return "int";
    case OptionType::kFloat:
      return "float";
    case OptionType::kBytes:
      return "bytes";
    case OptionType::kSeconds:
      return "duration";
    case OptionType::kChoice:
      return spec.choices;
    case OptionType::kTextList:
      return "list";
    case OptionType::kNode:
      return "block";
  }
  return "";
}

std::vector<std::vector<std::string>> RowsOf(std::span<const OptionSpec> table) {
  std::vector<std::vector<std::string>> rows = {{"  OPTION", "TYPE", "DEFAULT", "UNIT", "MEANING"}};
  for (const OptionSpec& spec : table) {
    rows.push_back({"  " + std::string(spec.name), std::string(TypeWord(spec)),
                    std::string(spec.default_value), std::string(spec.unit),
                    std::string(spec.meaning)});
  }
  return rows;
}

nlohmann::ordered_json JsonOf(std::span<const OptionSpec> table) {
  auto options = nlohmann::ordered_json::array();
  for (const OptionSpec& spec : table) {
    options.push_back({{"name", spec.name},
                       {"type", TypeWord(spec)},
                       {"default", spec.default_value},
                       {"unit", spec.unit},
                       {"meaning", spec.meaning},
                       {"required", spec.required}});
  }
  return options;
}

int PrintStores(const GlobalOptions& options) {
  auto stores = nlohmann::ordered_json::array();
  for (const OnlineStoreProduct& product : OnlineStoreProducts()) {
    if (options.json) {
      stores.push_back({{"type", product.type}, {"options", JsonOf(product.options())}});
    } else {
      std::printf("%s\n%s\n", std::string(product.type).c_str(),
                  FormatTable(RowsOf(product.options())).c_str());
    }
  }
  if (options.json) std::printf("%s\n", stores.dump().c_str());
  return 0;
}

int PrintRunOptions(const GlobalOptions& options) {
  if (options.json) {
    std::printf("%s\n", JsonOf(RunOptionTable()).dump().c_str());
  } else {
    std::printf("banquet:\n%s", FormatTable(RowsOf(RunOptionTable())).c_str());
  }
  return 0;
}

}  // namespace

void AddStoresCommand(CLI::App& app, CommandBody* body) {
  app.add_subcommand("stores", "List the online stores and every option of each")->callback([body] {
    *body = PrintStores;
  });
  app.add_subcommand("options", "List Banquet's own options (the banquet: block)")
      ->callback([body] { *body = PrintRunOptions; });
}

}  // namespace banquet
