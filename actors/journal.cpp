#include "actors/journal.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/last_words.hpp"

namespace quorate {

namespace {

// The first key behind all keys that begin with `prefix`; empty where there is none.
std::string behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff')
    prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<std::uint8_t>(prefix.back()) + 1);
  return prefix;
}

/// One space of a journal, its prefix added and taken off again.
class space_view : public journal_view {
public:
  space_view(const journal& source, std::string prefix) : source_(source), prefix_(std::move(prefix)) {}

  void scan(std::string_view from, std::string_view to,
            const std::function<bool(journal_row&&)>& row) const override {
    const auto end = to.empty() ? behind(prefix_) : prefix_ + std::string{to};
    const auto failed = source_.scan(prefix_ + std::string{from}, end, [&](journal_row&& found) {
      found.key.erase(0, prefix_.size());
      return row(std::move(found));
    });
    // A role that starts without something it has saved would break its promises.
    if (failed)
      end_for("what a role has saved cannot be read: " + failed->message);
  }

private:
  const journal& source_;
  std::string prefix_;
};

}  // namespace

std::string journal_space::prefix() const {
  std::string out;
  put_big(out, static_cast<std::uint8_t>(role));
  put_big(out, group.value);
  put_big(out, epoch.value);
  return out;
}

std::optional<std::string> journal_view::get(std::string_view key) const {
  std::optional<std::string> result;
  auto next = std::string{key};
  next.push_back('\0');
  scan(key, next, [&](journal_row&& row) {
    result = std::move(row.value);
    return false;
  });
  return result;
}

std::unique_ptr<journal_view> journal::view(const journal_space& space) const {
  return std::make_unique<space_view>(*this, space.prefix());
}

void batch_references::put(const std::string& key, const std::optional<batch_ref>& batch, changes& out) {
  const auto known = keys_.find(key);
  if (!batch) {
    if (known == keys_.end())
      return;
    const auto old = known->second;
    keys_.erase(known);
    release(old, out);
    return;
  }
  if (known != keys_.end() && known->second == batch->id)
    return;
  // The new one first: its bytes must not be dropped and stored again where both are the same.
  if (++counts_[batch->id] == 1)
    out.store.push_back(*batch);
  if (known == keys_.end()) {
    keys_.emplace(key, batch->id);
    return;
  }
  const auto old = std::exchange(known->second, batch->id);
  release(old, out);
}

void batch_references::erase(const std::string& from, const std::string& to, changes& out) {
  for (auto it = keys_.lower_bound(from); it != keys_.end() && it->first < to;) {
    const auto old = it->second;
    it = keys_.erase(it);
    release(old, out);
  }
}

void batch_references::found(const std::string& key, const batch_id& id) {
  const auto fresh = keys_.emplace(key, id).second;
  ENSURE(fresh, "a key of the journal was found twice");
  ++counts_[id];
}

void batch_references::release(const batch_id& id, changes& out) {
  const auto count = counts_.find(id);
  ENSURE(count != counts_.end(), "batch " + text(id) + " is released more often than it was referred to");
  if (--count->second == 0) {
    counts_.erase(count);
    out.drop.push_back(id);
  }
}

void memory_journal::contents::apply(const journal_op& op) {
  if (!op.erase) {
    rows.insert_or_assign(op.key, journal_row{op.key, op.value, op.batch});
    return;
  }
  if (op.key < op.value)
    rows.erase(rows.lower_bound(op.key), rows.lower_bound(op.value));
}

status memory_journal::commit(std::vector<journal_op> ops, bool sync) {
  const std::lock_guard guard{mutex_};
  if (fault_)
    return failure{errc::io_failed, *fault_};
  for (const auto& op : ops)
    current_.apply(op);
  unsynced_.push_back(std::move(ops));
  if (sync)
    sync_first(unsynced_.size());
  return std::nullopt;
}

status memory_journal::scan(std::string_view from, std::string_view to,
                            const std::function<bool(journal_row&&)>& row) const {
  const std::lock_guard guard{mutex_};
  for (auto it = current_.rows.lower_bound(from); it != current_.rows.end(); ++it) {
    if (!to.empty() && it->first >= to)
      break;
    if (!row(journal_row{it->second}))
      break;
  }
  return std::nullopt;
}

void memory_journal::sync() {
  const std::lock_guard guard{mutex_};
  sync_first(unsynced_.size());
}

void memory_journal::sync_first(std::size_t commits) {
  const std::lock_guard guard{mutex_};
  ENSURE(commits <= unsynced_.size(), "more commits to sync than there are");
  const auto end = unsynced_.begin() + static_cast<std::ptrdiff_t>(commits);
  for (auto it = unsynced_.begin(); it != end; ++it)
    for (const auto& op : *it)
      durable_.apply(op);
  unsynced_.erase(unsynced_.begin(), end);
}

void memory_journal::crash(std::size_t keep) {
  const std::lock_guard guard{mutex_};
  sync_first(keep);
  unsynced_.clear();
  current_ = durable_;
}

}  // namespace quorate
