#include "banquet/engine/engine_set.h"

#include <algorithm>
#include <utility>

namespace banquet {

EngineSet::EngineSet(std::unique_ptr<ComputeEngine> of_all) {
  engines_.push_back(std::move(of_all));
}

void EngineSet::Add(std::unique_ptr<ComputeEngine> engine, const std::vector<std::string>& views) {
  for (const std::string& view : views) own_[view] = engines_.size();
  engines_.push_back(std::move(engine));
}

ComputeEngine& EngineSet::Of(const std::string& view) const {
  const auto own = own_.find(view);
  return *engines_[own == own_.end() ? 0 : own->second];
}

ReachOf EngineSet::reach() const {
  return [this](const std::string& view) { return Of(view).reach(); };
}

Jobs EngineSet::Materialize(const ExecutionContext& context, std::vector<SelectedTask> tasks) {
  std::map<ComputeEngine*, std::vector<size_t>> places;
  for (size_t i = 0; i < tasks.size(); ++i) places[&Of(tasks[i].task.view.name)].push_back(i);
  context_ = context;
  context_.engines = static_cast<int>(std::max<size_t>(1, places.size()));
  Jobs jobs(tasks.size());
  for (const auto& [engine, own] : places) {
    std::vector<SelectedTask> of_engine;
    for (const size_t i : own) of_engine.push_back(std::move(tasks[i]));
    const Jobs made = engine->Materialize(context_, std::move(of_engine));
    for (size_t i = 0; i < own.size(); ++i) jobs[own[i]] = made[i];
  }
  return jobs;
}

}  // namespace banquet
