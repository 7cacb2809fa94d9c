// What a simulated node does with its disk.
#include "tests/harness/sim_node.hpp"

namespace quorate::testing {

void sim_node::mind_flush() {
  if (!disk_->state().flush_wanted() || flushing_)
    return;
  flushing_ = true;
  later(short_while(100, 50'000), [this] {
    flushing_ = false;
    disk_->state().flush();
  });
}

void sim_node::write(sim_role& by, std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  if (dying_)
    return;
  ++around_.count.writes;
  const auto number = disk_broken_ || disk_full_ > 0 ? std::nullopt : disk_->write(std::move(ops));
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
    std::vector<waiting> done;
    while (!unsynced_.empty() && unsynced_.front().written <= upto) {
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
    auto* role = find(address_of(space.role, space), serial);
    if (role == nullptr || dying_)
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
    role->rows(std::move(found));
  });
}

}  // namespace quorate::testing
