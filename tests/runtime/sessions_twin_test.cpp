// Sessions against a dumb twin, with a reload from the store at random moments.
#include "actors/prng.hpp"
#include "runtime/sessions.hpp"
#include "runtime/store_keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace quorate::testing {

namespace {

using verdict = sessions::verdict;

constexpr std::uint64_t window = 6;
constexpr std::size_t open_max = 3;

/// What sessions ought to be, without a thought for memory, speed or disks.
struct plain_sessions {
  struct one {
    std::uint64_t low = 0;
    std::uint64_t used = 0;
    std::set<std::uint64_t> running;
    std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> done;  ///< index, answer
  };
  std::map<session_id, one> open;

  void opened(session_id id, std::uint64_t index) {
    open[id].used = index;
    if (open.size() <= open_max)
      return;
    open.erase(std::min_element(open.begin(), open.end(),
                                [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }

  verdict check(const command_view& c, std::uint64_t index) {
    const auto found = open.find(c.id.session);
    if (found == open.end())
      return verdict::refuse;
    auto& s = found->second;
    const auto n = c.id.number.value;
    s.used = index;
    s.low = std::max(s.low, c.done_below);
    if (n >= s.low + window)
      s.low = n - window + 1;
    std::erase_if(s.done, [&](const auto& x) { return x.first < s.low; });
    std::erase_if(s.running, [&](auto x) { return x < s.low; });
    if (n < s.low)
      return verdict::refuse;
    if (s.done.contains(n))
      return verdict::repeat;
    return s.running.insert(n).second ? verdict::execute : verdict::running;
  }

  void record(const command_id& id, std::uint64_t index, const std::string& answer) {
    const auto found = open.find(id.session);
    if (found != open.end() && found->second.running.erase(id.number.value) > 0)
      found->second.done[id.number.value] = {index, answer};
  }

  [[nodiscard]] std::string find(const command_id& id) const {
    const auto found = open.find(id.session);
    if (found == open.end() || !found->second.done.contains(id.number.value))
      return "none";
    return found->second.done.at(id.number.value).second;
  }

  [[nodiscard]] bool is_open(const command_id& id) const {
    const auto found = open.find(id.session);
    return found != open.end() && id.number.value >= found->second.low && find(id) == "none";
  }

  [[nodiscard]] std::size_t records() const {
    std::set<std::uint64_t> indices;
    for (const auto& [id, s] : open)
      for (const auto& [n, x] : s.done)
        indices.insert(x.first);
    return indices.size();
  }
};

std::size_t rows(const store& state, std::string_view prefix) {
  std::size_t out = 0;
  state.scan(prefix, store_keys::end_of(prefix), [&](auto, auto) {
    ++out;
    return true;
  });
  return out;
}

struct run {
  explicit run(std::uint64_t seed) : random(seed) {}

  void batch(std::uint64_t index) {
    std::vector<command_id> fresh;
    for (auto n = random.below(8); n > 0; --n) {
      if (random.chance(15)) {
        const auto id = real.open(log_index{index}, fresh.size() + n);
        twin.opened(id, index);
        known.push_back(id);
        next[id] = 0;
        continue;
      }
      const auto session = known.empty() || random.chance(5) ? session_id{random.below(99)}
                                                             : known[random.below(known.size())];
      auto& newest = next[session];
      command_view c;
      c.id = {session, sequence{random.below(newest + 2)}};
      if (random.chance(3))
        c.id.number = sequence{newest + random.below(3 * window)};
      newest = std::max(newest, c.id.number.value + 1);
      c.done_below = random.chance(20) ? random.below(newest + 1) : 0;
      const auto expected = twin.check(c, index);
      REQUIRE(real.check(c, log_index{index}) == expected);
      if (expected == verdict::execute) {
        // The point of it all.
        REQUIRE(executed.insert(c.id).second);
        fresh.push_back(c.id);
      }
    }
    for (const auto& id : fresh) {
      const auto answer = text(id) + " at " + std::to_string(index);
      real.record(id, log_index{index}, {errc::ok, answer});
      twin.record(id, index, answer);
    }
    store_batch writes;
    real.save(log_index{index}, writes);
    REQUIRE(!state.write(writes, log_index{index + 1}));
  }

  void compare() {
    REQUIRE(real.size() == twin.open.size());
    for (const auto session : known)
      for (std::uint64_t n = 0; n < next[session] + 2; ++n) {
        const command_id id{session, sequence{n}};
        const auto* found = real.find(id);
        REQUIRE((found ? found->body : "none") == twin.find(id));
        REQUIRE(real.is_open(id) == twin.is_open(id));
      }
    // Nothing stays behind in the store.
    REQUIRE(rows(state, store_keys::session) == twin.open.size());
    REQUIRE(rows(state, store_keys::outcome) == twin.records());
  }

  void reload() {
    real = sessions{sizes};
    REQUIRE(!real.load(state));
  }

  prng random;
  session_limits sizes{window, open_max};
  sessions real{sizes};
  plain_sessions twin;
  memory_store state;
  std::vector<session_id> known;
  std::map<session_id, std::uint64_t> next;
  std::set<command_id> executed;
};


/// Batches of sparse sequences with answers of many sizes, with little memory for them.
struct tight_run {
  explicit tight_run(std::uint64_t seed) : random(seed) {}

  void batch(std::uint64_t index) {
    std::vector<command_id> fresh;
    for (auto n = 1 + random.below(8); n > 0; --n) {
      if (known.empty() || random.chance(5)) {
        known.push_back(real.open(log_index{index}, n));
        continue;
      }
      command_view c;
      c.id = {known[random.below(known.size())], sequence{random.below(300)}};
      if (real.check(c, log_index{index}) != verdict::execute)
        continue;
      REQUIRE(executed.insert(c.id).second);
      fresh.push_back(c.id);
    }
    for (const auto& id : fresh)
      real.record(id, log_index{index}, {errc::ok, std::string(random.below(3'000), 'x')});
    store_batch writes;
    real.save(log_index{index}, writes);
    REQUIRE(!state.write(writes, log_index{index + 1}));
  }

  /// A replica that starts again, or from a snapshot, must decide as one that went on.
  void compare_with_a_reload() {
    sessions other{sizes};
    REQUIRE(!other.load(state));
    REQUIRE(other.bytes() == real.bytes());
    REQUIRE(other.size() == real.size());
    for (const auto& id : executed) {
      REQUIRE(real.is_open(id) == other.is_open(id));
      REQUIRE((real.find(id) == nullptr) == (other.find(id) == nullptr));
    }
    if (random.chance(30))
      real = std::move(other);
  }

  prng random;
  session_limits sizes{200, 4, 40'000};
  sessions real{sizes};
  memory_store state;
  std::vector<session_id> known;
  std::set<command_id> executed;
};

}  // namespace

TEST_CASE("sessions do what a dumb twin does, through reloads, and execute nothing twice") {
  std::size_t executed = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    run r{seed};
    for (std::uint64_t index = 0; index < 60; ++index) {
      r.batch(index);
      if (r.random.chance(20))
        r.reload();
      r.compare();
    }
    executed += r.executed.size();
  }
  CHECK(executed > 10'000);
}

TEST_CASE("remembered outcomes stay within their memory, alike on all replicas, and nothing executes twice") {
  std::size_t full = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    tight_run r{seed};
    for (std::uint64_t index = 0; index < 80; ++index) {
      r.batch(index);
      REQUIRE(r.real.bytes() <= r.sizes.bytes_max);
      full += r.real.bytes() > r.sizes.bytes_max / 2 ? 1 : 0;
      r.compare_with_a_reload();
    }
  }
  CHECK(full > 1'000);  // the limit was at work
}

TEST_CASE("a session takes memory for what it holds, wherever in its window that lies") {
  sessions all;
  constexpr std::uint64_t many = 400;
  for (std::uint64_t i = 0; i < many; ++i) {
    command_view c;
    c.id = {all.open(log_index{i}, 0), sequence{limits::session_window - 1}};
    REQUIRE(all.check(c, log_index{i}) == verdict::execute);
    all.record(c.id, log_index{i}, {errc::ok, "x"});
  }
  CHECK(all.bytes() <= many * 2'048);
}

}  // namespace quorate::testing
