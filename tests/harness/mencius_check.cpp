#include "tests/harness/mencius_check.hpp"

namespace quorate::testing {

namespace {

/// Keeps the record, and tells the parts of everything.
class mencius_check : public check {
public:
  mencius_check(verdict& result, std::size_t members) : check(result), record_(members) {
    add_mencius_value_parts(parts_, result, record_);
    add_mencius_service_parts(parts_, result, record_);
    add_mencius_ballot_parts(parts_, result, record_);
  }
  [[nodiscard]] std::string_view name() const override { return "mencius"; }

  void started(const place& p) override { tell(&check::started, p); }
  void crashed(node_id n) override { tell(&check::crashed, n); }
  void sent(const place& from, const std::vector<node_id>& to, const box& message) override {
    if (!ours(from))
      return;
    record_.add(from, message);
    tell(&check::sent, from, to, message);
  }
  void taken(const place& by, node_id from, const box& message) override {
    if (ours(by))
      tell(&check::taken, by, from, message);
  }

private:
  static bool ours(const place& p) {
    return p.role == port::proposer || p.role == port::acceptor || p.role == port::learner;
  }
  template <class... Ps, class... As>
  void tell(void (check::*hook)(Ps...), const As&... arguments) {
    for (auto& one : parts_)
      (one.get()->*hook)(arguments...);
  }

  mencius_record record_;
  mencius_parts parts_;
};

}  // namespace

std::vector<check_factory> mencius_checks(std::size_t members) {
  return {[members](verdict& result) { return std::make_unique<mencius_check>(result, members); }};
}

std::map<std::string, std::string> draw_mencius_options(prng& random) {
  return {{"window", std::to_string(random.chance(30) ? 1 : random.between(1, 64))},
          {"revoke_after_ms", std::to_string(random.between(5, 60))},
          {"resend_after_ms", std::to_string(random.between(5, 100))},
          {"yield_after_ms", std::to_string(random.chance(30) ? 1 : random.between(1, 50))}};
}

void draw_mencius_limits(role_limits& out, prng& random) {
  draw_limit(out, "learner.past_max", 0, 30, random);
  draw_limit(out, "learner.past_bytes_max", 0, 3'000, random);
  draw_limit(out, "learner.tally_slots_max", 1, 20, random);
  draw_limit(out, "learner.tally_ballots_max", 1, 3, random);
  draw_limit(out, "learner.bodies_bytes_max", 0, 1'000, random);
  draw_limit(out, "learner.answer_batches_max", 1, 8, random);
  draw_limit(out, "learner.answer_bytes_max", 1, 1'000, random);
  draw_limit(out, "learner.answer_ranges_max", 1, 4, random);
  draw_limit(out, "acceptor.recent_bytes_max", 0, 1'000, random);
  draw_limit(out, "acceptor.bodies_max", 1, 8, random);
  draw_limit(out, "acceptor.bodies_bytes_max", 1, 1'000, random);
  draw_limit(out, "acceptor.reads_max", 1, 4, random);
  if (random.chance(40)) {
    // They belong together: a yield lies within the reach.
    out.set("blocks.yield", random.between(8, 64));
    out.set("blocks.reach", random.between(64, 512));
    out.set("blocks.ceiling", random.between(24, 400));
  }
}

std::vector<command_id> handed_on_by_mencius(const box& message) {
  std::vector<command_id> out;
  const auto* m = message.get<with_payload<mencius::HandOff>>();
  if (m == nullptr)
    return out;
  if (const auto commands = decode_commands(m->body.view()))
    for (const auto& c : *commands)
      out.push_back(c.id);
  return out;
}

}  // namespace quorate::testing
