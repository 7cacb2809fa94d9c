#include "tests/fire/plan.hpp"

#include <array>
#include <numeric>
#include <utility>

namespace quorate::testing {

namespace {

constexpr std::array<std::string_view, deed_kinds> names = {"kill",
                                                            "kill while starting",
                                                            "kill while receiving",
                                                            "stop",
                                                            "freeze",
                                                            "stutter",
                                                            "slow disk",
                                                            "full disk",
                                                            "cut off",
                                                            "cut one way"};

}  // namespace

std::string_view to_string(deed d) {
  return names.at(static_cast<std::size_t>(d));
}

std::string text(const attack& a) {
  auto out = std::string{to_string(a.what)} + " n" + std::to_string(a.node);
  if (a.what == deed::cut_one_way)
    out += " to n" + std::to_string(a.other);
  if (a.amount.count() > 0)
    out += " (" + std::to_string(a.amount.count()) + " ms)";
  return out;
}

attack fire_plan::draw(std::size_t node) {
  attack a{static_cast<deed>(random_.below(deed_kinds)), node, 1 + random_.below(nodes_ - 1), {}};
  a.other += a.other >= node ? 1 : 0;
  if (a.what == deed::full_disk)
    a.node = nodes_;
  if (a.what == deed::kill_starting)
    a.amount = between(0, 300);
  if (a.what == deed::kill_receiving)
    a.amount = between(0, 150);
  if (a.what == deed::stutter)
    a.amount = between(2, 15);
  if (a.what == deed::slow_disk)
    a.amount = between(5, 120);
  return a;
}

strike fire_plan::next() {
  // Mostly one node, which the others must not even notice for long; sometimes a majority, sometimes all.
  const auto dice = random_.between(1, 10);
  const auto victims = dice <= 6 ? 1 : dice <= 8 ? 2 : dice <= 9 ? nodes_ / 2 + 1 : nodes_;
  std::vector<std::size_t> nodes(nodes_);
  std::iota(nodes.begin(), nodes.end(), std::size_t{1});
  for (auto left = nodes_; left > 1; --left)
    std::swap(nodes[left - 1], nodes[random_.below(left)]);
  strike s;
  std::vector<bool> taken(nodes_ + 1);
  for (std::size_t i = 0; i < victims; ++i) {
    const auto a = draw(nodes[i]);
    if (!taken[a.node])
      s.attacks.push_back(a);
    taken[a.node] = true;
  }
  s.lasts = between(200, 2'000);
  s.then_rest = between(100, 1'000);
  return s;
}

}  // namespace quorate::testing
