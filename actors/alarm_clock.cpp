#include "actors/alarm_clock.hpp"

#include "actors/type_ids.hpp"

#include <caf/actor.hpp>

#include <vector>

namespace quorate {

alarm_clock::alarm_clock() : thread_([this] { run(); }) {}

alarm_clock::~alarm_clock() {
  stop();
}

void alarm_clock::stop() {
  // Their actors may end with this; not under the lock.
  std::multimap<time_point, caf::strong_actor_ptr> forgotten;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    forgotten.swap(alarms_);
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void alarm_clock::wake(caf::strong_actor_ptr who, time_point at) {
  const std::lock_guard lock{mutex_};
  if (stopping_)
    return;
  if (alarms_.empty() || at < alarms_.begin()->first)
    changed_.notify_all();
  alarms_.emplace(at, std::move(who));
}

void alarm_clock::run() {
  std::vector<std::pair<time_point, caf::strong_actor_ptr>> due;
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    if (alarms_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto now =
        std::chrono::duration_cast<time_point>(std::chrono::steady_clock::now().time_since_epoch());
    const auto next = alarms_.begin()->first;
    if (next > now) {
      changed_.wait_until(lock, std::chrono::steady_clock::time_point{
                                    std::chrono::duration_cast<std::chrono::steady_clock::duration>(next)});
      continue;
    }
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
      due.emplace_back(alarms_.begin()->first, std::move(alarms_.begin()->second));
      alarms_.erase(alarms_.begin());
    }
    lock.unlock();
    for (const auto& [at, who] : due)
      who->enqueue(nullptr, caf::make_message_id(), caf::make_message(role_alarm{at}), nullptr);
    due.clear();
    lock.lock();
  }
}

}  // namespace quorate
