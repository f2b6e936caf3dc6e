// `banquet feature-views`, `entities` and `data-sources`: what the registry holds.

#include <CLI/App.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "banquet/base/option_table.h"
#include "banquet/base/time_text.h"
#include "banquet/cli/command.h"
#include "banquet/cli/text_table.h"
#include "banquet/engine/view_columns_of.h"

namespace banquet {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string SourceText(const DataSource& source) {
  if (!source.uri.empty()) return source.uri;
  if (!source.table.empty()) return source.table;
  return source.query;
}

// Opens the repository and hands it to `print`; every listing begins so.
template <typename Print>
int WithRepository(const GlobalOptions& options, Print print) {
  const Result<Repository> repository = OpenRepository(options);
  if (!repository.ok()) return ReportFailure(options, repository.status());
  return print(*repository);
}

Json JsonOfFields(const std::vector<Field>& fields) {
  auto list = Json::array();
  for (const Field& field : fields)
    list.push_back({{"name", field.name}, {"type", NameOf(field.type)}});
  return list;
}

Json JsonOfView(const FeatureView& view) {
  auto intervals = Json::array();
  for (const TimeWindow& interval : view.materialization_intervals) {
    intervals.push_back(
        {{"start", FormatRfc3339(interval.start_us)}, {"end", FormatRfc3339(interval.end_us)}});
  }
  return {{"name", view.name},
          {"type", NameOf(view.kind)},
          {"entities", view.entities},
          {"entity_columns", JsonOfFields(view.entity_columns)},
          {"features", JsonOfFields(view.features)},
          {"ttl_seconds", view.ttl_us / 1'000'000},
          {"online", view.online},
          {"offline", view.offline},
          {"disabled", view.disabled},
          {"source", view.batch_source.has_value() ? Json(view.batch_source->name) : Json()},
          {"version", view.current_version_number},
          {"materialization_intervals", intervals},
          {"description", view.description},
          {"owner", view.owner},
          {"tags", view.tags}};
}

int ListFeatureViews(const GlobalOptions& options) {
  return WithRepository(options, [&](const Repository& repository) {
    Rows rows = {{"NAME", "ENTITIES", "TYPE", "FEATURES", "ONLINE", "MATERIALIZED UNTIL"}};
    auto list = Json::array();
    for (const FeatureView& view : repository.contents->feature_views) {
      if (view.project != repository.config.project) continue;
      list.push_back(JsonOfView(view));
      int64_t until_us = 0;
      for (const TimeWindow& interval : view.materialization_intervals)
        until_us = std::max(until_us, interval.end_us);
      rows.push_back({view.name, Joined(view.entities), std::string(NameOf(view.kind)),
                      std::to_string(view.features.size()), view.online ? "yes" : "no",
                      view.materialization_intervals.empty() ? "never" : FormatInstant(until_us)});
    }
    std::printf("%s", options.json ? (Dump(list) + "\n").c_str() : FormatTable(rows).c_str());
    return 0;
  });
}

void PrintView(const FeatureView& view) {
  std::printf("%s (%s)\n", view.name.c_str(), std::string(NameOf(view.kind)).c_str());
  if (!view.description.empty()) std::printf("  %s\n", view.description.c_str());
  std::printf("  entities    %s\n", Joined(view.entities).c_str());
  for (const Field& key : view.entity_columns) {
    std::printf("  join key    %s: %s\n", key.name.c_str(), std::string(NameOf(key.type)).c_str());
  }
  for (const Field& feature : view.features) {
    std::printf("  feature     %s: %s\n", feature.name.c_str(),
                std::string(NameOf(feature.type)).c_str());
  }
  if (view.ttl_us > 0)
    std::printf("  ttl         %s\n",
                FormatSeconds(static_cast<double>(view.ttl_us) / 1e6).c_str());
  std::printf("  online      %s\n", view.online ? "yes" : "no");
  if (view.batch_source.has_value()) {
    const DataSource& source = *view.batch_source;
    std::printf("  source      %s (%s) %s\n", source.name.c_str(),
                std::string(NameOf(source.type)).c_str(), SourceText(source).c_str());
    std::printf("  event time  %s\n", source.timestamp_field.c_str());
    if (!source.created_timestamp_column.empty()) {
      std::printf("  created     %s\n", source.created_timestamp_column.c_str());
    }
    for (const auto& [from, to] : source.field_mapping)
      std::printf("  mapping     %s -> %s\n", from.c_str(), to.c_str());
  }
  for (const TimeWindow& interval : view.materialization_intervals) {
    std::printf("  interval    %s .. %s\n", FormatInstant(interval.start_us).c_str(),
                FormatInstant(interval.end_us).c_str());
  }
}

int DescribeFeatureView(const GlobalOptions& options, const std::string& name) {
  return WithRepository(options, [&](const Repository& repository) {
    const FeatureView* view = repository.contents->FindView(repository.config.project, name);
    if (view == nullptr) {
      std::vector<std::string> names;
      for (const FeatureView& known : repository.contents->feature_views) {
        if (known.project == repository.config.project) names.push_back(known.name);
      }
      const std::string hint = DidYouMean(name, names);
      return ReportFailure(options,
                           UserError("Feature view {} does not exist in project {}.{}", name,
                                     repository.config.project,
                                     hint.empty() ? " See `banquet feature-views list`" : hint));
    }
    if (options.json) {
      std::printf("%s\n", Dump(JsonOfView(*view)).c_str());
    } else {
      PrintView(*view);
    }
    return 0;
  });
}

int ListEntities(const GlobalOptions& options) {
  return WithRepository(options, [&](const Repository& repository) {
    Rows rows = {{"NAME", "JOIN KEY", "TYPE", "DESCRIPTION"}};
    auto list = Json::array();
    for (const Entity& entity : repository.contents->entities) {
      if (entity.project != repository.config.project) continue;
      list.push_back({{"name", entity.name},
                      {"join_key", entity.join_key},
                      {"type", NameOf(entity.value_type)},
                      {"description", entity.description},
                      {"owner", entity.owner},
                      {"tags", entity.tags}});
      rows.push_back({entity.name, entity.join_key, std::string(NameOf(entity.value_type)),
                      entity.description});
    }
    std::printf("%s", options.json ? (Dump(list) + "\n").c_str() : FormatTable(rows).c_str());
    return 0;
  });
}

int ListDataSources(const GlobalOptions& options) {
  return WithRepository(options, [&](const Repository& repository) {
    Rows rows = {{"NAME", "TYPE", "LOCATION", "EVENT TIME"}};
    auto list = Json::array();
    for (size_t i = 0; i < repository.contents->data_sources.size(); ++i) {
      const DataSource& source = repository.contents->data_sources[i];
      if (repository.contents->data_source_projects[i] != repository.config.project) continue;
      list.push_back({{"name", source.name},
                      {"type", NameOf(source.type)},
                      {"location", SourceText(source)},
                      {"timestamp_field", source.timestamp_field},
                      {"created_timestamp_column", source.created_timestamp_column},
                      {"field_mapping", source.field_mapping}});
      rows.push_back({source.name, std::string(NameOf(source.type)), SourceText(source),
                      source.timestamp_field});
    }
    std::printf("%s", options.json ? (Dump(list) + "\n").c_str() : FormatTable(rows).c_str());
    return 0;
  });
}

}  // namespace

void AddRegistryCommands(CLI::App& app, CommandBody* body) {
  CLI::App* views = app.add_subcommand("feature-views", "What the registry knows of feature views");
  views->require_subcommand(1);
  views->add_subcommand("list", "One line per feature view")->callback([body] {
    *body = ListFeatureViews;
  });
  CLI::App* describe = views->add_subcommand("describe", "All of one feature view");
  auto name = std::make_shared<std::string>();
  describe->add_option("name", *name, "Feature view")->required();
  describe->footer("Example:\n  banquet feature-views describe driver_hourly_stats");
  describe->callback([body, name] {
    *body = [name](const GlobalOptions& options) { return DescribeFeatureView(options, *name); };
  });

  CLI::App* entities = app.add_subcommand("entities", "What the registry knows of entities");
  entities->require_subcommand(1);
  entities->add_subcommand("list", "One line per entity")->callback([body] {
    *body = ListEntities;
  });
  CLI::App* sources = app.add_subcommand("data-sources", "What the registry knows of data sources");
  sources->require_subcommand(1);
  sources->add_subcommand("list", "One line per data source")->callback([body] {
    *body = ListDataSources;
  });
  for (CLI::App* group : {views, entities, sources}) {
    group->fallthrough();
    for (CLI::App* command : group->get_subcommands({})) command->fallthrough();
  }
}

}  // namespace banquet
