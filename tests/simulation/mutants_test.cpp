// Planted bugs: a check that cannot fail is a defect, so each of these must be caught.
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/paxos.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

constexpr std::uint64_t seeds_max = 2'000;
constexpr std::size_t members = 3;

using roles = std::vector<std::unique_ptr<any_role>>;

/// A majority that lacks one vote.
majority one_too_small() {
  return majority{members - 2};
}

roles with_small_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
  return out;
}

roles with_small_promise_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context));
  return out;
}

roles with_small_vote_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
  return out;
}

protocol paxos_with(roles (*make)(const protocol_context&)) {
  auto p = *find_protocol("paxos");
  p.make_roles = make;
  return p;
}

/// Runs seeds until one of them shows the bug, and says which check it was.
void must_be_caught(std::string_view mutant, const protocol& p, const options& how) {
  exploration what;
  what.seeds = seeds_max;
  what.members = members;
  const auto found = explore(what, p, how);
  if (found.failures.empty())
    FAIL_CHECK("not caught: " << mutant);
  else
    std::printf("%.*s: caught by seed %llu (%s)\n", static_cast<int>(mutant.size()), mutant.data(),
                static_cast<unsigned long long>(found.failures.front().seed),
                found.failures.front().failure.c_str());
}

/// What clients and replicas see, without knowledge of gates or of the protocol.
options from_outside() {
  options how;
  how.without = {"save before send"};
  return how;
}

}  // namespace

TEST_CASE("an acceptor that forgets its promises is caught") {
  auto how = from_outside();
  how.mutants.forgetful = port::acceptor;
  must_be_caught("forgotten promise, from outside", *find_protocol("paxos"), how);
  how.checks = checks_of("paxos", members);
  must_be_caught("forgotten promise", *find_protocol("paxos"), how);
}

TEST_CASE("a proposer that uses its ballots again is caught") {
  auto how = from_outside();
  how.mutants.forgetful = port::proposer;
  how.checks = checks_of("paxos", members);
  must_be_caught("ballot reused after a restart", *find_protocol("paxos"), how);
}

TEST_CASE("answers that leave before the save they rest on are caught") {
  auto how = from_outside();
  how.mutants.acknowledge_early = true;
  must_be_caught("reply before save, from outside", *find_protocol("paxos"), how);
  how.without.clear();
  must_be_caught("reply before save", *find_protocol("paxos"), how);
}

TEST_CASE("a quorum that is one too small is caught") {
  must_be_caught("small quorum", paxos_with(with_small_quorum), from_outside());
  must_be_caught("small quorum of promises", paxos_with(with_small_promise_quorum), from_outside());
  must_be_caught("small quorum of votes", paxos_with(with_small_vote_quorum), from_outside());
}

TEST_CASE("a wiped disk that votes is caught") {
  options how;
  how.mutants.wiped_votes = true;
  must_be_caught("wiped disk votes", *find_protocol("paxos"), how);
  how.without = {"wiped disk"};
  how.checks = checks_of("paxos", members);
  must_be_caught("wiped disk votes, by its effect", *find_protocol("paxos"), how);
}

namespace {

/// Changes what a role takes and what it asks for; everything else is the role's own.
class bent_role : public any_role {
public:
  using bend_out = void (*)(std::vector<effect>&);
  using keep_in = bool (*)(const box&);
  bent_role(std::unique_ptr<any_role> whole, bend_out bend, keep_in keep)
      : whole_(std::move(whole)), bend_(bend), keep_(keep) {}

  [[nodiscard]] port place() const override { return whole_->place(); }
  void recover(const journal_view& saved) override { whole_->recover(saved); }
  void start() override { whole_->start(); }
  [[nodiscard]] bool on(node_id from, const box& message) override {
    return (keep_ != nullptr && !keep_(message)) || whole_->on(from, message);
  }
  void on_timer(timer_tag tag) override { whole_->on_timer(tag); }
  void on_rows(journal_rows rows) override { whole_->on_rows(std::move(rows)); }
  // Drivers set the clock here too, before a call: the list is empty then.
  [[nodiscard]] effects& out() override {
    auto& all = whole_->out();
    if (bend_ != nullptr && !all.list().empty())
      bend_(all.list());
    return all;
  }
  [[nodiscard]] caf::strong_actor_ptr spawn(std::unique_ptr<any_role>, caf::actor_system&,
                                            std::shared_ptr<shell_environment>,
                                            const role_identity&) override {
    return nullptr;  // planted bugs run in the simulator only
  }

private:
  std::unique_ptr<any_role> whole_;
  bend_out bend_;
  keep_in keep_;
};

template <class M, class F>
void change(std::vector<effect>& list, F f) {
  for (auto& one : list)
    if (auto* s = std::get_if<send_effect>(&one))
      if (const auto* m = s->message.template get<M>()) {
        auto other = *m;
        f(other);
        s->message = box::of(std::move(other));
      }
}

void hide_votes(std::vector<effect>& list) {
  change<with_payload<paxos::Promise>>(list, [](auto& m) { m.head.clear_voted(); });
}
void see_nothing(std::vector<effect>& list) {
  change<paxos::BarrierReply>(list, [](auto& m) { m.set_highest_voted(0); });
}
void empty_votes(std::vector<effect>& list) {
  change<with_payload<paxos::Accepted>>(list, [](auto& m) { m.head.mutable_value()->set_noop(true); });
}
void save_nothing(std::vector<effect>& list) {
  std::erase_if(list, [](const effect& e) { return std::holds_alternative<save_effect>(e); });
}
void deliver_late(std::vector<effect>& list) {
  change<delivered>(list, [](auto& m) { ++m.at.value; });
}
bool no_takeover(const box& message) {
  return message.get<paxos::Takeover>() == nullptr;
}

/// A planted bug in one role of a protocol, and the check that must see it first (empty: whichever).
struct mutant {
  std::string_view name;
  std::string_view protocol;
  port role;
  bent_role::bend_out bend;
  bent_role::keep_in keep;
  std::string_view expected;
};

constexpr mutant planted[] = {
    {"a promise hides its vote", "paxos", port::acceptor, hide_votes, nullptr, "paxos"},
    {"a vote for an empty value", "paxos", port::acceptor, empty_votes, nullptr, ""},
    {"an acceptor that saves nothing", "paxos", port::acceptor, save_nothing, nullptr, "paxos"},
    {"a barrier reply that saw nothing", "paxos", port::acceptor, see_nothing, nullptr, "append log"},
    {"a batch delivered under another cursor", "paxos", port::learner, deliver_late, nullptr, ""},
    {"a hole that nobody fills", "paxos", port::proposer, nullptr, no_takeover, "termination"},
};

// A protocol's table holds plain functions, which cannot carry the row; the workers inherit it.
const mutant* at_work = nullptr;

roles with_bent_role(const protocol_context& context) {
  auto made = find_protocol(at_work->protocol)->make_roles(context);
  for (auto& one : made)
    if (one->place() == at_work->role)
      one = std::make_unique<bent_role>(std::move(one), at_work->bend, at_work->keep);
  return made;
}

}  // namespace

TEST_CASE("each planted bug of the table is caught by its check") {
  for (const auto& m : planted) {
    auto p = *find_protocol(m.protocol);
    at_work = &m;
    p.make_roles = with_bent_role;
    options how;
    how.checks = checks_of(m.protocol, members);
    exploration what;
    what.seeds = seeds_max;
    what.members = members;
    what.workers = 1;  // always the same seed, so always the same check
    const auto found = explore(what, p, how);
    if (found.failures.empty()) {
      FAIL_CHECK("not caught: " << m.name);
      continue;
    }
    const auto& first = found.failures.front();
    std::printf("%-40s seed %4llu  %s\n", m.name.data(), static_cast<unsigned long long>(first.seed),
                first.failure.c_str());
    CHECK_MESSAGE(first.failure.starts_with(m.expected), m.name, ": ", first.failure);
  }
}
