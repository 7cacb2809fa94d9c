#include "tests/harness/deterministic_system.hpp"

#include "runtime/local_cluster.hpp"

#include <caf/event_based_actor.hpp>

namespace quorate::testing {

deterministic_system::deterministic_system(std::uint64_t seed) : random_(seed) {
  static const bool once = [] {
    initialize();
    return true;
  }();
  static_cast<void>(once);
  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  begin_ = scheduler_->clock().now();
}

duration deterministic_system::passed() const {
  return scheduler_->clock().now() - begin_;
}

void deterministic_system::note(std::uint64_t what) {
  transcript_ = (transcript_ ^ what) * 0x9e3779b97f4a7c15ULL + 1;
}

bool deterministic_system::step() {
  auto& jobs = scheduler_->jobs;
  if (jobs.empty())
    return false;
  const auto chosen = random_.below(jobs.size());
  std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(chosen), jobs.end());
  note(chosen * 1'000 + jobs.size());
  ++steps_;
  return scheduler_->try_run_once();
}

bool deterministic_system::run_until(const std::function<bool()>& done, duration at_most) {
  const auto end = scheduler_->clock().now() + at_most;
  while (!done()) {
    // Mostly work, sometimes time, so that timers also fire while messages wait.
    if (!scheduler_->jobs.empty() && !random_.chance(2)) {
      static_cast<void>(step());
      continue;
    }
    if (scheduler_->clock().now() >= end)
      return false;
    duration passing = std::chrono::microseconds{random_.between(1, 500)};
    // Where nobody has anything to do, nothing happens before the next timer.
    if (const auto& timers = scheduler_->clock().schedule; scheduler_->jobs.empty())
      passing += timers.empty() ? end - scheduler_->clock().now()
                                : std::max(duration{}, timers.begin()->first - scheduler_->clock().now());
    passing = std::min(passing, end - scheduler_->clock().now());
    note(static_cast<std::uint64_t>(passing.count()));
    scheduler_->advance_time(passing);
  }
  return true;
}

void deterministic_system::run_for(duration how_long) {
  static_cast<void>(run_until([] { return false; }, how_long));
}

void deterministic_system::drain() {
  while (step())
    ;
}

caf::strong_actor_ptr spawn_faulty_link(deterministic_system& around, caf::strong_actor_ptr target,
                                        std::shared_ptr<const link_faults> faults) {
  auto link = around.system().spawn([&around, target, faults](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(
        [&around, target, faults](caf::scheduled_actor* me, caf::message& content) -> caf::skippable_result {
          auto& random = around.random();
          if (random.chance(faults->loss))
            return caf::message{};
          const auto copies = random.chance(faults->duplicates) ? 2 : 1;
          for (int i = 0; i < copies; ++i) {
            const duration wait{random.below(static_cast<std::uint64_t>(faults->delay_max.count()) + 1)};
            me->run_delayed(wait, [me, target, content] {
              target->enqueue(me->ctrl(), caf::make_message_id(), content, me->context());
            });
          }
          return caf::message{};
        });
    return {[](caf::unit_t) {}};
  });
  return caf::actor_cast<caf::strong_actor_ptr>(link);
}

}  // namespace quorate::testing
