#include "tests/harness/simulator.hpp"

#include "tests/harness/checks.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

/// One run, from its first event to its verdict.
class simulation {
public:
  simulation(const scenario& s, const protocol& ordering, const options& how)
      : how_(how), protocol_(ordering.name), log_(how.trace),
        work_(how.work ? how.work() : workload_of(s.machine)), around_{s,      how_.mutants, events_,
                                                                       log_,   result_,      checks_,
                                                                       count_, how_.without} {
    if (how.draw != nullptr)
      checks_.add(recorder(result_, events_, *how.draw));
    auto book = std::make_unique<ledger>(result_);
    const auto& ordered = *book;
    checks_.add(std::move(book));
    add([&](verdict& v) { return delivery_check(v, ordered); });
    add([&](verdict& v) { return execution_check(v, ordered, s.sessions); });
    add(state_check);
    add(restart_check);
    add(refusal_check);
    add([&](verdict& v) { return barrier_check(v, ordered); });
    add([&](verdict& v) { return forget_check(v, ordered, s.members); });
    add([&](verdict& v) { return proposal_check(v, ordered); });
    add(origin_check);
    add(wiped_check);
    add(note_check);
    for (const auto& make : how.checks)
      add(make);
    add([this](verdict& v) { return work_->make_check(v); });
    cluster_ = std::make_unique<cluster>(around_, ordering, how_, *work_);
  }

  report go() {
    const invariant_trap trap;
    try {
      play();
    } catch (const invariant_broken& e) {
      result_.fail("ensure", e.what());
    }
    report r;
    r.ok = !result_.failed();
    r.failure = result_.why();
    r.replay = replay_line(protocol_, around_.plan.seed, around_.plan.members);
    r.hash = log_.hash();
    r.events = events_.steps();
    r.simulated = events_.now();
    count_.searches = result_.searches();
    count_.gave_up = result_.gave_up();
    r.count = count_;
    r.rare = around_.rare;
    r.operations = cluster_->operations();
    if (!r.ok)
      log_.line(events_.now(), "FAILED", r.failure);
    return r;
  }

private:
  void add(const check_factory& make) {
    auto one = make(result_);
    if (!how_.without.contains(one->name()))
      checks_.add(std::move(one));
  }

  /// Lets everything happen that is due before `until`, or until `enough`.
  template <class Enough>
  void run_until(time_point until, Enough enough) {
    while (!result_.failed() && !events_.empty() && events_.next() < until && !enough()) {
      events_.step();
      if (events_.steps() > how_.steps_max)
        result_.fail("progress", "more than " + std::to_string(how_.steps_max) + " steps");
    }
  }

  void play() {
    const auto& plan = around_.plan;
    cluster_->begin();
    run_until(plan.faults_for, [] { return false; });
    if (result_.failed())
      return;
    cluster_->heal();
    run_until(plan.faults_for + plan.settle, [] { return false; });
    // Whatever is asked now must be answered, everywhere.
    probe(false);
    const auto converged_by = events_.now() + plan.converge_within;
    run_until(converged_by, [this] { return cluster_->members_equal(); });
    if (!result_.failed() && !cluster_->members_equal())
      result_.fail("termination", "the replicas have not become equal: " + indices());
    probe(true);
    // Somebody may have ordered a command meanwhile that nobody waits for any more.
    run_until(events_.now() + plan.converge_within, [this] { return cluster_->members_equal(); });
    if (!result_.failed())
      checks_.tell(&check::ended, cluster_->outcome());
  }

  /// One operation at every live member, all of which must be answered ok.
  void probe(bool read_all) {
    if (result_.failed())
      return;
    const auto timeout = around_.plan.answer_within;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < cluster_->size(); ++i)
      if (!cluster_->node(i).wiped() && !cluster_->node(i).quarantined())
        asked.push_back(i);
    ask(asked, timeout, read_all);
    // Where a session was evicted, and its first command since then has left the node, nobody can say for
    // sure that this one was refused everywhere. The next one has a new session.
    if (around_.plan.balancer != "local" && !read_all) {
      std::vector<std::size_t> again;
      for (const auto i : asked)
        if (last_answer(i).code == errc::unknown_outcome)
          again.push_back(i);
      ask(again, timeout, read_all);
    }
    for (const auto i : asked) {
      const auto& op = last_answer(i);
      if (!result_.failed() && op.code != errc::ok)
        result_.fail("termination", std::string{read_all ? "a read" : "a command"} + " on " +
                                        quorate::text(op.at) + " was answered " +
                                        std::string{to_string(op.code)} + " after the faults were over");
    }
  }

  void ask(const std::vector<std::size_t>& nodes, duration timeout, bool read_all) {
    if (nodes.empty() || result_.failed())
      return;
    for (const auto i : nodes)
      if (!cluster_->client_of(i).probe(timeout, read_all))
        result_.fail("termination", quorate::text(cluster_->node(i).id()) + " is not there at the end");
    run_until(events_.now() + 2 * timeout, [&] {
      return std::all_of(nodes.begin(), nodes.end(), [&](auto i) { return cluster_->client_of(i).idle(); });
    });
  }

  [[nodiscard]] const operation& last_answer(std::size_t i) {
    return cluster_->operations()[cluster_->client_of(i).last_probe()];
  }

  [[nodiscard]] std::string indices() const {
    std::string out;
    for (std::size_t i = 0; i < cluster_->size(); ++i) {
      const auto& n = cluster_->node(i);
      const auto index = n.disk().state().index();
      out += (out.empty() ? "" : ", ") + quorate::text(n.id()) + " " +
             (n.wiped() ? "wiped"
              : index   ? std::to_string(index->value)
                        : "nothing");
    }
    return out;
  }

  const options& how_;
  std::string protocol_;
  event_queue events_;
  transcript log_;
  verdict result_;
  watchers checks_;
  counters count_;
  std::unique_ptr<workload> work_;
  surroundings around_;
  std::unique_ptr<cluster> cluster_;
};

}  // namespace

std::string replay_line(std::string_view protocol, std::uint64_t seed, std::size_t members) {
  return "./tests/run.sh --protocol " + std::string{protocol} + " --seed " + std::to_string(seed) +
         " --members " + std::to_string(members);
}

report run(const scenario& s, const protocol& ordering, const options& how) {
  return simulation{s, ordering, how}.go();
}

}  // namespace quorate::testing
