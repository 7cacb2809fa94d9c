// An edge and its balancer in a cluster whose network and nodes do whatever they may.
#include "balancers/balancer.hpp"

#include "actors/bytes.hpp"
#include "balancers/registry.hpp"
#include "runtime/edge.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr node_id self{1};
constexpr std::uint32_t nodes = 4;

balancer_setup setup_of(const std::string& policy) {
  balancer_setup setup;
  for (std::uint32_t i = 1; i <= nodes; ++i)
    setup.members.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
  setup.self = self;
  setup.chosen = std::get<balancers::chosen_policy>(choose_balancer(policy, {}));
  setup.outstanding_max = 6;
  return setup;
}

/// Everything around the edge and the balancer of node 1. Within the node messages keep their order for each
/// pair of roles; between nodes they are lost, doubled and late. What is executed is executed once per id, as
/// long as its session is open. A request's body is its own name.
class world {
public:
  world(const std::string& policy, std::uint64_t seed)
      : random_(seed), edge_{self, boot_id{1}, edge_limits{40, 4'000, 60ms}}, chooser_{setup_of(policy)} {
    chooser_.seed(seed);
    edge_.start();
    take_edge();
    chooser_.start();
    take_chooser();
  }

  void step() {
    switch (random_.below(12)) {
    case 0:
    case 1:
    case 2:
      return request();
    case 3:
      return see();
    case 4:
    case 5:
      return execute();
    case 6:
    case 7:
      if (!back_.empty()) {
        const auto [from, what] = pick(back_);
        edge_.on(from, what);
        take_edge();
      }
      return;
    case 8:
      if (random_.chance(10) && open_.size() > 1)
        open_.erase(open_.begin());
      return;
    case 9:
      if (random_.chance(10))
        change_policy();
      return;
    case 10:
      return within();
    default:
      pass(std::chrono::milliseconds{random_.below(20)});
    }
  }

  /// Deadlines pass; what is within the node goes on, what is between nodes is lost.
  void settle() {
    for (int i = 0; i < 200; ++i) {
      pass(5ms);
      while (!within_.empty())
        within();
    }
  }

  void check() {
    REQUIRE(answers_.size() == asked_.size());
    edge_.pass(100ms);
    chooser_.pass(100ms);
    chooser_.tick();
    const auto figures = chooser_.sent<balancer_figures>().at(0);
    for (const auto& [node, account] : figures.of)
      REQUIRE(account.outstanding == 0);
    // What still lies about somewhere is executed now, and must not make a liar of anybody.
    while (!lying_.empty())
      execute();
  }

  std::map<errc, std::size_t> seen() const {
    std::map<errc, std::size_t> out;
    for (const auto& [name, code] : answers_)
      ++out[code];
    return out;
  }
  std::uint64_t copies() const { return copies_; }

private:
  struct copy {
    node_id at;
    command what;
  };

  template <class T>
  T pick(std::vector<T>& from) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(random_.below(from.size()));
    auto out = *at;
    from.erase(at);
    return out;
  }

  void request() {
    const auto name = std::to_string(++names_);
    client_request r{token{names_}, request_kind::write, "k" + std::to_string(names_ % 7), payload{name}, {}};
    r.timeout = std::chrono::milliseconds{random_.between(5, 300)};
    asked_.insert(name);
    edge_.on(self, client_requests{{r}});
    take_edge();
  }

  void see() {
    nodes_seen msg;
    for (std::uint32_t i = 1; i <= nodes; ++i)
      msg.of[node_id{i}] = {random_.chance(70), random_.chance(20) ? 100U : 0U};
    chooser_.on(self, msg);
    take_chooser();
  }

  void change_policy() {
    const auto all = all_balancers();
    const std::string name{all[random_.below(all.size())].name};
    chooser_.on(self, policy_change{std::get<balancers::chosen_policy>(choose_balancer(name, {}))});
    take_chooser();
  }

  /// One message within the node, of any pair of roles.
  void within() {
    std::vector<int> pairs;
    for (const auto& [pair, queue] : within_)
      pairs.push_back(pair);
    if (pairs.empty())
      return;
    const auto pair = pairs[random_.below(pairs.size())];
    auto& queue = within_[pair];
    const auto next = queue.front();
    queue.pop_front();
    if (queue.empty())
      within_.erase(pair);
    next();
  }

  void take_edge() {
    for (const auto& m : edge_.sent<submission>())
      to_replica(1, m);
    for (const auto& m : edge_.sent<withdraw>())
      later(1, [this, m] { take_back(m); });
    for (const auto& m : edge_.sent<route>())
      later(2, [this, m] {
        chooser_.on(self, m);
        take_chooser();
      });
    for (const auto& m : edge_.sent<feedback>())
      later(2, [this, m] {
        chooser_.on(self, m);
        take_chooser();
      });
    for (const auto& m : edge_.sent<client_replies>())
      for (const auto& r : m.list)
        answered(r);
    for (const auto& t : edge_.wanted<timer_effect>())
      due_[t.tag.value] = edge_.now() + t.after;
    for (const auto& t : edge_.wanted<cancel_effect>())
      due_.erase(t.tag.value);
  }

  template <class M>
  void tell_edge() {
    for (const auto& m : chooser_.sent<M>())
      later(3, [this, m] {
        edge_.on(self, m);
        take_edge();
      });
  }

  void take_chooser() {
    for (const auto& m : chooser_.sent<submission>())
      to_replica(4, m);
    for (const auto& e : chooser_.effects())
      if (const auto* s = std::get_if<send_effect>(&e))
        if (const auto* m = s->message.get<handover>()) {
          ++copies_;
          const auto times = random_.chance(20) ? 0 : random_.chance(20) ? 2 : 1;
          for (int i = 0; i < times; ++i)
            for (const auto& c : m->commands)
              lying_.push_back({s->to.front(), c});
        }
    tell_edge<routed>();
    tell_edge<route_mode>();
    tell_edge<route_again>();
    tell_edge<nodes_lost>();
  }

  void later(int pair, std::function<void()> what) { within_[pair].push_back(std::move(what)); }

  void to_replica(int pair, const submission& m) {
    later(pair, [this, m] {
      for (const auto& c : m.commands)
        if (c.kind == command_kind::open_session) {
          open_.insert(++sessions_);
          std::string bytes;
          put_little(bytes, sessions_);
          edge_.on(self, outcomes{{{c.id, errc::ok, payload{std::move(bytes)}}}});
          take_edge();
        } else {
          lying_.push_back({self, c});
        }
    });
  }

  /// As the replica of this node does it: what lies at its proposer may be taken back.
  void take_back(const withdraw& m) {
    withdrawn out{{}, m.id};
    for (const auto& id : m.ids)
      if (std::erase_if(lying_, [&](const copy& c) { return c.at == self && c.what.id == id; }) > 0)
        out.ids.push_back(id);
    later(5, [this, out] {
      edge_.on(self, out);
      take_edge();
    });
  }

  /// One copy of a command, wherever it lies.
  void execute() {
    if (lying_.empty())
      return;
    const auto c = pick(lying_);
    const std::string name{c.what.body.view()};
    outcome result{c.what.id, errc::ok, payload{"did " + name}};
    if (!open_.contains(c.what.id.session.value)) {
      result = {c.what.id, errc::session_expired, {}};
    } else if (ids_.insert(c.what.id).second) {
      const auto answer = answers_.find(name);
      if (answer != answers_.end())
        REQUIRE(answer->second == errc::unknown_outcome);
      REQUIRE_MESSAGE(executed_.insert(name).second, "executed twice: " << name);
    }
    if (c.at == self) {
      later(6, [this, result] {
        edge_.on(self, outcomes{{result}});
        take_edge();
      });
    } else if (!random_.chance(20)) {
      back_.push_back({c.at, outcomes{{result}}});
      if (random_.chance(10))
        back_.push_back({c.at, outcomes{{result}}});
    }
  }

  void answered(const client_reply& r) {
    const auto name = std::to_string(r.id.value);
    REQUIRE(asked_.contains(name));
    REQUIRE(answers_.emplace(name, r.code).second);
    if (r.code == errc::ok) {
      REQUIRE(r.body.view() == "did " + name);
      REQUIRE(executed_.contains(name));
    } else if (r.code != errc::unknown_outcome) {
      REQUIRE(!executed_.contains(name));
    }
  }

  void pass(duration time) {
    edge_.pass(time);
    chooser_.pass(time);
    const auto all = due_;
    for (const auto& [tag, at] : all)
      if (at <= edge_.now() && due_.erase(tag) > 0) {
        edge_.tick(tag);
        take_edge();
      }
  }

  prng random_;
  lone_role<edge> edge_;
  lone_role<balancer> chooser_;
  std::map<int, std::deque<std::function<void()>>> within_;  ///< by pair of roles, in order
  std::vector<copy> lying_;                                  ///< commands that may still be executed
  std::vector<std::pair<node_id, outcomes>> back_;
  std::map<std::uint64_t, time_point> due_;
  std::uint64_t names_ = 0;
  std::uint64_t sessions_ = 100;
  std::uint64_t copies_ = 0;
  std::set<std::uint64_t> open_;
  std::set<command_id> ids_;
  std::set<std::string> asked_;
  std::set<std::string> executed_;
  std::map<std::string, errc> answers_;
};

}  // namespace

TEST_CASE("with every policy each request is answered once, no answer lies, and nothing stays outstanding") {
  std::map<errc, std::size_t> seen;
  std::uint64_t copies = 0;
  for (const auto& b : all_balancers())
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(b.name);
      CAPTURE(seed);
      world w{std::string{b.name}, seed};
      for (int i = 0; i < 1'500; ++i)
        w.step();
      w.settle();
      w.check();
      for (const auto& [code, count] : w.seen())
        seen[code] += count;
      copies += w.copies();
    }
  for (const auto code : {errc::ok, errc::no_quorum, errc::unknown_outcome, errc::overloaded})
    CHECK_MESSAGE(seen[code] > 500, to_string(code));
  CHECK(copies > 10'000);
}

}  // namespace quorate::testing
