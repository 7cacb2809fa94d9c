#include "actors/store.hpp"

#include "actors/ensure.hpp"

namespace quorate {

namespace {

using pair_map = std::map<std::string, std::string, std::less<>>;

std::optional<std::string> get_from(const pair_map& pairs, std::string_view key) {
  const auto it = pairs.find(key);
  return it == pairs.end() ? std::nullopt : std::optional{it->second};
}

void scan_of(const pair_map& pairs, std::string_view from, std::string_view to,
             const std::function<bool(std::string_view, std::string_view)>& pair) {
  for (auto it = pairs.lower_bound(from); it != pairs.end() && (to.empty() || it->first < to); ++it)
    if (!pair(it->first, it->second))
      return;
}

std::optional<std::pair<std::string, std::string>> last_of(const pair_map& pairs, std::string_view from,
                                                           std::string_view upto) {
  auto it = pairs.upper_bound(upto);
  if (it == pairs.begin())
    return std::nullopt;
  --it;
  return it->first < from ? std::nullopt : std::optional<std::pair<std::string, std::string>>{*it};
}

/// A moment of a memory_store, shared with it until it writes again.
class memory_view : public store_view {
public:
  explicit memory_view(std::shared_ptr<const pair_map> pairs) : pairs_(std::move(pairs)) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override {
    return get_from(*pairs_, key);
  }
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override {
    scan_of(*pairs_, from, to, pair);
  }
  [[nodiscard]] std::optional<std::pair<std::string, std::string>>
  last(std::string_view from, std::string_view upto) const override {
    return last_of(*pairs_, from, upto);
  }

private:
  std::shared_ptr<const pair_map> pairs_;
};

}  // namespace

std::optional<std::string> memory_store::get(std::string_view key) const {
  return get_from(*current_, key);
}

void memory_store::scan(std::string_view from, std::string_view to,
                        const std::function<bool(std::string_view, std::string_view)>& pair) const {
  // A moment of its own, so that `pair` may write.
  const std::shared_ptr<const pairs> now = current_;
  scan_of(*now, from, to, pair);
}

std::optional<std::pair<std::string, std::string>> memory_store::last(std::string_view from,
                                                                      std::string_view upto) const {
  return last_of(*current_, from, upto);
}

void memory_store::own() {
  if (current_.use_count() > 1) {
    current_ = std::make_shared<pairs>(*current_);
    return;
  }
  // The last view may have been let go by another thread. Counting up and down again puts its reads before
  // our writes; looking at the count does not.
  auto counted = current_;
  counted.reset();
}

status memory_store::write(const store_batch& changes, log_index index) {
  own();
  for (const auto& op : changes.ops()) {
    switch (op.what) {
    case store_batch::op::kind::put:
      current_->insert_or_assign(op.key, op.value);
      break;
    case store_batch::op::kind::erase:
      current_->erase(op.key);
      break;
    case store_batch::op::kind::erase_range:
      if (op.key < op.value)
        current_->erase(current_->lower_bound(op.key), current_->lower_bound(op.value));
      break;
    }
  }
  current_index_ = index;
  return std::nullopt;
}

std::shared_ptr<const store_view> memory_store::view() const {
  return std::make_shared<memory_view>(current_);
}

void memory_store::start_flush() {
  flush_wanted_ = true;
  if (flush_at_once_)
    flush();
}

status memory_store::begin_staging() {
  staged_.emplace();
  return std::nullopt;
}

status memory_store::stage(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ENSURE(staged_, "pairs are staged before staging has begun");
  for (const auto& [key, value] : pairs)
    staged_->insert_or_assign(key, value);
  return std::nullopt;
}

status memory_store::finish_staging(log_index index) {
  ENSURE(staged_, "staging is finished before it has begun");
  current_ = std::make_shared<pairs>(std::move(*staged_));
  staged_.reset();
  current_index_ = index;
  flush();
  return std::nullopt;
}

void memory_store::flush() {
  flushed_ = current_;
  flushed_index_ = current_index_;
  flush_wanted_ = false;
}

void memory_store::crash() {
  // Made non-const by us; `own` copies before anything is written.
  current_ = std::const_pointer_cast<pairs>(flushed_);
  current_index_ = flushed_index_;
  staged_.reset();
  flush_wanted_ = false;
}

}  // namespace quorate
