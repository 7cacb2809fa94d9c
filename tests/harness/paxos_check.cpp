#include "tests/harness/paxos_check.hpp"

#include "protocols/paxos/ports.hpp"
#include "protocols/quorum.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

using paxos::slot;

class paxos_check : public check {
public:
  paxos_check(verdict& result, std::size_t members) : check(result), quorum_(members) {}
  [[nodiscard]] std::string_view name() const override { return "paxos"; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* prepare = message.get<paxos::Prepare>())
      prepared(from, from_wire(prepare->ballot()));
    else if (const auto* accept = message.get<with_payload<paxos::Accept>>())
      proposed(from, accept->head);
    else if (const auto* promise = message.get<with_payload<paxos::Promise>>())
      promised(from, promise->head);
    else if (const auto* vote = message.get<with_payload<paxos::Accepted>>())
      voted(from, vote->head);
  }

private:
  struct promise {
    ballot at;
    ballot told;  ///< the vote that came with it
  };
  struct said {
    std::vector<promise> promises;
    std::set<ballot> votes;
  };
  struct rounds {
    boot_id boot;
    std::uint64_t before = 0;  ///< the highest of earlier starts
    std::uint64_t now = 0;
  };
  struct tally {
    batch_id value;
    bool noop = false;
    std::set<disk_id> voters;
  };

  [[nodiscard]] std::string where(const place& p, slot s) const {
    return text(p) + ", slot " + std::to_string(s) + ": ";
  }

  void prepared(const place& from, const ballot& at) {
    auto& used = rounds_[from.disk];
    if (used.boot != from.boot)
      used = {from.boot, std::max(used.before, used.now), 0};
    if (at.round <= used.before)
      fail(text(from) + " uses ballot " + text(at) + ", which an earlier start may have used");
    used.now = std::max(used.now, at.round);
  }

  void proposed(const place& from, const paxos::Accept& m) {
    const auto value = from_wire(m.value().id());
    const auto [known, fresh] = proposals_.emplace(std::pair{m.slot(), from_wire(m.ballot())}, value);
    if (!fresh && known->second != value)
      fail(where(from, m.slot()) + "proposes two values at ballot " + text(from_wire(m.ballot())));
  }

  void promised(const place& from, const paxos::Promise& m) {
    auto& before = said_[{from.disk, m.slot()}];
    const promise now{from_wire(m.ballot()), m.has_voted() ? from_wire(m.voted()) : ballot{}};
    for (const auto& vote : before.votes)
      if (vote < now.at && vote > now.told)
        fail(where(from, m.slot()) + "promises " + text(now.at) + " and hides its vote at " + text(vote));
    for (const auto& p : before.promises)
      if (now.at < p.at && !(now.at == p.at))
        fail(where(from, m.slot()) + "promises " + text(now.at) + " after " + text(p.at));
    before.promises.push_back(now);
  }

  void voted(const place& from, const paxos::Accepted& m) {
    const auto at = from_wire(m.ballot());
    auto& before = said_[{from.disk, m.slot()}];
    for (const auto& p : before.promises)
      if (at < p.at && at > p.told)
        fail(where(from, m.slot()) + "votes at " + text(at) + " after it promised " + text(p.at));
    before.votes.insert(at);

    auto& count = tallies_[m.slot()][at];
    const auto value = from_wire(m.value().id());
    if (count.voters.empty()) {
      count.value = value;
      count.noop = m.value().noop();
    } else if (count.value != value || count.noop != m.value().noop()) {
      fail(where(from, m.slot()) + "two values at ballot " + text(at));
    }
    if (!count.voters.insert(from.disk).second || !quorum_.reached(count.voters.size()))
      return;
    const auto [known, fresh] = chosen_.emplace(m.slot(), value);
    if (!fresh && known->second != value)
      fail(where(from, m.slot()) + text(value) + " and " + text(known->second) + " are both chosen");
  }

  majority quorum_;
  std::map<disk_id, rounds> rounds_;
  std::map<std::pair<slot, ballot>, batch_id> proposals_;
  std::map<std::pair<disk_id, slot>, said> said_;
  std::map<slot, std::map<ballot, tally>> tallies_;
  std::map<slot, batch_id> chosen_;
};

}  // namespace

std::vector<check_factory> paxos_checks(std::size_t members) {
  return {[members](verdict& result) { return std::make_unique<paxos_check>(result, members); }};
}

std::map<std::string, std::string> draw_paxos_options(prng& random) {
  return {{"window", std::to_string(random.chance(30) ? 1 : random.between(1, 64))},
          {"takeover_after_ms", std::to_string(random.between(5, 60))},
          {"resend_after_ms", std::to_string(random.between(5, 100))}};
}

void draw_paxos_limits(role_limits& out, prng& random) {
  draw_limit(out, "learner.window_max", 4, 40, random);
  draw_limit(out, "learner.behind_max", 1, 30, random);
  draw_limit(out, "learner.bodies_bytes_max", 0, 1'000, random);
  draw_limit(out, "learner.ballots_max", 1, 3, random);
  draw_limit(out, "acceptor.recent_bytes_max", 0, 1'000, random);
  draw_limit(out, "acceptor.ask_bytes_max", 1, 1'000, random);
  draw_limit(out, "acceptor.reads_max", 1, 4, random);
}

}  // namespace quorate::testing
