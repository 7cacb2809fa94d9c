// Wakes actors at a time.
#pragma once

#include "actors/ids.hpp"

#include <caf/actor_control_block.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace quorate {

/// One thread for all timers of a node. CAF's own clock wakes its thread for each timer that is set; this one
/// only for one that comes before all others, so a role that sets its next tick costs nothing until then. Not
/// for a deterministic scheduler, which has a clock of its own.
class alarm_clock {
public:
  alarm_clock();
  ~alarm_clock();
  alarm_clock(const alarm_clock&) = delete;
  alarm_clock& operator=(const alarm_clock&) = delete;

  /// Sends `role_alarm{at}` to `who` when `at`, in the time of std::chrono::steady_clock, has come.
  void wake(caf::strong_actor_ptr who, time_point at);
  /// Nobody is woken any more. From any thread but its own.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<time_point, caf::strong_actor_ptr> alarms_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace quorate
