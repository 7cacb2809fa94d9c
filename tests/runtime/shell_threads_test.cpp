// What the shell does only where it has threads: timers of the node's alarm clock, and lazy saves that are
// gathered.
#include "actors/role_host.hpp"
#include "runtime/journal_actor.hpp"
#include "runtime/local_cluster.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

constexpr node_id self{1};
constexpr std::uint64_t synced = 1'000;  // and above: this save is not lazy

/// Remembers what came in which commit.
struct recording_journal : memory_journal {
  [[nodiscard]] status commit(std::vector<journal_op> ops, bool sync) override {
    const std::lock_guard lock{mutex};
    for (const auto& op : ops)
      seen.push_back(op.value);
    if (sync)
      synced_at.push_back(seen.size());
    ++commits;
    changed.notify_all();
    return std::nullopt;
  }
  bool wait(const std::function<bool()>& done) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 20s, done);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  std::vector<std::size_t> synced_at;
  std::size_t commits = 0;
};

struct rings {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::uint64_t, duration>> list;  ///< tag, and how late after it was due
};

/// Saves what it is told to, and lets timers ring.
class saver {
public:
  using out = outbox<outcomes>;
  using handles = messages<reached>;
  static constexpr port place = port::replica;

  explicit saver(std::shared_ptr<rings> heard) : heard_(std::move(heard)) {}

  void start(out& o) {
    started_ = o.now();
    for (const auto ms : {30, 10, 20})
      o.set_timer(timer_tag{static_cast<std::uint64_t>(ms)}, std::chrono::milliseconds{ms});
  }
  void on(node_id, const reached& msg, out& o) {
    const auto text = std::to_string(msg.id.value);
    if (msg.id.value >= synced)
      o.save("k" + text, text);
    else
      o.save_lazy("k" + text, text);
  }
  void on(timer_tag tag, out& o) {
    const std::lock_guard lock{heard_->mutex};
    heard_->list.emplace_back(tag.value, o.now() - started_ -
                                             std::chrono::milliseconds{static_cast<std::int64_t>(tag.value)});
    heard_->changed.notify_all();
  }

private:
  std::shared_ptr<rings> heard_;
  time_point started_{};
};

/// One role with threads around it.
struct lone_shell {
  lone_shell() {
    quorate::initialize();
    config.set("caf.scheduler.max-threads", 1);
    system = std::make_unique<caf::actor_system>(config);
    environment->links = std::make_shared<links>(self, std::vector{self}, 0);
    environment->log = [](severity, std::string_view, const std::string&) {};
    environment->fatal = [](const std::string& message) { FAIL(message); };
    environment->journal = spawn_journal(*system, {journal, environment->fatal});
    environment->rows = spawn_row_reader(*system, {journal, environment->fatal});
    environment->alarms = std::make_shared<alarm_clock>();
    std::unique_ptr<any_role> made = std::make_unique<role_host<saver>>(heard);
    auto& one = *made;
    const role_identity identity{{group_id{0}, epoch_id{0}, saver::place}, own, {}};
    role = one.spawn(std::move(made), *system, environment, identity);
    caf::anon_send(caf::actor_cast<caf::actor>(role), start_role{});
  }
  ~lone_shell() {
    environment->alarms->stop();
    for (const auto& actor : {role, caf::actor_cast<caf::strong_actor_ptr>(environment->journal),
                              caf::actor_cast<caf::strong_actor_ptr>(environment->rows)})
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
    caf::scoped_actor waiter{*system};
    waiter->wait_for(caf::actor_cast<caf::actor>(role));
  }
  void tell(std::uint64_t id) { caf::anon_send(caf::actor_cast<caf::actor>(role), own, reached{token{id}}); }

  origin own{1, group_id{0}, epoch_id{0}, self, disk_id{1}, boot_id{1}};
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<recording_journal> journal = std::make_shared<recording_journal>();
  std::shared_ptr<rings> heard = std::make_shared<rings>();
  std::shared_ptr<shell_environment> environment = std::make_shared<shell_environment>();
  caf::strong_actor_ptr role;
};

}  // namespace

TEST_CASE("a synced save takes every lazy one before it along, in order") {
  lone_shell s;
  std::vector<std::string> told;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    const auto id = i % 50 == 0 ? synced + i : i;
    told.push_back(std::to_string(id));
    s.tell(id);
  }
  REQUIRE(s.journal->wait(
      [&] { return s.journal->synced_at.size() >= 1 && s.journal->seen.size() == told.size(); }));
  const std::lock_guard lock{s.journal->mutex};
  CHECK(s.journal->seen == told);
  CHECK(s.journal->commits < told.size());
  // The sync stands behind the last of them.
  CHECK(s.journal->synced_at.back() == told.size());
}

TEST_CASE("a lazy save comes to the journal also where no sync follows") {
  lone_shell s;
  s.tell(1);
  REQUIRE(s.journal->wait([&] { return s.journal->seen.size() == 1; }));
  CHECK(s.journal->synced_at.empty());
}

TEST_CASE("the alarm clock rings in order and never early") {
  lone_shell s;
  std::unique_lock lock{s.heard->mutex};
  REQUIRE(s.heard->changed.wait_for(lock, 20s, [&] { return s.heard->list.size() == 3; }));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(s.heard->list[i].first == 10 * (i + 1));
    CHECK(s.heard->list[i].second >= 0ns);
  }
}

TEST_CASE("an alarm clock that was stopped rings no more") {
  lone_shell s;
  s.environment->alarms->stop();
  s.tell(1);
  s.environment->alarms->wake(s.role, time_point{0});
  // What is lazy has no alarm any more, but a sync takes it along.
  s.tell(synced);
  REQUIRE(s.journal->wait([&] { return !s.journal->synced_at.empty(); }));
  CHECK(s.journal->seen == std::vector<std::string>{"1", "1000"});
}
