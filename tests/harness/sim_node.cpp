#include "tests/harness/sim_node.hpp"

#include "actors/ensure.hpp"
#include "actors/rare.hpp"
#include "runtime/membership.hpp"

#include <utility>

namespace quorate::testing {

namespace {

disk_id random_disk(prng& random) {
  return disk_id{random.next() | 1};
}

}  // namespace

sim_node::sim_node(node_setup setup, assembler make, surroundings& around, sim_cluster& cluster,
                   std::uint64_t seed)
    : setup_(std::move(setup)), make_(std::move(make)), around_(around), cluster_(cluster), prng_(seed) {
  disk_ = std::make_unique<sim_disk>(random_disk(prng_));
  const auto drift = static_cast<std::uint64_t>(around.plan.clock_drift * 100);
  clock_rate_ = 1 + (static_cast<double>(prng_.below(2 * drift + 1)) - static_cast<double>(drift)) / 10'000;
}

time_point sim_node::clock() const {
  const auto real = static_cast<double>(around_.events.now().count());
  return clock_offset_ + duration{static_cast<std::int64_t>(real * clock_rate_)};
}

duration sim_node::local_wait() {
  constexpr std::uint64_t usual_max_us = 20;
  const auto usual = short_while(0, usual_max_us);
  const auto beyond = around_.plan.local_max - std::chrono::microseconds(usual_max_us);
  // That a mailbox is read late has nothing to do with how slow the node is.
  if (beyond <= duration{0})
    return usual;
  return usual + duration{prng_.below(static_cast<std::uint64_t>(beyond.count()))};
}

duration sim_node::short_while(std::uint64_t min_us, std::uint64_t max_us) {
  const auto ns = prng_.between(min_us * 1000, max_us * 1000);
  return duration{static_cast<std::int64_t>(static_cast<double>(ns) * slowness_)};
}

void sim_node::later(duration wait, std::function<void()> what) {
  around_.events.after(wait, [this, life = life_, what = std::move(what)]() mutable {
    if (life != life_)
      return;
    if (frozen_ > 0)
      frozen_events_.push_back(std::move(what));
    else
      what();
  });
}

void sim_node::start() {
  ENSURE(can_start(), "a node that runs, or has no space on its disk, was started");
  alive_ = true;
  dying_ = false;
  quarantined_ = false;
  ++life_;
  ++around_.count.starts;
  setup_.boot = disk_->next_boot();
  setup_.disk = disk_->id();
  setup_.state = &disk_->state();
  setup_.saved = &disk_->journal();
  // A clock's origin means nothing; nothing may be concluded from it after a restart.
  clock_offset_ = std::chrono::seconds(prng_.below(1000));
  role_prng_ = prng{prng_.next()};
  if (around_.mutants.forgetful && setup_.boot.value > 1) {
    const std::string role(1, static_cast<char>(*around_.mutants.forgetful));
    const std::string next(1, static_cast<char>(static_cast<std::uint8_t>(*around_.mutants.forgetful) + 1));
    static_cast<void>(disk_->write({{role, next, std::nullopt, true}}));
  }
  disk_->state().watch([this](log_index index, std::optional<std::uint64_t> changes, std::uint64_t state) {
    ++(changes ? around_.count.applied : around_.count.snapshots);
    const place where{id(), disk_->id(), setup_.boot, port::replica};
    around_.checks.tell(&check::stored, where, index, changes);
    around_.checks.tell(&check::stands, where, index, state);
    if (!changes)
      tell_durable();
  });
  around_.log.line(around_.events.now(), quorate::text(id()),
                   "starts, boot " + std::to_string(setup_.boot.value));
  assembly_ = make_(setup_, *this);
  assembly_->start();
}

duration sim_node::stood_still() const {
  return stood_still_ + (frozen_ > 0 ? around_.events.now() - frozen_at_ : duration{0});
}

void sim_node::freeze() {
  if (frozen_++ == 0)
    frozen_at_ = around_.events.now();
}

void sim_node::crash(std::optional<std::uint64_t> survives) {
  if (!alive_)
    return;
  around_.log.line(around_.events.now(), quorate::text(id()), "crashes");
  alive_ = false;
  ++life_;
  stood_still_ = stood_still();
  frozen_ = 0;
  frozen_events_.clear();
  roles_.clear();
  assembly_.reset();
  mailbox_last_.clear();
  unsynced_.clear();
  syncing_ = false;
  flushing_ = false;
  disk_broken_ = false;
  disk_->crash(prng_, survives);
  tell_durable();
  around_.checks.tell(&check::crashed, id());
  cluster_.stopped(id());
}

void sim_node::wipe() {
  crash();
  disk_ = around_.mutants.wiped_votes ? std::make_unique<sim_disk>(disk_->id(), disk_->boot())
                                      : std::make_unique<sim_disk>(random_disk(prng_));
  wiped_ = true;
  logged_.clear();
  around_.log.line(around_.events.now(), quorate::text(id()), "has lost its disk");
  around_.checks.tell(&check::wiped, id(), disk_->id());
}

void sim_node::thaw() {
  if (frozen_ == 0)
    return;
  if (frozen_ == 1)
    stood_still_ = stood_still();
  if (--frozen_ > 0)
    return;
  // Whatever was due meanwhile happens now, in its order, before anything that comes later.
  auto due = std::move(frozen_events_);
  frozen_events_.clear();
  for (auto& what : due)
    later(duration{0}, std::move(what));
}

void sim_node::recover() {
  slowness_ = 1;
  sync_extra_ = {};
  disk_broken_ = false;
  disk_full_ = 0;
  if (std::exchange(disk_low_, 0) > 0)
    tell_room();
  if (frozen_ > 0) {
    frozen_ = 1;
    thaw();
  }
}

void sim_node::run_low() {
  if (++disk_low_ == 1)
    tell_room();
}

void sim_node::have_room() {
  if (--disk_low_ == 0)
    tell_room();
}

/// As whoever watches the disks of a process does it.
void sim_node::tell_room() {
  const role_address address{group_id{}, epoch_id{}, port::membership};
  if (!alive_ || find(address) == nullptr)
    return;
  later(duration{0}, [this, address] {
    if (auto* role = find(address))
      deliver(role->identity().self, address,
              box::of(disk_room{disk_low_ > 0 ? disk_level::full : disk_level::roomy}));
  });
}

sim_role* sim_node::find(const role_address& role) {
  const auto found = roles_.find(role);
  return found == roles_.end() ? nullptr : found->second.get();
}

sim_role* sim_node::find(const role_address& role, std::uint64_t serial) {
  auto* found = find(role);
  return found != nullptr && found->serial() == serial ? found : nullptr;
}

void sim_node::run(std::unique_ptr<any_role> role, const role_identity& identity) {
  const auto address = address_of(identity.space.role, identity.space);
  if (around_.mutants.bend_role)
    role = around_.mutants.bend_role(std::move(role), identity);
  auto& slot = roles_[address];
  slot = std::make_unique<sim_role>(std::move(role), identity, setup_.boot, ++serials_, *this, role_prng_);
  was_founded_ = was_founded_ || identity.space.role == port::acceptor;
  around_.checks.tell(&check::started, slot->where());
  trace(*slot, "starts");
  slot->start();
  if (identity.space.role == port::membership && disk_low_ > 0)
    tell_room();
}

void sim_node::adopt(const role_identity& identity) {
  if (auto* role = find(address_of(identity.space.role, identity.space)))
    role->adopt(identity);
}

bool sim_node::from_client(const box& message) {
  if (!alive_ || dying_)
    return false;
  const role_address edge{group_id{}, epoch_id{}, port::edge};
  auto* role = find(edge);
  if (role == nullptr)
    return false;
  later(short_while(1, 20), [this, message, edge] {
    if (auto* to = find(edge))
      deliver(to->identity().self, edge, message);
  });
  return true;
}

void sim_node::receive(const origin& from, const role_address& role, const box& message) {
  if (!alive_ || dying_) {
    ++around_.count.lost;
    return;
  }
  // Reading, and a slow node's backlog.
  later(short_while(1, 5), [this, from, role, message] { deliver(from, role, message); });
}

void sim_node::deliver(const origin& from, const role_address& to, const box& message) {
  if (dying_)
    return;
  around_.log.mix(static_cast<std::uint64_t>(around_.events.now().count()));
  around_.log.mix((std::uint64_t{id().value} << 32) | static_cast<std::uint64_t>(to.role));
  around_.log.mix(std::string_view{message.type().name});
  around_.log.mix(static_cast<std::uint64_t>(message.wire_size()));
  if (to.role == port::node) {
    // As the node's actor does it: the replica judges whether the sender counts, and answers it.
    if (const auto* given = message.get<handover>())
      deliver(from, {to.group, to.epoch, port::replica}, box::of(submission{given->commands}));
    else
      assembly_->on(from.node, message);
    return;
  }
  auto* role = find(to);
  if (role == nullptr) {
    ++around_.count.unclaimed;
    return;
  }
  // What is in this very process needs no passport: before founding its roles know less of the cluster.
  if (from.node != id()) {
    if (!role->counts(from) && !around_.mutants.trust_everyone) {
      ++around_.count.refused;
      return;
    }
    around_.checks.tell(&check::heard, role->where(), from);
  }
  if (tracing())
    trace(*role, "<- " + quorate::text(from.node) + " " + message.text());
  around_.checks.tell(&check::taken, role->where(), from.node, message);
  role->take(from.node, message);
  mind_flush();
}

void sim_node::send(sim_role& by, send_effect&& effect) {
  if (dying_)
    return;
  const auto& identity = by.identity();
  quarantined_ = quarantined_ || effect.message.get<quorate::quarantined>() != nullptr;
  around_.checks.tell(&check::sent, by.where(), effect.to, effect.message);
  const auto to = address_of(effect.message.to(), identity.space);
  for (const auto n : effect.to) {
    if (n != id()) {
      cluster_.transmit(identity.self, n, to, effect.message);
    } else if (to.role == port::gateway) {
      later(short_while(1, 20), [this, message = effect.message] { cluster_.to_client(id(), message); });
    } else {
      auto& last = mailbox_last_[{to, identity.space.role}];
      last = std::max(last, around_.events.now() + local_wait());
      later(last - around_.events.now(),
            [this, from = identity.self, to, message = effect.message] { deliver(from, to, message); });
    }
  }
}

void sim_node::set_timer(sim_role& by, timer_tag tag, duration after, std::uint64_t generation) {
  const auto& space = by.identity().space;
  const auto wait = duration{static_cast<std::int64_t>(static_cast<double>(after.count()) / clock_rate_)};
  later(wait, [this, address = address_of(space.role, space), serial = by.serial(), tag, generation] {
    if (auto* role = find(address, serial); role != nullptr && !dying_) {
      role->fire(tag, generation);
      mind_flush();
    }
  });
}

void sim_node::note(sim_role& by, note_effect&& effect) {
  if (effect.text.starts_with(rare_mark))
    ++around_.rare[effect.text.substr(rare_mark.size())];
  around_.checks.tell(&check::noted, by.where(), effect.level, effect.text);
}

void sim_node::trace(sim_role& by, const std::string& what) {
  if (tracing())
    around_.log.line(around_.events.now(), text(by.where()), what);
}

void sim_node::broken(std::string_view check, const std::string& why) {
  if (!around_.without.contains(check))
    around_.result.fail(check, why);
}

}  // namespace quorate::testing
