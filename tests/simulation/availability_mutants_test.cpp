// Planted bugs in the rules about who may blame whom: safety does not depend on these, the pauses of the healthy do.
#include "actors/role_host.hpp"
#include "protocols/mencius/acceptor.hpp"
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/proposer.hpp"
#include "protocols/mencius/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/simulation/matrix.hpp"
#include "tests/simulation/mencius_mutants.hpp"

#include <algorithm>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;
using roles = std::vector<std::unique_ptr<any_role>>;

/// What the rules are about, from when the fault strikes on.
struct blame {
  std::uint64_t revoked_others = 0;  ///< Prepares over others' lanes, by the victim
  std::uint64_t handed_over = 0;     ///< HandOffs by healthy members
};

class blame_counter : public check {
public:
  blame_counter(verdict& result, blame& count, std::size_t members)
      : check(result), count_(count), victim_(static_cast<std::uint32_t>(members)) {}
  [[nodiscard]] std::string_view name() const override { return "blame"; }
  void invoked(const operation& op) override { struck_ = struck_ || op.invoked >= strikes_at; }
  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (!struck_)
      return;
    if (const auto* p = message.get<me::Prepare>(); p != nullptr && from.node == victim_)
      count_.revoked_others += p->lane() + 1 != victim_.value ? 1 : 0;
    if (message.get<with_payload<me::HandOff>>() != nullptr && from.node != victim_)
      ++count_.handed_over;
  }

private:
  blame& count_;
  node_id victim_;
  bool struck_ = false;
};

struct played {
  report r;
  figures seen;
  blame by;
};

played play(const square& what, const protocol& ordering, scenario s) {
  played out;
  options how;
  how.checks = checks_of("mencius", what.members);
  how.checks.push_back([&](verdict& result) -> std::unique_ptr<check> {
    return std::make_unique<blame_counter>(result, out.by, what.members);
  });
  how.steps_max = 20'000'000;
  out.r = run(s, ordering, how);
  out.seen = measure(what, out.r);
  return out;
}

protocol with_roles(roles (*make)(const protocol_context&)) {
  auto p = *find_protocol("mencius");
  p.make_roles = make;
  return p;
}

template <class R>
std::unique_ptr<any_role> whole(const protocol_context& context) {
  return std::make_unique<role_host<R>>(context);
}

/// Does more than the role itself whenever one of its timers fires.
class busy_role : public bent_role {
public:
  using more = std::function<void(any_role&)>;
  busy_role(std::unique_ptr<any_role> role, bend wrong, more before)
      : bent_role(std::move(role), std::move(wrong)), before_(std::move(before)) {}
  void on_timer(timer_tag tag) override {
    before_(*this);
    bent_role::on_timer(tag);
  }

private:
  more before_;
};

/// Takes an owner that is heard for one whose lane moves.
roles refuse_on_heartbeats(const protocol_context& context) {
  roles out;
  out.push_back(whole<me::proposer>(context));
  auto acceptor = whole<me::acceptor>(context);
  auto* inner = acceptor.get();
  const auto heard = std::make_shared<std::map<node_id, time_point>>();
  const auto ids = context.ids();
  out.push_back(std::make_unique<bent_role>(
      std::move(acceptor), bend{nullptr, [=](node_id& from, box& message) {
                                  const auto now = inner->out().now();
                                  (*heard)[from] = now;
                                  const auto* asked = message.get<me::Prepare>();
                                  return asked == nullptr || ids[asked->lane()] == from ||
                                         now - (*heard)[ids[asked->lane()]] > 500ms;
                                }}));
  out.push_back(whole<me::learner>(context));
  return out;
}

/// Believes that it hears everybody.
roles revoke_while_deaf(const protocol_context& context) {
  roles out;
  out.push_back(whole<me::proposer>(context));
  out.push_back(whole<me::acceptor>(context));
  auto others = context.ids();
  std::erase(others, context.self);
  out.push_back(std::make_unique<busy_role>(whole<me::learner>(context), bend{}, [others](any_role& learner) {
    me::Position nothing;
    nothing.set_answer(true);
    for (const auto n : others)
      static_cast<void>(learner.on(n, box::of(nothing)));
  }));
  return out;
}

/// The last member, whenever it waits for anything, finds all others slow.
void complain_of_all(std::vector<effect>& list, node_id self, const std::vector<node_id>& others) {
  if (self != others.back() && self.value < others.back().value)
    return;
  if (std::any_of(list.begin(), list.end(), [](const effect& e) {
        const auto* s = std::get_if<send_effect>(&e);
        return s != nullptr && s->message.get<me::Recall>() != nullptr;
      }))
    say_more(list, others, me::Slow{});
}

roles with_one_who_complains(const protocol_context& context, bool believed) {
  roles out;
  auto others = context.ids();
  std::erase(others, context.self);
  auto proposer = whole<me::proposer>(context);
  auto* inner = proposer.get();
  const auto all = context.ids();
  out.push_back(std::make_unique<bent_role>(
      std::move(proposer), bend{nullptr, [=](node_id& from, box& message) {
                                  if (believed && message.get<me::Slow>() != nullptr)
                                    for (const auto n : all)
                                      if (n != from)
                                        static_cast<void>(inner->on(n, message));
                                  return true;
                                }}));
  out.push_back(whole<me::acceptor>(context));
  out.push_back(std::make_unique<bent_role>(
      whole<me::learner>(context),
      bend{[self = context.self, others](auto& list) { complain_of_all(list, self, others); }, nullptr}));
  return out;
}
roles one_complains(const protocol_context& context) {
  return with_one_who_complains(context, false);
}
roles one_complains_and_is_believed(const protocol_context& context) {
  return with_one_who_complains(context, true);
}

/// Never learns that time is over for what it handed to others.
roles hand_off_for_ever(const protocol_context& context) {
  roles out;
  const auto handed = std::make_shared<bool>(false);
  auto proposer = whole<me::proposer>(context);
  class patient_role : public bent_role {
  public:
    patient_role(std::unique_ptr<any_role> role, std::shared_ptr<bool> handed)
        : bent_role(std::move(role),
                    bend{[handed](std::vector<effect>& list) {
                           for (const auto& e : list)
                             if (const auto* s = std::get_if<send_effect>(&e))
                               *handed = *handed || s->message.get<with_payload<me::HandOff>>() != nullptr;
                         },
                         nullptr}),
          handed_(std::move(handed)) {}
    void on_timer(timer_tag tag) override {
      if (!*handed_ || tag != timer_tag{1})
        bent_role::on_timer(tag);
    }

  private:
    std::shared_ptr<bool> handed_;
  };
  out.push_back(std::make_unique<patient_role>(std::move(proposer), handed));
  out.push_back(whole<me::acceptor>(context));
  out.push_back(whole<me::learner>(context));
  return out;
}

}  // namespace

TEST_CASE("an acceptor that refuses revocations because it hears the owner stops all others") {
  const square deaf{"deaf", "once", 3, true};
  const auto s = scenario_of(deaf, 1);
  CHECK(play(deaf, *find_protocol("mencius"), s).seen.gap <= 33);
  CHECK(play(deaf, with_roles(refuse_on_heartbeats), s).seen.gap > 100);
}

TEST_CASE("a learner that believes that it hears everybody has the living revoked") {
  for (const std::size_t members : {3, 5}) {
    const square deaf{"deaf", "once", members, false};
    const auto s = scenario_of(deaf, 1);
    CHECK(play(deaf, *find_protocol("mencius"), s).by.revoked_others == 0);
    CHECK(play(deaf, with_roles(revoke_while_deaf), s).by.revoked_others > members);
  }
}

TEST_CASE("an owner that believes one who comes and goes hands over what it could order itself") {
  for (const std::size_t members : {3, 5}) {
    const square flaps{"flapping", "steadily", members, false};
    const auto s = scenario_of(flaps, 1);
    const auto sound = play(flaps, with_roles(one_complains), s);
    CHECK(sound.by.handed_over == 0);
    CHECK(play(flaps, with_roles(one_complains_and_is_believed), s).by.handed_over > 0);
  }
}

TEST_CASE("an owner that never takes back what it has handed over never answers") {
  // The victim is slow, and whom it hands its commands to dies.
  const square slow{"slow links", "steadily", 3, true};
  auto s = scenario_of(slow, 1);
  for (const std::uint32_t n : {1, 2})
    s.faults.push_back({3500ms + n * 400ms, 200ms, fault_kind::crash, {node_id{n}}, 0});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
  const auto unanswered = [](const played& o) {
    return std::count_if(o.r.operations.list().begin(), o.r.operations.list().end(),
                         [](const operation& op) { return op.at == node_id{3} && op.fate() != fate::done; });
  };
  const auto sound = play(slow, *find_protocol("mencius"), s);
  CHECK_MESSAGE(sound.r.ok, sound.r.failure);
  CHECK(unanswered(sound) == 0);
  CHECK(unanswered(play(slow, with_roles(hand_off_for_ever), s)) > 0);
}
