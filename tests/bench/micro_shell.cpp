// What the CAF shell costs: messages through two roles of one node, with and without a save that they wait
// for.
#include "actors/role_host.hpp"
#include "runtime/journal_actor.hpp"
#include "runtime/local_cluster.hpp"

#include <benchmark/benchmark.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>

using namespace quorate;

namespace {

constexpr node_id self{1};
constexpr std::uint64_t trips_per_round = 2'000;

/// Counts what comes back; the benchmark's thread waits for it.
struct tally {
  std::atomic<std::uint64_t> done{0};
};

/// Sends a command, and the next one for each answer. An empty answer starts it with `in_flight` of them.
class asker {
public:
  using out = outbox<submission>;
  using handles = messages<outcomes>;
  static constexpr port place = port::edge;

  asker(std::shared_ptr<tally> count, std::uint64_t in_flight)
      : tally_(std::move(count)), in_flight_(in_flight) {}

  void on(node_id, const outcomes& msg, out& o) {
    if (msg.list.empty()) {
      left_ = trips_per_round;
      for (std::uint64_t i = 0; i < in_flight_; ++i)
        ask(o);
      return;
    }
    ask(o);
    if (++answered_ % trips_per_round == 0) {
      tally_->done = answered_;
      tally_->done.notify_one();
    }
  }

private:
  void ask(out& o) {
    if (left_ == 0)
      return;
    --left_;
    submission s;
    s.commands.resize(1);
    s.commands.front().body = body_;
    o.send(self, std::move(s));
  }

  std::shared_ptr<tally> tally_;
  std::uint64_t in_flight_;
  std::uint64_t left_ = 0;
  std::uint64_t answered_ = 0;
  payload body_{std::string(100, 'x')};
};

/// Answers each command, after a save where `saves` says so.
class answerer {
public:
  using out = outbox<outcomes>;
  using handles = messages<submission>;
  static constexpr port place = port::replica;

  explicit answerer(bool saves) : saves_(saves) {}

  void on(node_id, const submission& msg, out& o) {
    if (saves_)
      o.save("vote", std::string{msg.commands.front().body.view()});
    outcomes answer;
    answer.list.resize(1);
    o.send(self, std::move(answer));
  }

private:
  bool saves_;
};

/// A node of two roles, on CAF as `node_runtime` sets it up.
class two_roles {
public:
  two_roles(bool saves, std::uint64_t in_flight) : count_(std::make_shared<tally>()) {
    config_.set("caf.scheduler.policy", "sharing");
    config_.set("caf.scheduler.max-threads", 1);
    system_ = std::make_unique<caf::actor_system>(config_);
    environment_->links = std::make_shared<links>(self, std::vector{self}, 0);
    environment_->log = [](severity, std::string_view, const std::string&) {};
    environment_->fatal = [](const std::string& message) {
      std::fprintf(stderr, "%s\n", message.c_str());
      std::abort();
    };
    environment_->journal =
        spawn_journal(*system_, {std::make_shared<memory_journal>(), environment_->fatal});
    environment_->rows =
        spawn_row_reader(*system_, {std::make_shared<memory_journal>(), environment_->fatal});
    asker_ = add<asker>(count_, in_flight);
    answerer_ = add<answerer>(saves);
  }
  two_roles(const two_roles&) = delete;
  two_roles& operator=(const two_roles&) = delete;
  ~two_roles() {
    environment_->links->own().reset();
    for (const auto& actor :
         {asker_, answerer_, caf::actor_cast<caf::strong_actor_ptr>(environment_->journal),
          caf::actor_cast<caf::strong_actor_ptr>(environment_->rows)})
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
  }

  /// `trips_per_round` messages there and back.
  void round() {
    const auto before = count_->done.load();
    caf::anon_send(caf::actor_cast<caf::actor>(asker_), own_, outcomes{});
    count_->done.wait(before);
  }

private:
  template <class R, class... Args>
  caf::strong_actor_ptr add(Args&&... args) {
    std::unique_ptr<any_role> role = std::make_unique<role_host<R>>(std::forward<Args>(args)...);
    auto& one = *role;
    const role_identity identity{{group_id{0}, epoch_id{0}, R::place}, own_, {}};
    auto handle = one.spawn(std::move(role), *system_, environment_, identity);
    environment_->links->own().add({group_id{0}, epoch_id{0}, R::place}, handle);
    return handle;
  }

  std::shared_ptr<tally> count_;
  origin own_{1, group_id{0}, epoch_id{0}, self, disk_id{1}, boot_id{1}};
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::shared_ptr<shell_environment> environment_ = std::make_shared<shell_environment>();
  caf::strong_actor_ptr asker_;
  caf::strong_actor_ptr answerer_;
};

void trips(benchmark::State& state, bool saves) {
  quorate::initialize();
  two_roles node{saves, static_cast<std::uint64_t>(state.range(0))};
  for (auto _ : state)
    node.round();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * trips_per_round));
}

/// Items are messages: each is told, handled, and turned into an effect.
void tell_effect_tell(benchmark::State& state) {
  trips(state, false);
}

/// The answer waits for the journal (in memory): save, durable, send.
void save_durable_send(benchmark::State& state) {
  trips(state, true);
}

}  // namespace

BENCHMARK(tell_effect_tell)->ArgName("in_flight")->Arg(1)->Arg(64)->UseRealTime();
BENCHMARK(save_durable_send)->ArgName("in_flight")->Arg(1)->Arg(64)->UseRealTime();
BENCHMARK_MAIN();
