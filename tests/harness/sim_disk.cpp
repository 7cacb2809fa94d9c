#include "tests/harness/sim_disk.hpp"

#include "actors/ensure.hpp"
#include "tests/harness/transcript.hpp"

namespace quorate::testing {

status watched_store::write(const store_batch& changes, log_index index) {
  digest sum;
  for (const auto& op : changes.ops()) {
    sum.mix(static_cast<std::uint64_t>(op.what));
    sum.mix(std::string_view{op.key});
    sum.mix(std::string_view{op.value});
  }
  if (auto failed = memory_store::write(changes, index))
    return failed;
  index_ = index;
  if (watcher_)
    watcher_(index, sum.value());
  return std::nullopt;
}

status watched_store::finish_staging(log_index index) {
  if (auto failed = memory_store::finish_staging(index))
    return failed;
  index_ = index;
  if (watcher_)
    watcher_(index, std::nullopt);
  return std::nullopt;
}

void watched_store::crash() {
  memory_store::crash();
  index_ = flushed();
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
