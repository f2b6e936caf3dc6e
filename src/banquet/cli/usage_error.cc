#include "banquet/cli/usage_error.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "banquet/base/option_table.h"

namespace banquet {
namespace {

// The subcommands that were given, outermost first; begins with the program itself.
std::vector<const CLI::App*> CommandPath(const CLI::App& app) {
  std::vector<const CLI::App*> path = {&app};
  while (!path.back()->get_subcommands().empty()) {
    path.push_back(path.back()->get_subcommands().back());
  }
  return path;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> OptionsOf(const std::vector<const CLI::App*>& path) {
  std::vector<std::string> flags;
  for (const CLI::App* app : path) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  return flags;
}

// "-v", "--views=x"; not "-5", which is a number.
bool LooksLikeOption(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

std::string Listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// The word that nobody asked for, or that a command was expected instead of; "" if there is none.
std::string WhatIsUnknown(const std::vector<const CLI::App*>& path) {
  const std::vector<std::string> extras = path.front()->remaining(true);
  const auto option = std::ranges::find_if(extras, LooksLikeOption);
  const std::vector<std::string> commands = CommandsOf(*path.back());
  const auto word = std::ranges::find_if_not(extras, LooksLikeOption);
  if (!commands.empty()) {  // A command must follow here and did not.
    if (word == extras.end()) return "";
    const std::string hint = DidYouMean(*word, commands);
    return fmt::format("unknown command '{}'.{}", *word,
                       hint.empty() ? " The commands are: " + Listed(commands) + "." : hint);
  }
  if (option != extras.end()) {
    const std::string name = option->substr(0, option->find('='));
    const std::vector<std::string> known = OptionsOf(path);
    if (std::ranges::find(known, name) != known.end())
      return fmt::format("{} must stand behind the command.", name);
    return fmt::format("unknown option '{}'.{}", name, DidYouMean(name, OptionsOf(path)));
  }
  if (word != extras.end()) return fmt::format("one argument too many: '{}'.", *word);
  return "";
}

// The parser's own words, but for an option without its value: "--threads: 1 required TEXT
// missing".
std::string ParserWords(const CLI::Error& error) {
  const std::string text = error.what();
  const size_t colon = text.find(": ");
  if (error.get_name() == "ArgumentMismatch" && text.ends_with(" missing")) {
    return text.substr(0, colon) + " needs a value.";
  }
  return text + ".";
}

}  // namespace

Status UsageErrorOf(const CLI::App& app, const CLI::Error& error) {
  const std::vector<const CLI::App*> path = CommandPath(app);
  std::string names;
  for (size_t i = 1; i < path.size(); ++i) names += path[i]->get_name() + " ";
  std::string what = WhatIsUnknown(path);
  if (what.empty()) {
    const std::vector<std::string> commands = CommandsOf(*path.back());
    what =
        commands.empty() ? ParserWords(error) : "a command is missing: " + Listed(commands) + ".";
  }
  const std::string prefix = names.empty() ? "" : names.substr(0, names.size() - 1) + ": ";
  return UserError("{}{} See `banquet {}--help`", prefix, what, names);
}

}  // namespace banquet
