// Planted bugs in the roles that every node has whatever its protocol, in its journal and in its gates.
#include "protocols/registry.hpp"
#include "runtime/founding.hpp"
#include "runtime/replica.hpp"
#include "runtime/store_keys.hpp"
#include "tests/harness/mutants.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <set>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

// --- replica, executor
// -------------------------------------------------------------------------------------------

/// Executes what it is asked for at once, and has nobody order it.
bend executes_before_commit() {
  auto asked = std::make_shared<std::uint64_t>(0);
  return {nullptr, [asked](node_id&, box& message) {
            const auto* m = message.get<submission>();
            if (m == nullptr || m->commands.empty() || m->commands.front().kind != command_kind::machine)
              return true;
            const batch now{{node_id{9}, boot_id{1}, ++*asked}, encode_commands(m->commands)};
            message = box::of(delivered{now, cursor{1'000'000 + *asked}, 0});
            return true;
          }};
}

/// Forgets whatever it has applied itself.
bend forgets_alone() {
  auto last = std::make_shared<cursor>();
  return {[last](std::vector<effect>& list) {
            change<forget>(list, [&](forget& m) { m.at = std::max(m.at, *last); });
          },
          [last](node_id&, box& message) {
            if (const auto* m = message.get<delivered>())
              *last = m->at;
            return true;
          }};
}

/// Says "durable" without a save that makes it so.
void durable_unsaved(std::vector<effect>& list) {
  std::erase_if(list, [](const effect& e) {
    const auto* s = std::get_if<save_effect>(&e);
    return s != nullptr && !s->lazy;
  });
}

/// Runs reads where it happens to stand.
bool reads_at_once(node_id&, box& message) {
  change<queries>(message, [](queries& m) {
    for (auto& q : m.list)
      q.linearizable = false;
  });
  return true;
}

/// Applies what its learner delivered before a fast-forward, too.
bend takes_old_deliveries() {
  auto generation = std::make_shared<std::uint64_t>(0);
  return {[generation](std::vector<effect>& list) {
            change<fast_forward>(list, [&](fast_forward& m) { *generation = m.generation; });
          },
          [generation](node_id&, box& message) {
            change<delivered>(message, [&](delivered& m) { m.generation = *generation; });
            return true;
          }};
}

/// Tells clients that commands were not ordered that may well be.
bend withdraws_everything() {
  auto asked = std::make_shared<std::map<token, std::vector<command_id>>>();
  return {[asked](std::vector<effect>& list) {
            change<withdrawn>(list, [&](withdrawn& m) { m.ids = (*asked)[m.id]; });
          },
          [asked](node_id&, box& message) {
            if (const auto* m = message.get<withdraw>())
              (*asked)[m->id] = m->ids;
            return true;
          }};
}

/// Forgets now and then who waits for a command.
bend loses_outcomes() {
  auto count = std::make_shared<std::uint64_t>(0);
  return {[count](std::vector<effect>& list) {
            drop<outcomes>(list, [&](const outcomes&) { return ++*count % 10 == 0; });
          },
          nullptr};
}

/// A view whose batches and applied point are of two moments: the point is one behind.
class torn_view : public store_view {
public:
  torn_view(std::shared_ptr<const store_view> whole, std::string point)
      : whole_(std::move(whole)), point_(std::move(point)) {}
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override {
    return key == store_keys::applied ? point_ : whole_->get(key);
  }
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override {
    whole_->scan(from, to, [&](std::string_view key, std::string_view value) {
      return pair(key, key == store_keys::applied ? std::string_view{point_} : value);
    });
  }
  [[nodiscard]] std::optional<std::pair<std::string, std::string>>
  last(std::string_view from, std::string_view upto) const override {
    return whole_->last(from, upto);
  }

private:
  std::shared_ptr<const store_view> whole_;
  std::string point_;
};

void snapshot_between_write_and_index(std::vector<effect>& list) {
  change<log_gone>(list, [](log_gone& m) {
    auto point = decode_applied_point(m.view->get(store_keys::applied).value_or(""));
    if (!point)
      return;
    --m.at.value;
    point->next = m.at;
    m.view = std::make_shared<torn_view>(m.view, encode(*point));
  });
}

bool snapshot_without_sessions(node_id&, box& message) {
  change<stage_snapshot>(message, [](stage_snapshot& m) {
    std::erase_if(m.pairs, [](const auto& pair) { return pair.first.starts_with(store_keys::session); });
  });
  return true;
}

/// A state machine that does not depend on its commands alone.
class moody_log : public state_machine {
public:
  explicit moody_log(std::unique_ptr<state_machine> whole) : whole_(std::move(whole)) {}
  [[nodiscard]] std::string_view name() const override { return whole_->name(); }
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    whole_->apply(index, commands, state, answers);
    state.put("applied since the start", std::to_string(++count_));
  }
  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override {
    return whole_->query(request, view);
  }

private:
  std::unique_ptr<state_machine> whole_;
  std::uint64_t count_ = 0;
};

/// The append log's workload with another state machine.
class moody_work : public workload {
public:
  [[nodiscard]] machine_factory make_machine() const override {
    return [make = whole_->make_machine()]() -> std::unique_ptr<state_machine> {
      return std::make_unique<moody_log>(make());
    };
  }
  [[nodiscard]] std::string machine() const override { return whole_->machine(); }
  [[nodiscard]] client_call write(prng& random, std::uint64_t number, std::uint64_t bytes_max) override {
    return whole_->write(random, number, bytes_max);
  }
  [[nodiscard]] client_call read(prng& random) override { return whole_->read(random); }
  [[nodiscard]] client_call read_all() override { return whole_->read_all(); }
  [[nodiscard]] std::unique_ptr<check> make_check(verdict& result) override {
    return whole_->make_check(result);
  }

private:
  std::unique_ptr<workload> whole_ = append_workload();
};

void moody_machine(options& how) {
  how.work = []() -> std::unique_ptr<workload> { return std::make_unique<moody_work>(); };
}
void longer_window(options& how) {
  how.mutants.session_window_longer = 1;
}

// --- edge
// --------------------------------------------------------------------------------------------------------

void refuses_what_it_does_not_know(std::vector<effect>& list) {
  change<client_replies>(list, [](client_replies& m) {
    for (auto& reply : m.list)
      if (reply.code == errc::unknown_outcome)
        reply.code = errc::no_quorum;
  });
}
void answers_twice(std::vector<effect>& list) {
  change<client_replies>(list, [](client_replies& m) { m.list.push_back(m.list.back()); });
}
/// A client's command under two names: its session cannot know them for one.
void submits_under_two_names(std::vector<effect>& list) {
  change<submission>(list, [](submission& m) {
    auto again = m.commands.back();
    again.id.number.value += 1;
    if (again.kind == command_kind::machine)
      m.commands.push_back(again);
  });
}
/// No bug, but what brings the bounds of a session's window to light: sequences with gaps, the newest first,
/// that are all said to be still open. The replicas must refuse some of them.
bend numbers_with_gaps() {
  static constexpr std::uint64_t gap = 4;
  return {[](std::vector<effect>& list) {
            change<submission>(list, [](submission& m) {
              for (auto& c : m.commands)
                if (c.kind == command_kind::machine) {
                  c.id.number.value *= gap;
                  c.done_below = 0;
                }
              std::reverse(m.commands.begin(), m.commands.end());
            });
            change<withdraw>(list, [](withdraw& m) {
              for (auto& id : m.ids)
                id.number.value *= gap;
            });
          },
          [](node_id&, box& message) {
            change<outcomes>(message, [](outcomes& m) {
              for (auto& o : m.list)
                if (o.id.session != session_id{0})
                  o.id.number.value /= gap;
            });
            change<withdrawn>(message, [](withdrawn& m) {
              for (auto& id : m.ids)
                id.number.value /= gap;
            });
            return true;
          }};
}
void lets_outcomes_go_too_soon(std::vector<effect>& list) {
  change<submission>(list, [](submission& m) {
    for (auto& c : m.commands)
      c.done_below = c.id.number.value + 1;
  });
}
void believes_local_reads(std::vector<effect>& list) {
  change<queries>(list, [](queries& m) {
    for (auto& q : m.list)
      q.linearizable = false;
  });
}
/// The answers of two clients change places.
void mixes_answers_up(std::vector<effect>& list) {
  change<client_replies>(list, [](client_replies& m) {
    if (m.list.size() > 1)
      std::swap(m.list.front().id, m.list.back().id);
  });
}

// --- sync
// --------------------------------------------------------------------------------------------------------

void applies_a_gap(std::vector<effect>& list) {
  change<apply_entries>(list, [](apply_entries& m) {
    if (m.entries.size() > 1)
      m.entries.erase(m.entries.begin());
  });
}
void forwards_too_far(std::vector<effect>& list) {
  change<apply_entries>(list, [](apply_entries& m) {
    if (!m.entries.empty())
      m.entries.back().at.value += 1;
  });
}
void has_nothing_for_laggards(std::vector<effect>& list) {
  drop<with_payload<sync::wire::SnapshotPart>>(list, [](const auto&) { return true; });
}
void stages_half(std::vector<effect>& list) {
  change<stage_snapshot>(list, [](stage_snapshot& m) { m.pairs.resize(m.pairs.size() / 2); });
}

// --- founding
// ----------------------------------------------------------------------------------------------------

/// Founds with whatever disk it likes for the last member.
void founds_with_a_wrong_disk(std::vector<effect>& list) {
  change<founded>(list, [](founded& m) { ++m.members.back().disk.value; });
}
/// The last member has the others in another order.
bend founded_in_another_order() {
  auto own = std::make_shared<std::uint64_t>(0);
  return {[own](std::vector<effect>& list) {
            change<quorate::wire::Hello>(list, [&](quorate::wire::Hello& m) { *own = m.disk(); });
            change<founded>(list, [&](founded& m) {
              if (m.members.back().disk.value == *own)
                std::swap(m.members[0], m.members[1]);
            });
          },
          nullptr};
}
bool hears_no_confirmation(node_id&, box& message) {
  const auto* m = message.get<quorate::wire::Hello>();
  return m == nullptr || m->phase() == quorate::wire::Hello::BLANK;
}

// --- journal, gate, origins
// --------------------------------------------------------------------------------------

void one_acknowledgement_too_many(options& how) {
  how.mutants.acknowledge_one_more = true;
}
void torn_writes(options& how) {
  how.mutants.torn_writes = true;
}
void failed_writes_pass(options& how) {
  how.mutants.deaf_to_disk = true;
}
void everybody_counts(options& how) {
  how.mutants.trust_everyone = true;
}
void forgetful_replica(options& how) {
  how.mutants.forgetful = port::replica;
}

// --- scenarios in which they have a chance
// --------------------------------------------------------------------------------------

/// Somebody is always so far behind that only a snapshot helps.
void laggards(scenario& s) {
  s.log.entries_max = 2;
  s.timings.flush_every = 20ms;
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 60);
  s.clients.think_max = 10ms;
}
void small_windows(scenario& s) {
  s.balancer = "local";  // the bug is in what an edge hands to its own replica
  s.sessions.window = 16;
  s.clients.window = s.clients.burst = 16;
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 60);
}
/// A slow node loses its connections over and over: sync and protocol bring it up to date at the same time.
void slow_laggard(scenario& s) {
  laggards(s);
  s.clients.operations_max = 100;
  s.faults.push_back({100ms, s.faults_for, fault_kind::slow, {node_id{1}}, 100});
  for (auto at = 200ms; at < s.faults_for; at += 150ms)
    s.faults.push_back({at, 70ms, fault_kind::cut_off, {node_id{1}}, 0});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
}
/// Messages that are late, from processes that are no more.
void stragglers(scenario& s) {
  s.network.stray = 20;
  s.network.stray_max = 500ms;
  s.network.reorder = true;
}

constexpr mutant planted[] = {
    {.name = "execution before commit",
     .expected = "execution",
     .role = port::replica,
     .bends = executes_before_commit},
    {.name = "forgetting that waits for nobody",
     .expected = "forget",
     .role = port::replica,
     .bends = forgets_alone,
     .shape = laggards},
    {.name = "told to be durable without a save",
     .expected = "restart",
     .role = port::replica,
     .bends = bends_out<durable_unsaved>,
     .shape = laggards},
    {.name = "a read that waits for no barrier",
     .expected = "barrier",
     .role = port::replica,
     .bends = bends_in<reads_at_once>},
    {.name = "deliveries from before a fast-forward",
     .expected = "execution",
     .role = port::replica,
     .bends = takes_old_deliveries,
     .shape = slow_laggard},
    {.name = "an ordered command withdrawn all the same",
     .expected = "refusal",
     .role = port::replica,
     .bends = withdraws_everything},
    {.name = "an outcome that is kept from its edge",
     .expected = "",
     .role = port::replica,
     .bends = loses_outcomes},
    {.name = "a snapshot taken between write and index",
     .expected = "state",
     .role = port::replica,
     .bends = bends_out<snapshot_between_write_and_index>,
     .shape = laggards},
    {.name = "the session table left out of a snapshot",
     .expected = "state",
     .role = port::replica,
     .bends = bends_in<snapshot_without_sessions>,
     .shape = laggards},
    {.name = "a log that is lost with each restart", .plant = forgetful_replica},
    {.name = "a state machine with a memory of its own", .expected = "state", .plant = moody_machine},
    {.name = "a session window off by one",
     .expected = "execution",
     .role = port::edge,
     .bends = numbers_with_gaps,
     .plant = longer_window,
     .shape = small_windows},
    {.name = "an unknown outcome answered as refused",
     .expected = "refusal",
     .role = port::edge,
     .bends = bends_out<refuses_what_it_does_not_know>},
    {.name = "a request answered twice",
     .expected = "client",
     .role = port::edge,
     .bends = bends_out<answers_twice>},
    {.name = "a command submitted under two names",
     .role = port::edge,
     .bends = bends_out<submits_under_two_names>},
    {.name = "outcomes let go before they are known",
     .role = port::edge,
     .bends = bends_out<lets_outcomes_go_too_soon>},
    {.name = "a linearizable read made local", .role = port::edge, .bends = bends_out<believes_local_reads>},
    {.name = "answers that change places", .role = port::edge, .bends = bends_out<mixes_answers_up>},
    {.name = "sync that applies a gap",
     .expected = "execution",
     .role = port::sync,
     .bends = bends_out<applies_a_gap>},
    {.name = "sync that forwards the protocol too far",
     .role = port::sync,
     .bends = bends_out<forwards_too_far>},
    {.name = "sync that has nothing for laggards",
     .expected = "termination",
     .role = port::sync,
     .bends = bends_out<has_nothing_for_laggards>,
     .shape = laggards},
    {.name = "half of a snapshot", .role = port::sync, .bends = bends_out<stages_half>, .shape = laggards},
    {.name = "a member founded with a wrong disk",
     .expected = "origin",
     .role = port::founding,
     .bends = bends_out<founds_with_a_wrong_disk>},
    {.name = "a node founded with the members in another order",
     .expected = "origin",
     .role = port::founding,
     .bends = founded_in_another_order},
    {.name = "founding that hears no confirmation",
     .expected = "termination",
     .role = port::founding,
     .bends = bends_in<hears_no_confirmation>},
    {.name = "gating off by one effect",
     .expected = "save before send",
     .plant = one_acknowledgement_too_many},
    {.name = "a write of several rows that is torn", .plant = torn_writes, .shape = laggards},
    {.name = "a failed write that passes for a good one", .plant = failed_writes_pass},
    {.name = "a stale boot accepted", .expected = "origin", .plant = everybody_counts, .shape = stragglers},
};

}  // namespace

TEST_CASE("each bug planted in what every node has is caught by its check") {
  for (const auto& c : hunt(planted, *find_protocol("paxos"))) {
    std::printf("%s\n", text(c).c_str());
    CHECK_MESSAGE(c.as_expected(), text(c));
  }
}

TEST_CASE("a client that steps over the bounds of its session's window is refused, and no more") {
  constexpr mutant greedy{
      .name = "sequences with gaps", .role = port::edge, .bends = numbers_with_gaps, .shape = small_windows};
  const auto c = hunt({&greedy, 1}, *find_protocol("paxos"), 200).front();
  CHECK_MESSAGE(!c.caught, text(c));
}

TEST_CASE("in the scenarios of planted bugs nothing fails where none is planted") {
  std::set<void (*)(scenario&)> seen;
  for (const auto& m : planted)
    if (m.shape != nullptr && seen.insert(m.shape).second)
      for (const auto& f : false_alarms(m, *find_protocol("paxos"), 100))
        FAIL_CHECK(m.name << ", seed " << f.seed << ": " << f.failure);
}
