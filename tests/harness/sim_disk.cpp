#include "tests/harness/sim_disk.hpp"

#include "actors/ensure.hpp"
#include "tests/harness/transcript.hpp"

#include <map>

namespace quorate::testing {

namespace {

std::uint64_t digest_of_pair(std::string_view key, std::string_view value) {
  digest sum;
  sum.mix(key);
  sum.mix(value);
  return sum.value();
}

}  // namespace

void watched_store::sum_up() {
  sum_ = 0;
  scan("", "", [this](std::string_view key, std::string_view value) {
    sum_ += digest_of_pair(key, value);
    return true;
  });
}

std::uint64_t watched_store::changed(const store_batch& changes) const {
  using kind = store_batch::op::kind;
  auto sum = sum_;
  std::map<std::string_view, std::uint64_t> now;  // of the keys that change
  auto before = [&](const std::string& key) -> std::uint64_t& {
    const auto [known, fresh] = now.emplace(key, 0);
    if (fresh)
      if (const auto value = get(key))
        known->second = digest_of_pair(key, *value);
    return known->second;
  };
  for (const auto& op : changes.ops()) {
    if (op.what == kind::erase_range) {
      scan(op.key, op.value, [&](std::string_view key, std::string_view value) {
        if (now.emplace(key, 0).second)
          sum -= digest_of_pair(key, value);
        return true;
      });
      for (auto& [key, digest] : now)
        if (key >= op.key && key < op.value)
          sum -= std::exchange(digest, 0);
      continue;
    }
    auto& last = before(op.key);
    const auto next = op.what == kind::put ? digest_of_pair(op.key, op.value) : 0;
    sum += next - last;
    last = next;
  }
  return sum;
}

status watched_store::write(const store_batch& changes, log_index index) {
  digest sum;
  for (const auto& op : changes.ops()) {
    sum.mix(static_cast<std::uint64_t>(op.what));
    sum.mix(std::string_view{op.key});
    sum.mix(std::string_view{op.value});
  }
  const auto state = changed(changes);
  if (auto failed = memory_store::write(changes, index))
    return failed;
  sum_ = state;
  index_ = index;
  if (watcher_)
    watcher_(index, sum.value(), sum_);
  return std::nullopt;
}

status watched_store::finish_staging(log_index index) {
  if (auto failed = memory_store::finish_staging(index))
    return failed;
  index_ = index;
  sum_up();
  if (watcher_)
    watcher_(index, std::nullopt, sum_);
  return std::nullopt;
}

void watched_store::crash() {
  memory_store::crash();
  index_ = flushed();
  sum_up();
}

std::optional<std::uint64_t> sim_disk::write(std::vector<journal_op> ops) {
  if (journal_.commit(std::move(ops), false))
    return std::nullopt;
  return ++written_;
}

void sim_disk::end_sync(std::uint64_t upto) {
  if (upto <= durable_)
    return;
  journal_.sync_first(upto - durable_);
  durable_ = upto;
}

void sim_disk::crash(prng& random, std::optional<std::uint64_t> survives) {
  ENSURE(journal_.unsynced() == written_ - durable_, "the journal and its disk count differently");
  // The extremes are where the bugs are: nothing, everything, or something in between.
  const auto unsynced = written_ - durable_;
  const auto luck = random.below(4);
  const auto keep = survives    ? unsynced * *survives / 100
                    : luck == 0 ? 0
                    : luck == 1 ? unsynced
                                : random.between(0, unsynced);
  journal_.crash(keep);
  // What a crash has left on the disk is there for good.
  written_ = durable_ = durable_ + keep;
  // A flush that had begun may have got through.
  if (state_.flush_wanted() && random.chance(30))
    state_.flush();
  state_.crash();
}

}  // namespace quorate::testing
