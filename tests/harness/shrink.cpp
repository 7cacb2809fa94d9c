#include "tests/harness/shrink.hpp"

#include "actors/ensure.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

/// How many seeds each candidate gets.
constexpr std::uint64_t seeds_each = 4;

using options_for = std::function<options(std::size_t members)>;

class shrinker {
public:
  shrinker(const scenario& s, const protocol& ordering, const options_for& how, std::uint64_t runs_max)
      : ordering_(ordering), how_(how), runs_max_(runs_max) {
    auto first = play(s);
    ENSURE(!first.ok, "only a scenario that fails can be shrunk");
    check_ = check_of(first.failure);
    result_.smallest = s;
    result_.failure = std::move(first.failure);
  }

  shrunk go() {
    bool better = true;
    while (better && !tired()) {
      better = fewer_faults();
      better = fewer_members() || better;
      better = less_load() || better;
      better = calmer() || better;
      better = shorter() || better;
    }
    return std::move(result_);
  }

private:
  report play(const scenario& s) {
    ++result_.runs;
    auto how = how_(s.members);
    how.trace = nullptr;
    return run(s, ordering_, how);
  }
  [[nodiscard]] bool tired() const { return result_.runs >= runs_max_; }

  /// Keeps `s` where it still fails; false where it does not.
  bool attempt(scenario s) {
    for (std::uint64_t i = 0; i < seeds_each && !tired(); ++i, ++s.seed) {
      auto r = play(s);
      if (r.ok || check_of(r.failure) != check_)
        continue;
      result_.smallest = std::move(s);
      result_.failure = std::move(r.failure);
      return true;
    }
    return false;
  }

  /// Tries the smallest scenario with one thing changed.
  template <class Change>
  bool changed(Change change) {
    auto s = result_.smallest;
    change(s);
    return attempt(std::move(s));
  }

  /// Tries to set one thing to `wanted`.
  template <class Field, class Value>
  bool set(Field field, const Value& wanted) {
    return !(field(result_.smallest) == wanted) && changed([&](scenario& s) { field(s) = wanted; });
  }

  /// Brings a number down towards `least`, in halves and then one by one.
  template <class Field>
  bool lower(Field field, std::uint64_t least) {
    bool better = false;
    const auto first = static_cast<std::uint64_t>(field(result_.smallest));
    auto step = first > least ? first - least : 0;
    while (step > 0 && !tired()) {
      const auto now = static_cast<std::uint64_t>(field(result_.smallest));
      if (now >= least + step && changed([&](scenario& s) { field(s) = now - step; }))
        better = true;
      else
        step /= 2;
    }
    return better;
  }

  bool fewer_faults() {
    bool better = false;
    auto size = std::max<std::size_t>(result_.smallest.faults.size(), 1);
    while (size > 0) {
      bool left_out = false;
      for (std::size_t at = 0; at < result_.smallest.faults.size() && !tired();) {
        const auto end = std::min(at + size, result_.smallest.faults.size());
        if (changed([&](scenario& s) {
              s.faults.erase(s.faults.begin() + static_cast<std::ptrdiff_t>(at),
                             s.faults.begin() + static_cast<std::ptrdiff_t>(end));
            }))
          left_out = true;
        else
          at = end;
      }
      better = better || left_out;
      if (!left_out)
        size /= 2;
    }
    return better;
  }

  bool fewer_members() {
    bool better = false;
    while (result_.smallest.members > 1 && changed([](scenario& s) {
             --s.members;
             for (auto& f : s.faults)
               std::erase_if(f.nodes, [&](node_id n) { return n.value > s.members; });
             std::erase_if(s.faults, [](const fault& f) { return f.nodes.empty(); });
           }))
      better = true;
    return better;
  }

  bool less_load() {
    auto better = lower(
        [](auto& s) -> auto& { return s.clients.operations_max; }, 0);
    better = lower(
                 [](auto& s) -> auto& { return s.clients.burst; }, 1) ||
             better;
    better = lower(
                 [](auto& s) -> auto& { return s.clients.window; }, 1) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.clients.reads; }, 0.0) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.clients.local_reads; }, 0.0) ||
             better;
    better = lower(
                 [](auto& s) -> auto& { return s.clients.value_bytes_max; }, 0) ||
             better;
    return better;
  }

  bool calmer() {
    const scenario plain;
    auto better = set(
        [](auto& s) -> auto& { return s.network.loss; }, 0.0);
    better = set(
                 [](auto& s) -> auto& { return s.network.duplication; }, 0.0) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.network.stray; }, 0.0) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.network.reorder; }, false) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.network.uneven; }, false) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.clock_drift; }, 0.0) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.log.entries_max; }, plain.log.entries_max) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.log.bytes_max; }, plain.log.bytes_max) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.edge.requests_max; }, plain.edge.requests_max) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.sessions.window; }, plain.sessions.window) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.sessions.open_max; }, plain.sessions.open_max) ||
             better;
    better = set(
                 [](auto& s) -> auto& { return s.balancer; }, plain.balancer) ||
             better;
    const auto options = result_.smallest.options;
    for (const auto& [name, value] : options)
      better = changed([&key = name](scenario& s) { s.options.erase(key); }) || better;
    const auto limits = result_.smallest.memory;
    for (const auto& [name, value] : limits.list())
      better = changed([&key = name](scenario& s) { s.memory.reset(key); }) || better;
    better = set(
                 [](auto& s) -> auto& { return s.local_max; }, plain.local_max) ||
             better;
    return better;
  }

  bool shorter() {
    bool better = false;
    for (std::size_t i = 0; i < result_.smallest.faults.size(); ++i) {
      while (result_.smallest.faults[i].lasts > std::chrono::milliseconds(2) &&
             changed([i](scenario& s) { s.faults[i].lasts /= 2; }))
        better = true;
      while (result_.smallest.faults[i].amount > 1 && changed([i](scenario& s) { s.faults[i].amount /= 2; }))
        better = true;
    }
    while (result_.smallest.faults_for > std::chrono::milliseconds(100) &&
           changed([](scenario& s) { s.faults_for = s.faults_for * 3 / 4; }))
      better = true;
    return better;
  }

  const protocol& ordering_;
  const options_for& how_;
  std::uint64_t runs_max_;
  std::string check_;
  shrunk result_;
};

}  // namespace

std::string check_of(const std::string& failure) {
  return failure.substr(0, failure.find(':'));
}

shrunk shrink(const scenario& s, const protocol& ordering, const options_for& how, std::uint64_t runs_max) {
  return shrinker{s, ordering, how, runs_max}.go();
}

}  // namespace quorate::testing
