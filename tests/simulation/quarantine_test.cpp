// A state machine that is not the same on one node: that node stops serving as soon as it can know, for good,
// and no other one does.
#include "protocols/registry.hpp"
#include "runtime/replica.hpp"
#include "sync/messages.hpp"
#include "tests/harness/bent_role.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

constexpr node_id odd_one{2};
constexpr log_index odd_from{6};

/// Writes what the others do not, from an index on. Its answers are right: nobody would notice.
class straying_machine : public state_machine {
public:
  explicit straying_machine(std::unique_ptr<state_machine> whole) : whole_(std::move(whole)) {}
  [[nodiscard]] std::string_view name() const override { return whole_->name(); }
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    whole_->apply(index, commands, state, answers);
    if (index >= odd_from)
      state.put("\x7fstray", std::to_string(index.value));
  }
  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override {
    return whole_->query(request, view);
  }

private:
  std::unique_ptr<state_machine> whole_;
};

/// What each replica was told, and has told, at each index; from it, who can know that it differs from a
/// majority.
class quarantine_check : public check {
public:
  /// `in_quarantine`: who is, at the end; may be null.
  quarantine_check(verdict& result, std::size_t members, std::set<node_id>* in_quarantine = nullptr)
      : check(result), most_(members), in_quarantine_(in_quarantine) {}
  [[nodiscard]] std::string_view name() const override { return "quarantine"; }

  void crashed(node_id node) override {
    // What it only had begun to say may be lost.
    if (!said_.contains(node))
      knows_.erase(node);
    closed_.erase(node);
    own_.erase(node);
    heard_.erase(node);
  }

  void executed(node_id node, log_index index, std::span<const command_view>) override {
    if (node == odd_one && index >= odd_from)
      odd_.insert(node);
  }
  void stored(const place& p, log_index, std::optional<std::uint64_t> changes) override {
    if (changes)
      return;
    // Its state is another one now; perhaps from one that had strayed and could not know it yet.
    own_.erase(p.node);
    if (!said_.contains(p.node))
      knows_.erase(p.node);
    if (!odd_.empty())
      odd_.insert(p.node);
  }

  void taken(const place& by, node_id from, const box& message) override {
    if (by.role == port::replica && from != by.node)
      if (const auto* m = message.get<wire::Applied>()) {
        note(heard_[by.node][from], *m);
        learn(by.node);
      }
    if (message.get<stop_serving>() != nullptr || message.get<quarantined>() != nullptr)
      closed_[by.node].insert(by.role);
  }

  void sent(const place& from, const std::vector<node_id>& to, const box& message) override {
    if (const auto* m = message.get<wire::Applied>()) {
      note(own_[from.node], *m);
      learn(from.node);
      if (m->quarantined()) {
        said_.insert(from.node);
        // Until a difference can be known, a snapshot of the odd one's may have made it the majority's state.
        if (!odd_.contains(from.node) && !most_.reached(odd_.size()))
          fail(text(from) + " is in quarantine, and its state is the others'");
        if (m->durable() > m->next())
          fail(text(from) + " says durable beyond what it has");
      } else if (said_.contains(from.node)) {
        fail(text(from) + " has forgotten that it is in quarantine");
      }
    }
    if (knows_.contains(from.node) && from.role == port::replica) {
      if (message.get<read_job>() != nullptr)
        fail(text(from) + " answers a read, and can know that its state differs from a majority's");
      if (message.get<propose>() != nullptr)
        fail(text(from) + " has a command ordered, and can know that its state differs from a majority's");
      if (const auto* m = message.get<outcomes>())
        for (const auto& one : m->list)
          if (one.code == errc::ok)
            fail(text(from) + " answers a command, and can know that its state differs from a majority's");
    }
    const auto serves = message.get<with_payload<sync::wire::SnapshotPart>>() != nullptr ||
                        message.get<with_payload<sync::wire::Entries>>() != nullptr;
    if (serves && from.role == port::sync && closed_[from.node].contains(port::sync))
      fail(text(from) + " serves " + quorate::text(to.front()) + " from a state that is not a majority's");
  }

  void returned(const operation& op) override {
    if (op.code == errc::ok && op.kind != request_kind::write && closed_[op.at].contains(port::edge))
      fail(quorate::text(op.at) + " has answered a read in quarantine");
  }

  void ended(const run_outcome&) override {
    for (const auto node : knows_)
      if (!said_.contains(node))
        fail(quorate::text(node) + " still serves, and can know that its state differs from a majority's");
    if (in_quarantine_ != nullptr)
      *in_quarantine_ = said_;
  }

private:
  using hashes = std::map<std::uint64_t, std::uint64_t>;

  static void note(hashes& of, const wire::Applied& m) {
    of[m.next()] = m.state_hash();
    auto at = m.checked();
    for (const auto hash : m.hashes()) {
      of[at] = hash;
      at -= 64;
    }
  }

  void learn(node_id node) {
    for (const auto& [at, mine] : own_[node]) {
      std::map<std::uint64_t, std::size_t> votes;
      for (const auto& [from, told] : heard_[node])
        if (const auto found = told.find(at); found != told.end())
          ++votes[found->second];
      for (const auto& [hash, count] : votes)
        if (hash != mine && mine != 0 && most_.reached(count))
          knows_.insert(node);
    }
  }

  majority most_;
  std::set<node_id>* in_quarantine_;
  std::map<node_id, hashes> own_;
  std::map<node_id, std::map<node_id, hashes>> heard_;
  std::set<node_id> odd_;  ///< whose states are not what the others' are, or may not be
  std::set<node_id> knows_;
  std::set<node_id> said_;  ///< durably
  std::map<node_id, std::set<port>> closed_;
};

options how_of(std::size_t members, bend (*wrong)() = nullptr, port role = port::replica) {
  options how;
  how.checks = checks_of("mencius", members);
  how.checks.push_back([members](verdict& v) { return std::make_unique<quarantine_check>(v, members); });
  // Its state does differ, and that is said.
  how.without = {"state", "note"};
  how.mutants.bend_machine = [](std::unique_ptr<state_machine> whole,
                                node_id node) -> std::unique_ptr<state_machine> {
    if (node != odd_one)
      return whole;
    return std::make_unique<straying_machine>(std::move(whole));
  };
  if (wrong != nullptr)
    how.mutants.bend_role = [wrong, role](std::unique_ptr<any_role> whole,
                                          const role_identity&) -> std::unique_ptr<any_role> {
      if (whole->place() != role)
        return whole;
      return std::make_unique<bent_role>(std::move(whole), wrong());
    };
  return how;
}

void shape(scenario& s) {
  // A wiped disk is nobody's majority, and makes that a story of its own.
  std::erase_if(s.faults, [](const fault& f) { return f.kind == fault_kind::wipe; });
  // Who has forgotten its own hashes cannot know.
  s.memory.reset("replica.hashes_max");
}

/// The odd one crashes again and again, and its clients read.
void restarts(scenario& s) {
  shape(s);
  for (int i = 1; i <= 4; ++i)
    s.faults.push_back({i * s.faults_for / 5, 50ms, fault_kind::crash, {odd_one}, 0});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
}

findings explored(std::size_t members, const options& how, void (*shaped)(scenario&), std::uint64_t seeds,
                  std::string_view protocol = "mencius") {
  exploration what;
  what.seeds = seeds;
  what.members = members;
  what.shape = shaped;
  return explore(what, *find_protocol(protocol), how);
}

std::string first_of(const findings& f) {
  return f.failures.empty() ? "nothing"
                            : std::to_string(f.failures.front().seed) + ": " + f.failures.front().failure;
}

bend hears_no_hash() {
  return {nullptr, [](node_id&, box& message) {
            change<wire::Applied>(message, [](wire::Applied& m) {
              m.clear_state_hash();
              m.clear_hashes();
            });
            return true;
          }};
}

bend saves_no_quarantine() {
  return {[](std::vector<effect>& list) {
            std::erase_if(list, [](const effect& e) {
              const auto* s = std::get_if<save_effect>(&e);
              return s != nullptr && s->key == "q";
            });
          },
          nullptr};
}

}  // namespace

TEST_CASE("a node whose state differs from a majority's stops serving as soon as it can know, for good") {
  const auto seeds = wishes_of_environment().seeds / 10;
  for (const auto* protocol : {"mencius", "paxos"})
    for (const std::size_t members : {3, 5})
      for (auto* shaped : {&shape, &restarts}) {
        auto how = how_of(members);
        how.checks = checks_of(protocol, members);
        how.checks.push_back(
            [members](verdict& v) { return std::make_unique<quarantine_check>(v, members); });
        const auto found = explored(members, how, shaped, seeds / 2, protocol);
        CHECK_MESSAGE(found.failures.empty(), protocol << " " << members << ": " << first_of(found));
        std::printf("quarantine, %s, %zu members: %s\n", protocol, members, text(found).c_str());
      }
}

TEST_CASE("without any fault beside, the node that differs is in quarantine soon, and no other one") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (const std::size_t members : {3, 4, 5}) {
      auto s = scenario::from_seed(seed, members, "mencius");
      s.faults.clear();
      s.network = {};
      auto how = how_of(members);
      std::set<node_id> in_quarantine;
      how.checks.back() = [&](verdict& v) {
        return std::make_unique<quarantine_check>(v, members, &in_quarantine);
      };
      const auto result = run(s, *find_protocol("mencius"), how);
      CHECK_MESSAGE(result.ok, result.failure << "\n" << result.replay);
      CHECK(in_quarantine == std::set{odd_one});
    }
}

TEST_CASE("a replica that compares nothing or forgets its quarantine is caught") {
  struct row {
    std::string_view name;
    bend (*wrong)();
    port role;
    void (*shaped)(scenario&);
  };
  for (const auto& r : {row{"hears no hash", hears_no_hash, port::replica, shape},
                        row{"saves no quarantine", saves_no_quarantine, port::replica, restarts}}) {
    const auto found = explored(3, how_of(3, r.wrong, r.role), r.shaped, 500);
    CHECK_MESSAGE(!found.failures.empty(), r.name);
    CHECK(first_of(found).find("quarantine: ") != std::string::npos);
    std::printf("quarantine, %s: %s\n", std::string{r.name}.c_str(), first_of(found).c_str());
  }
}
