#include "tests/harness/sim_role.hpp"

namespace quorate::testing {

sim_role::sim_role(std::unique_ptr<any_role> role, const role_identity& identity, boot_id boot,
                   std::uint64_t serial, role_home& home, prng& random)
    : role_(std::move(role)),
      identity_(identity), where_{identity.self.node, identity.self.disk, boot, identity.space.role},
      serial_(serial), home_(home), gate_(identity.space), filter_(identity.self, identity.members) {
  role_->out().set_prng(random);
}

void sim_role::before() {
  role_->out().set_now(home_.clock());
}

void sim_role::after() {
  if (home_.tracing())
    for (const auto& e : role_->out().list())
      home_.trace(*this, "    " + text(e));
  expect_sends();
  gate_.run(role_->out(), *this);
}

void sim_role::expect_sends() {
  // All saves of one call are one write, and that will be the node's next one.
  auto needed = last_save_;
  for (const auto& e : role_->out().list()) {
    if (const auto* save = std::get_if<save_effect>(&e); save != nullptr && !save->lazy)
      needed = last_save_ = home_.all_writes() + 1;
    else if (const auto* send = std::get_if<send_effect>(&e); send != nullptr && !send->now)
      waits_for_.push_back(needed);
  }
}

void sim_role::start() {
  before();
  role_->start();
  after();
}

void sim_role::take(node_id from, const box& message) {
  before();
  if (!role_->on(from, message))
    home_.broken("routing", text(where_) + " does not take " + message.type().name);
  after();
}

void sim_role::fire(timer_tag tag, std::uint64_t generation) {
  const auto set = timers_.find(tag);
  if (set == timers_.end() || set->second != generation)
    return;
  timers_.erase(set);
  if (home_.tracing())
    home_.trace(*this, "timer " + std::to_string(tag.value));
  before();
  role_->on_timer(tag);
  after();
}

void sim_role::rows(journal_rows found) {
  if (home_.tracing())
    home_.trace(*this, "rows " + std::to_string(found.rows.size()) + (found.complete ? "" : ", more"));
  before();
  role_->on_rows(std::move(found));
  after();
}

void sim_role::write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  home_.write(*this, std::move(ops), sync, ticket);
}

void sim_role::send(send_effect&& effect) {
  if (!effect.now) {
    const auto needed = waits_for_.front();
    waits_for_.pop_front();
    if (needed > home_.durable_writes())
      home_.broken("save before send",
                   text(where_) + " sent " + effect.message.text() + " before what it rests on was durable");
  }
  home_.send(*this, std::move(effect));
}

void sim_role::set_timer(const timer_effect& effect) {
  timers_[effect.tag] = ++generations_;
  home_.set_timer(*this, effect.tag, effect.after, generations_);
}

}  // namespace quorate::testing
