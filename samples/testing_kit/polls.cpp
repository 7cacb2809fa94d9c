#include "polls.hpp"

#include "tests/harness/linearizability.hpp"

#include <map>

using namespace quorate;
using namespace quorate::testing;

namespace {

constexpr std::uint64_t search_steps_max = 1'000'000;

/// The votes of one name, as a sequential object for the checker.
struct votes_model {
  struct operation {
    bool vote = false;
    std::uint64_t answer = 0;
  };
  using state = std::uint64_t;
  [[nodiscard]] state initial() const { return 0; }
  [[nodiscard]] std::optional<state> apply(const state& now, const operation& op, bool known) const {
    const auto then = op.vote ? now + 1 : now;
    return known && op.answer != then ? std::nullopt : std::optional{then};
  }
  [[nodiscard]] std::uint64_t hash(const state& s) const { return s; }
  [[nodiscard]] bool reads(const operation& op) const { return !op.vote; }
};

class poll_check : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "poll"; }

  void ended(const run_outcome& outcome) override {
    std::map<std::string, std::vector<timed<votes_model::operation>>> histories;
    for (const auto& op : outcome.operations->list()) {
      const auto votes = op.kind == request_kind::write;
      // What was refused never happened; what is read locally may be old; a read without an answer says
      // nothing.
      if (op.fate() == fate::refused || op.kind == request_kind::read_local ||
          (!votes && op.fate() != fate::done))
        continue;
      timed<votes_model::operation> one{{votes, 0}, op.invoked.count(), std::nullopt};
      if (op.fate() == fate::done) {
        one.what.answer = votes_in(op.result);
        one.returned = op.returned->count();
      }
      histories[votes ? op.key + "/" + op.argument : op.argument].push_back(one);
    }
    for (const auto& [name, history] : histories) {
      const auto found = linearizability_checker<votes_model>{{}, search_steps_max}.check(history);
      searched(found.what == linearizability_result::verdict::gave_up);
      if (found.what == linearizability_result::verdict::not_linearizable)
        fail("no order explains what was answered about " + name);
    }
  }
};

std::string draw_poll(prng& random) {
  return "poll" + std::to_string(random.below(2));
}
std::string draw_name(prng& random) {
  return std::string(1, static_cast<char>('a' + random.below(3)));
}

}  // namespace

client_call polls::write(prng& random, std::uint64_t, std::uint64_t) {
  return {request_kind::write, draw_poll(random), draw_name(random)};
}

client_call polls::read(prng& random) {
  return {request_kind::read, {}, draw_poll(random) + "/" + draw_name(random)};
}

client_call polls::read_all() {
  return {request_kind::read, {}, "poll0/a"};
}

std::unique_ptr<check> polls::make_check(verdict& result) {
  return std::make_unique<poll_check>(result);
}
