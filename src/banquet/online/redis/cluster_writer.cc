#include "banquet/online/redis/cluster_writer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace banquet::redis {
namespace {

class ClusterWriter final : public OnlineWriter {
 public:
  ClusterWriter(ClusterNodes* nodes, std::span<const ViewColumns> views)
      : nodes_(nodes), views_(views.begin(), views.end()) {}

  Status Write(std::shared_ptr<const EncodedBatch> batch, RowSelection rows) override {
    BANQUET_ASSIGN_OR_RETURN(view_, nodes_->View());
    std::map<RedisNode*, std::vector<uint32_t>> by_node;
    std::string key;
    const size_t count = rows.Count(batch->rows);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows.At(i);
      key.assign(batch->keys[row]);
      key += views_.front().project;
      by_node[view_->NodeOf(key)].push_back(row);
    }
    for (auto& [node, of_node] : by_node) {
      if (node == nullptr) {
        LeaveUndecided(of_node);
        continue;
      }
      const std::vector<uint32_t>& kept = portions_.emplace_back(node, std::move(of_node)).second;
      const Status status = WriteTo(node, batch, kept);
      if (!status.ok()) BANQUET_RETURN_NOT_OK(GiveUp(node, status));
    }
    return Status::OK();
  }

  Result<RowOutcomes> Flush() override {
    RowOutcomes outcomes;
    for (auto& [node, writer] : writers_) {
      if (writer == nullptr) continue;
      Result<RowOutcomes> of_node = writer->Flush();
      if (!of_node.ok()) {
        BANQUET_RETURN_NOT_OK(GiveUp(node, of_node.status()));
        continue;
      }
      if (!of_node->undecided.empty()) nodes_->Outdate(view_);
      Add(*of_node, &outcomes);
    }
    outcomes.undecided.insert(outcomes.undecided.end(), undecided_.begin(), undecided_.end());
    std::ranges::sort(outcomes.undecided);
    undecided_.clear();
    portions_.clear();
    const Status failure = std::exchange(failure_, Status::OK());
    const int64_t decided = outcomes.written + outcomes.stale + outcomes.unchanged;
    // No row is given up by telling why instead of which.
    if (decided == 0 && !failure.ok()) return failure;
    return outcomes;
  }

 private:
  Status WriteTo(RedisNode* node, const std::shared_ptr<const EncodedBatch>& batch,
                 const std::vector<uint32_t>& rows) {
    std::unique_ptr<OnlineWriter>& writer = writers_[node];
    if (writer == nullptr) {
      // A master that the run meets only now is watched from here on.
      BANQUET_RETURN_NOT_OK(node->Prepare());
      BANQUET_ASSIGN_OR_RETURN(writer, node->OpenWriter(views_));
    }
    return writer->Write(batch, RowSelection::Of(rows));
  }

  // A node that may come back, or be replaced, leaves its rows undecided.
  Status GiveUp(RedisNode* node, const Status& status) {
    writers_[node].reset();
    if (!IsRetryable(status)) return status;
    nodes_->Outdate(view_);
    for (const auto& [of, rows] : portions_) {
      if (of == node) LeaveUndecided(rows);
    }
    std::erase_if(portions_, [&](const auto& portion) { return portion.first == node; });
    if (failure_.ok()) failure_ = status;
    return Status::OK();
  }

  void LeaveUndecided(const std::vector<uint32_t>& rows) {
    undecided_.insert(undecided_.end(), rows.begin(), rows.end());
    nodes_->Outdate(view_);
  }

  static void Add(const RowOutcomes& from, RowOutcomes* to) {
    to->written += from.written;
    to->stale += from.stale;
    to->unchanged += from.unchanged;
    to->bytes += from.bytes;
    to->undecided.insert(to->undecided.end(), from.undecided.begin(), from.undecided.end());
    if (to->views.size() < from.views.size()) to->views.resize(from.views.size());
    for (size_t i = 0; i < from.views.size(); ++i) {
      to->views[i].written += from.views[i].written;
      to->views[i].stale += from.views[i].stale;
      to->views[i].unchanged += from.views[i].unchanged;
    }
  }

  ClusterNodes* const nodes_;
  const std::vector<ViewColumns> views_;
  std::shared_ptr<const ClusterView> view_;
  std::map<RedisNode*, std::unique_ptr<OnlineWriter>> writers_;
  // Which rows a node was given; borrowed by its writer until the flush.
  std::deque<std::pair<RedisNode*, std::vector<uint32_t>>> portions_;
  std::vector<uint32_t> undecided_;
  Status failure_;  // The first of a node since the last flush.
};

}  // namespace

Result<std::unique_ptr<OnlineWriter>> MakeClusterWriter(ClusterNodes* nodes,
                                                        std::span<const ViewColumns> views) {
  if (views.empty()) return Bug("A writer needs a view");
  // Late bytes of a writer that was given up must not come after ours. A node that holds no slot
  // any more takes none.
  BANQUET_ASSIGN_OR_RETURN(const auto view, nodes->View());
  for (RedisNode* node : view->nodes) {
    if (!node->has_dead_writers()) continue;
    const Status status = node->OpenWriter(views).status();
    if (!status.ok()) nodes->Outdate(view);
    BANQUET_RETURN_NOT_OK(status);
  }
  return std::make_unique<ClusterWriter>(nodes, views);
}

}  // namespace banquet::redis
