#include "actors/shell.hpp"

#include "actors/actor_exceptions.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/local_actor.hpp>

#include <iterator>
#include <utility>

namespace quorate {

namespace {

// Received bytes are acknowledged at least this often; see DESIGN.md section 10.
constexpr std::size_t acknowledge_after_bytes = 256 * 1024;
// What is lazy waits for the role's next sync, but not for ever: each hand-over wakes the journal's thread.
constexpr std::size_t lazy_ops_max = 64;
constexpr std::size_t lazy_bytes_max = 256 * 1024;
constexpr duration lazy_wait = std::chrono::milliseconds{20};
// Alarms of one node that are close together are one alarm.
constexpr duration alarm_grid = std::chrono::milliseconds{1};

void enqueue(caf::scheduled_actor* self, const caf::strong_actor_ptr& to, caf::message content) {
  to->enqueue(self->ctrl(), caf::make_message_id(), std::move(content), self->context());
}

std::uint64_t mix(std::uint64_t seed, const role_identity& identity) {
  return seed * 0x9e3779b97f4a7c15ULL + identity.self.boot.value * 1'000'003 +
         identity.self.node.value * 101 + static_cast<std::uint64_t>(identity.space.role);
}

}  // namespace

void drop_what_is_strange(caf::scheduled_actor* self) {
  self->set_default_handler(
      [](caf::scheduled_actor*, caf::message&) -> caf::skippable_result { return caf::message{}; });
  self->set_error_handler([](caf::scheduled_actor*, caf::error&) {});
}

shell_core::shell_core(caf::scheduled_actor* self, std::unique_ptr<any_role> role,
                       std::shared_ptr<shell_environment> environment, const role_identity& identity)
    : self_(self), role_(std::move(role)), environment_(std::move(environment)), identity_(identity),
      place_(std::string{to_string(identity.space.role)} + " g" + std::to_string(identity.space.group.value) +
             " e" + std::to_string(identity.space.epoch.value)),
      gate_(identity.space), filter_(identity.self, identity.members),
      prng_(mix(environment_->seed, identity)) {
  role_->out().set_prng(prng_);
  drop_what_is_strange(self_);
  end_with_exceptions(
      self_, [env = environment_](const std::string& message) { env->fatal(message); }, place_);
}

void shell_core::start() {
  if (started_)
    return;
  started_ = true;
  before();
  role_->start();
  after();
}

void shell_core::adopt(const role_identity& identity) {
  identity_ = identity;
  filter_ = origin_filter{identity.self, identity.members};
}

bool shell_core::accepts(const origin& from, std::size_t wire_size) {
  start();
  if (wire_size > 0)
    if (auto* link = environment_->links->find(from.node);
        link && link->received(wire_size) >= acknowledge_after_bytes && environment_->links->acknowledge_soon)
      environment_->links->acknowledge_soon(from.node);
  const auto verdict = filter_.check(from);
  if (verdict == origin_filter::verdict::pass)
    return true;
  note({severity::debug, "drops a message of " + text(from.node) + " boot " +
                             std::to_string(from.boot.value) +
                             (verdict == origin_filter::verdict::old_boot     ? ": an earlier boot"
                              : verdict == origin_filter::verdict::other_disk ? ": another disk"
                                                                              : ": a stranger")});
  return false;
}

time_point shell_core::now() const {
  return std::chrono::duration_cast<time_point>(self_->clock().now().time_since_epoch());
}

void shell_core::before() {
  role_->out().set_now(now());
}

void shell_core::after() {
  gate_.run(role_->out(), *this);
}

void shell_core::durable(const journal_done& done) {
  gate_.durable(done.ticket, *this);
}

void shell_core::write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  if (sync || !environment_->alarms) {
    hand_over(std::move(ops), sync, ticket);
    return;
  }
  for (auto& op : ops) {
    lazy_bytes_ += op.key.size() + op.value.size() + (op.batch ? op.batch->body.size() : 0);
    lazy_.push_back(std::move(op));
  }
  if (lazy_.size() >= lazy_ops_max || lazy_bytes_ >= lazy_bytes_max) {
    hand_over({}, false, ticket);
  } else if (!lazy_until_) {
    lazy_until_ = now() + lazy_wait;
    schedule();
  }
}

void shell_core::hand_over(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  if (!lazy_.empty()) {
    lazy_.insert(lazy_.end(), std::make_move_iterator(ops.begin()), std::make_move_iterator(ops.end()));
    ops = std::exchange(lazy_, {});
  }
  lazy_bytes_ = 0;
  lazy_until_.reset();
  enqueue(self_, caf::actor_cast<caf::strong_actor_ptr>(environment_->journal),
          caf::make_message(
              journal_write{std::move(ops), sync, ticket, caf::actor_cast<caf::strong_actor_ptr>(self_)}));
}

void shell_core::send(send_effect&& effect) {
  // The protocol's roles belong to an epoch, all others outlive it.
  const auto to = effect.message.to();
  const auto epochal = to == port::proposer || to == port::acceptor || to == port::learner;
  const role_address address{identity_.space.group, epochal ? identity_.space.epoch : epoch_id{}, to};
  const auto size =
      effect.to.size() == 1 && effect.to.front() == identity_.self.node ? 0 : effect.message.wire_size();
  const auto content = to_message(effect.message);
  for (const auto n : effect.to) {
    auto* link = environment_->links->find(n);
    if (!link)
      continue;
    if (const auto handle = link->find(address); handle && link->admit(size))
      enqueue(self_, handle, content);
  }
}

void shell_core::set_timer(const timer_effect& effect) {
  timers_.set(effect.tag, now() + effect.after);
  schedule();
}

void shell_core::cancel_timer(const cancel_effect& effect) {
  timers_.cancel(effect.tag);
}

void shell_core::schedule() {
  auto next = timers_.next();
  if (lazy_until_ && (!next || *lazy_until_ < *next))
    next = lazy_until_;
  if (!next || (scheduled_ && *scheduled_ <= *next))
    return;
  if (environment_->alarms) {
    scheduled_ = (*next + alarm_grid - duration{1}) / alarm_grid * alarm_grid;
    environment_->alarms->wake(caf::actor_cast<caf::strong_actor_ptr>(self_), *scheduled_);
    return;
  }
  scheduled_ = next;
  const auto wait = std::max(*next - now(), duration{0});
  self_->run_delayed(wait, [this, at = *next] {
    if (scheduled_ == at)
      wake_up();
  });
}

void shell_core::alarmed(time_point at) {
  if (scheduled_ == at)
    wake_up();
}

void shell_core::wake_up() {
  scheduled_.reset();
  if (lazy_until_ && *lazy_until_ <= now())
    hand_over({}, false, 0);
  while (const auto tag = timers_.pop(now())) {
    before();
    role_->on_timer(*tag);
    after();
  }
  schedule();
}

void shell_core::read(read_effect&& effect) {
  if (!lazy_.empty())
    hand_over({}, false, 0);
  enqueue(self_, caf::actor_cast<caf::strong_actor_ptr>(environment_->rows),
          caf::make_message(journal_fetch{identity_.space, std::move(effect),
                                          caf::actor_cast<caf::strong_actor_ptr>(self_)}));
}

void shell_core::note(note_effect&& effect) {
  environment_->log(effect.level, place_, effect.text);
}

}  // namespace quorate
