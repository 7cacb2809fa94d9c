// What a simulated node does with its disk.
#include "tests/harness/sim_node.hpp"

#include "actors/bytes.hpp"
#include "runtime/log_rows.hpp"

namespace quorate::testing {

void sim_node::mind_flush() {
  if (!disk_->state().flush_wanted() || flushing_)
    return;
  flushing_ = true;
  later(short_while(100, 50'000), [this] {
    flushing_ = false;
    disk_->state().flush();
    tell_durable();
  });
}

void sim_node::mind_log(const std::vector<journal_op>& ops) {
  for (const auto& op : ops) {
    const auto key = std::string_view{op.key}.substr(journal_space::prefix_bytes);
    if (!op.erase && key.starts_with(log_rows::prefix)) {
      byte_reader in{key.substr(log_rows::prefix.size())};
      logged_.emplace_back(disk_->written() + 1, log_index{in.big<std::uint64_t>()}.next());
    }
  }
}

void sim_node::tell_durable() {
  auto reached = disk_->state().flushed().value_or(log_index{0});
  for (; !logged_.empty() && logged_.front().first <= disk_->durable(); logged_.pop_front())
    reached = std::max(reached, logged_.front().second);
  // After a crash the numbers of what did not survive are given to other writes.
  if (!alive_)
    logged_.clear();
  if (reached <= durable_)
    return;
  durable_ = reached;
  around_.checks.tell(&check::durable, id(), durable_);
}

std::optional<std::uint64_t> sim_node::try_to_write(std::vector<journal_op> ops) {
  if (disk_broken_ || disk_full_ > 0)
    return around_.mutants.deaf_to_disk ? std::optional{disk_->written()} : std::nullopt;
  if (!around_.mutants.torn_writes)
    return disk_->write(std::move(ops));
  std::optional<std::uint64_t> last;
  for (auto& op : ops) {
    std::vector<journal_op> one;
    one.push_back(std::move(op));
    last = disk_->write(std::move(one));
  }
  return last;
}

void sim_node::write(sim_role& by, std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  if (dying_)
    return;
  ++around_.count.writes;
  if (by.identity().space.role == port::replica)
    mind_log(ops);
  const auto number = try_to_write(std::move(ops));
  if (!number) {
    // It must never answer from what it could not save.
    dying_ = true;
    around_.log.line(around_.events.now(), quorate::text(id()), "its disk fails");
    around_.events.after(duration{0}, [this, life = life_] {
      if (life == life_)
        crash();
    });
    return;
  }
  if (!sync)
    return;
  const auto& space = by.identity().space;
  const waiting w{*number, address_of(space.role, space), by.serial(), ticket};
  if (around_.mutants.acknowledge_early)
    later(duration{0}, [this, w] { acknowledge(w); });
  else
    unsynced_.push_back(w);
  if (!syncing_)
    start_sync();
}

void sim_node::start_sync() {
  syncing_ = true;
  ++around_.count.syncs;
  const auto& plan = around_.plan;
  const auto took = short_while(static_cast<std::uint64_t>(plan.sync_min.count() / 1000),
                                static_cast<std::uint64_t>(plan.sync_max.count() / 1000));
  later(took + sync_extra_, [this, upto = disk_->written()] {
    syncing_ = false;
    disk_->end_sync(upto);
    tell_durable();
    std::vector<waiting> done;
    const auto beyond = around_.mutants.acknowledge_one_more ? 1 : 0;
    while (!unsynced_.empty() && unsynced_.front().written <= upto + beyond) {
      done.push_back(unsynced_.front());
      unsynced_.erase(unsynced_.begin());
    }
    for (const auto& w : done)
      acknowledge(w);
    if (disk_->written() > upto && (!unsynced_.empty() || around_.mutants.acknowledge_early))
      start_sync();
  });
}

void sim_node::acknowledge(const waiting& w) {
  if (auto* role = find(w.role, w.serial))
    role->durable(w.ticket);
}

void sim_node::read(sim_role& by, read_effect&& effect) {
  const auto space = by.identity().space;
  later(short_while(10, 1000), [this, space, serial = by.serial(), effect = std::move(effect)] {
    if (find(address_of(space.role, space), serial) == nullptr || dying_)
      return;
    journal_rows found;
    found.id = effect.id;
    std::size_t bytes = 0;
    disk_->journal().view(space)->scan(effect.from, effect.to, [&](journal_row&& row) {
      const auto size = row.key.size() + row.value.size() + (row.batch ? row.batch->body.size() : 0);
      if (!found.rows.empty() && bytes + size > effect.bytes_max) {
        found.complete = false;
        return false;
      }
      bytes += size;
      found.rows.push_back(std::move(row));
      return true;
    });
    // What was read may be out of date when the role gets it.
    later(local_wait(), [this, space, serial, found = std::move(found)]() mutable {
      if (auto* role = find(address_of(space.role, space), serial); role != nullptr && !dying_)
        role->rows(std::move(found));
    });
  });
}

}  // namespace quorate::testing
