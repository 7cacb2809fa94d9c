// What reads cost at a member that reaches nobody.
#include "protocols/registry.hpp"
#include "tests/harness/check.hpp"
#include "tests/harness/simulator.hpp"

#include <doctest/doctest.h>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

/// Counts what one member asks for its barriers.
class question_count : public check {
public:
  question_count(verdict& result, node_id of, std::uint64_t& count)
      : check(result), of_(of), count_(count) {}
  [[nodiscard]] std::string_view name() const override { return "questions"; }
  void sent(const place& from, const std::vector<node_id>& to, const box& message) override {
    if (from.node == of_ && message.type().name.find("BarrierQuery") != std::string_view::npos)
      count_ += to.size();
  }

private:
  node_id of_;
  std::uint64_t& count_;
};

/// Questions for barriers that n1 sends while it is cut off for so long, and a client of it goes on reading.
std::uint64_t questions(const protocol& p, duration cut_off) {
  scenario s;
  s.seed = 1;
  s.members = 3;
  s.faults_for = 4s + cut_off;
  s.network.delay_min = s.network.delay_max = 1ms;
  s.sync_min = s.sync_max = 500us;
  s.clients.operations_max = static_cast<std::size_t>((4s + cut_off) / 500ms) * 2;
  s.clients.reads = 100;
  s.clients.local_reads = 0;
  s.clients.window = 1;
  s.clients.think_max = 500ms;
  s.clients.timeout_min = s.clients.timeout_max = 500ms;
  s.faults.push_back({3s, cut_off, fault_kind::cut_off, {node_id{1}}, 0});
  std::uint64_t count = 0;
  options how;
  how.checks = checks_of(p.name, s.members);
  how.checks.push_back([&](verdict& result) {
    return std::make_unique<question_count>(result, node_id{1}, count);
  });
  const auto r = run(s, p, how);
  REQUIRE_MESSAGE(r.ok, r.failure);
  return count;
}

}  // namespace

TEST_CASE("the questions of a member that reads without a majority do not grow with time") {
  for (const auto& p : all_protocols()) {
    CAPTURE(p.name);
    const auto brief = questions(p, 10s);
    const auto longer = questions(p, 40s);
    MESSAGE(p.name << ": " << brief << " questions in 10 s, " << longer << " in 40 s");
    CHECK(brief > 20);
    CHECK(longer < 6 * brief);  // four times as long
  }
}
