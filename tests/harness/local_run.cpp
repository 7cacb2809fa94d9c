#include "tests/harness/local_run.hpp"

#include "runtime/local_cluster.hpp"
#include "tests/harness/checks.hpp"
#include "tests/harness/deterministic_system.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <caf/send.hpp>

#include <set>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view replay_command = "./tests/run.sh --local";
constexpr duration settle = 3s;
constexpr duration answer_within = 10s;
constexpr duration look_every = 50ms;  ///< at the states, until they are equal

cluster_spec spec_of(const protocol& ordering, std::size_t members, std::string machine,
                     std::map<std::string, std::string> protocol_options) {
  cluster_spec spec;
  spec.name = "local";
  spec.protocol = ordering.name;
  spec.protocol_options = std::move(protocol_options);
  spec.machine = std::move(machine);
  for (std::uint32_t n = 1; n <= members; ++n)
    spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
  return spec;
}

link_faults draw_faults(prng& plan) {
  link_faults f;
  if (plan.chance(60))
    f.loss = static_cast<double>(plan.between(1, 20));
  if (plan.chance(50))
    f.duplicates = static_cast<double>(plan.between(1, 20));
  f.delay_max = std::chrono::microseconds{plan.below(plan.chance(30) ? 20'000 : 2'000)};
  return f;
}

bool same(const store& a, const store& b) {
  std::map<std::string, std::string> rows;
  a.scan("", "", [&](std::string_view key, std::string_view value) {
    rows.emplace(key, value);
    return true;
  });
  bool equal = true;
  std::size_t count = 0;
  b.scan("", "", [&](std::string_view key, std::string_view value) {
    const auto row = rows.find(std::string{key});
    equal = row != rows.end() && row->second == value;
    ++count;
    return equal;
  });
  return equal && count == rows.size();
}

/// One cluster, its clients, and what happens to it.
class local_run {
public:
  local_run(std::uint64_t seed, std::size_t members, const protocol& ordering, const options& how)
      : plan_(seed * 7919 + members), seed_(seed), members_(members), det_(seed),
        faults_(std::make_shared<link_faults>(draw_faults(plan_))),
        work_(how.work ? how.work() : workload_of(plan_.chance(30) ? "key_value" : "append_log")) {
    add(state_check(verdict_), how);
    add(note_check(verdict_), how);
    add(work_->make_check(verdict_), how);
    auto protocol_options =
        plan_.chance(50) ? draw_options(ordering.name, plan_) : decltype(cluster_spec::protocol_options){};
    cluster_ = std::make_unique<local_cluster>(
        det_.system(), spec_of(ordering, members, work_->machine(), std::move(protocol_options)),
        draw_local(ordering));
    count_.starts = members;
  }
  ~local_run() {
    cluster_.reset();
    for (const auto& link : links_)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(link), caf::exit_reason::user_shutdown);
    det_.drain();
  }
  local_run(const local_run&) = delete;
  local_run& operator=(const local_run&) = delete;

  report go() {
    storm();
    heal();
    report r;
    r.ok = !verdict_.failed();
    r.failure = verdict_.why();
    r.replay = std::string{replay_command} + " --seed " + std::to_string(seed_) + " --members " +
               std::to_string(members_);
    r.hash = det_.transcript();
    r.events = det_.steps();
    r.simulated = det_.passed();
    count_.searches = verdict_.searches();
    count_.gave_up = verdict_.gave_up();
    r.count = count_;
    r.operations = operations_;
    return r;
  }

private:
  void add(std::unique_ptr<check> one, const options& how) {
    if (!how.without.contains(one->name()))
      checks_.add(std::move(one));
  }

  local_options draw_local(const protocol& ordering) {
    local_options options;
    options.deterministic = true;
    options.seed = seed_;
    options.ordering = &ordering;
    options.make_machine = work_->make_machine();
    // Small enough that logs are cut, and those who come back need a snapshot.
    if (plan_.chance(50))
      options.log = {plan_.between(1, 30), 1'000'000};
    options.logger = [this](severity level, node_id node, std::string_view role, const std::string& line) {
      checks_.tell(&check::noted, place{node, {}, {}, port::node}, level, std::string{role} + ": " + line);
    };
    options.fatal = [this](node_id node, const std::string& why) {
      verdict_.fail("invariant", text(node) + ": " + why);
    };
    options.between = [this](node_id, node_id, const role_address&, const caf::strong_actor_ptr& handle) {
      links_.push_back(spawn_faulty_link(det_, handle, faults_));
      return links_.back();
    };
    return options;
  }

  [[nodiscard]] node_id some_node() {
    return node_id{static_cast<std::uint32_t>(plan_.between(1, members_))};
  }

  /// Clients ask while nodes crash, come back and are cut off.
  void storm() {
    for (auto rounds = plan_.between(4, 12); rounds > 0 && !verdict_.failed(); --rounds) {
      for (auto groups = plan_.below(5); groups > 0; --groups)
        ask_some(some_node());
      det_.run_for(std::chrono::milliseconds{plan_.between(1, plan_.chance(30) ? 300 : 60)});
      strike(some_node());
    }
  }

  void strike(node_id victim) {
    switch (plan_.below(8)) {
    case 0:
    case 1:
      crash(victim);
      break;
    case 2:
    case 3:
      restart(victim);
      break;
    case 4:
      cluster_->cut_off(victim, true);
      break;
    case 5:
      cluster_->cut_off(victim, false);
      break;
    case 6:
      *faults_ = draw_faults(plan_);
      break;
    default:
      // Everybody at once, now and then.
      for (std::uint32_t n = 1; n <= members_ && victim.value == 1; ++n)
        crash(node_id{n});
      break;
    }
  }

  void crash(node_id victim) {
    if (!down_.insert(victim).second)
      return;
    cluster_->crash(victim, plan_.below(4));
  }

  void restart(node_id victim) {
    if (down_.erase(victim) == 0)
      return;
    // The actors of the last start must have ended before there are new ones on their disk.
    det_.drain();
    cluster_->restart(victim);
    ++count_.starts;
  }

  void ask_some(node_id at) {
    if (down_.contains(at))
      return;
    const auto timeout = std::chrono::milliseconds{plan_.between(10, plan_.chance(50) ? 100 : 2'000)};
    for (auto calls = plan_.chance(40) ? plan_.between(2, 12) : 1; calls > 0; --calls) {
      const auto local = plan_.chance(5);
      auto call =
          local || plan_.chance(30) ? work_->read(plan_) : work_->write(plan_, operations_.list().size(), 32);
      if (local)
        call.kind = request_kind::read_local;
      ask(at, std::move(call), timeout);
    }
  }

  std::uint64_t ask(node_id at, client_call call, duration timeout) {
    const client_request request{token{}, call.kind, call.key, payload{call.body}, timeout};
    const auto number = operations_.invoke(at, call.kind, std::move(call.key), std::move(call.body), tick());
    ++count_.operations;
    ++open_;
    checks_.tell(&check::invoked, operations_[number]);
    cluster_->submit(at, request, [this, number](client_reply reply) {
      --open_;
      det_.note(static_cast<std::uint64_t>(reply.code));
      count_.acknowledged += reply.code == errc::ok ? 1 : 0;
      const auto& op = operations_.answer(number, reply.code, std::string{reply.body.view()}, tick());
      checks_.tell(&check::returned, op);
    });
    return number;
  }

  /// Counts events: many of them happen at one moment of the simulated time, and in a known order.
  time_point tick() { return time_point{static_cast<std::int64_t>(++ticks_)}; }

  void heal() {
    *faults_ = {};
    for (std::uint32_t n = 1; n <= members_; ++n) {
      cluster_->cut_off(node_id{n}, false);
      restart(node_id{n});
    }
    await_answers("clients got no answer");
    det_.run_for(settle);
    probe(false);
    if (!verdict_.failed() && !det_.run_until([this] { return equal_states(); }, answer_within))
      fail("the replicas have not become equal");
    probe(true);
    if (!verdict_.failed())
      checks_.tell(&check::ended, outcome());
  }

  void probe(bool read_all) {
    if (verdict_.failed())
      return;
    std::vector<std::uint64_t> asked;
    for (std::uint32_t n = 1; n <= members_; ++n)
      asked.push_back(ask(node_id{n},
                          read_all ? work_->read_all() : work_->write(plan_, operations_.list().size(), 16),
                          answer_within));
    await_answers("a client got no answer after the faults were over");
    for (const auto number : asked)
      if (const auto& op = operations_[number]; op.code != errc::ok)
        fail(std::string{read_all ? "a read" : "a command"} + " on " + quorate::text(op.at) +
             " was answered " + std::string{to_string(op.code)} + " after the faults were over");
  }

  void await_answers(const std::string& otherwise) {
    if (!verdict_.failed() && !det_.run_until([this] { return open_ == 0; }, 2 * answer_within))
      fail(otherwise);
  }

  /// Looks at them now and then only: it takes long.
  [[nodiscard]] bool equal_states() {
    if (det_.passed() < next_look_)
      return false;
    next_look_ = det_.passed() + look_every;
    for (std::uint32_t n = 2; n <= members_; ++n)
      if (!same(cluster_->state(node_id{1}), cluster_->state(node_id{n})))
        return false;
    return true;
  }

  [[nodiscard]] run_outcome outcome() const {
    run_outcome result;
    result.operations = &operations_;
    for (const auto n : cluster_->nodes())
      result.nodes.push_back({n, false, &cluster_->state(n)});
    return result;
  }

  void fail(const std::string& why) { verdict_.fail("termination", why); }

  invariant_trap trap_;  ///< until the last actor is gone
  prng plan_;
  std::uint64_t seed_;
  std::size_t members_;
  deterministic_system det_;
  std::shared_ptr<link_faults> faults_;
  std::unique_ptr<workload> work_;
  verdict verdict_;
  watchers checks_;
  counters count_;
  history operations_;
  std::vector<caf::strong_actor_ptr> links_;
  std::unique_ptr<local_cluster> cluster_;
  std::set<node_id> down_;
  std::uint64_t open_ = 0;
  std::uint64_t ticks_ = 0;
  duration next_look_{};
};

}  // namespace

report run_local(std::uint64_t seed, std::size_t members, const protocol& ordering, const options& how) {
  return local_run{seed, members, ordering, how}.go();
}

findings explore_local(exploration what, const protocol& ordering, const options& how) {
  what.replay = replay_command;
  return explore(
      what, [&](std::uint64_t seed, std::size_t members) { return run_local(seed, members, ordering, how); });
}

}  // namespace quorate::testing
