// What every store must do.
#pragma once

#include "actors/prng.hpp"
#include "actors/store.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace quorate::testing {

/// A store whose process can die.
class store_subject {
public:
  virtual ~store_subject() = default;
  [[nodiscard]] virtual store& now() = 0;
  /// Flushes, and waits for it.
  virtual void flush() = 0;
  /// `now` is another store afterwards. \pre no view is left.
  virtual void crash() = 0;
};

using store_factory = std::function<std::unique_ptr<store_subject>()>;
using pair_list = std::vector<std::pair<std::string, std::string>>;
using plain_map = std::map<std::string, std::string>;

inline std::string lines(const plain_map& pairs, const std::string& from = {}, const std::string& to = {}) {
  std::string all;
  for (const auto& [key, value] : pairs)
    if (key >= from && (to.empty() || key < to))
      all += key + "=" + value + "\n";
  return all;
}

inline std::string lines(const store_view& view, std::string_view from = {}, std::string_view to = {}) {
  std::string all;
  view.scan(from, to, [&](std::string_view key, std::string_view value) {
    all += std::string{key} + "=" + std::string{value} + "\n";
    return true;
  });
  return all;
}

inline store_batch puts(const pair_list& pairs) {
  store_batch changes;
  for (const auto& [key, value] : pairs)
    changes.put(key, value);
  return changes;
}

inline void apply_to(plain_map& pairs, const store_batch& changes) {
  using kind = store_batch::op::kind;
  for (const auto& op : changes.ops()) {
    if (op.what == kind::put)
      pairs[op.key] = op.value;
    else if (op.what == kind::erase)
      pairs.erase(op.key);
    else
      std::erase_if(pairs, [&](const auto& pair) { return pair.first >= op.key && pair.first < op.value; });
  }
}

/// Random histories of a store beside a plain map.
class store_history {
public:
  store_history(const store_factory& make, std::uint64_t seed) : random_(seed), subject_(make()) {
    flushed_states_[std::nullopt] = {};
  }

  void run() {
    for (auto step = random_.between(10, 60); step > 0; --step) {
      one_step();
      const auto durable = now().flushed();
      REQUIRE(durable >= durable_);
      REQUIRE(durable <= index_);
      durable_ = durable;
    }
    compare(now(), current_);
    views_.clear();
  }

private:
  struct frozen {
    std::shared_ptr<const store_view> view;
    plain_map pairs;
  };

  store& now() { return subject_->now(); }
  std::string key() { return "k" + std::to_string(10 + random_.below(30)); }

  void one_step() {
    switch (random_.below(14)) {
    case 0:
      return crash();
    case 1:
      subject_->flush();
      REQUIRE(now().flushed() == index_);
      return;
    case 2:
      return now().start_flush();
    case 3:
      return stage_something();
    case 4:
      if (views_.size() < 4)
        views_.push_back({now().view(), current_});
      return;
    case 5:
      if (!views_.empty()) {
        const auto i = static_cast<std::ptrdiff_t>(random_.below(views_.size()));
        compare(*views_[static_cast<std::size_t>(i)].view, views_[static_cast<std::size_t>(i)].pairs);
        views_.erase(views_.begin() + i);
      }
      return;
    case 6:
      return compare(now(), current_);
    default:
      return write();
    }
  }

  void write() {
    store_batch changes;
    for (auto n = random_.below(8); n > 0; --n) {
      if (random_.chance(15))
        changes.erase_range(key(), key());  // also backwards: erases nothing
      else if (random_.chance(25))
        changes.erase(key());
      else
        changes.put(key(), std::string(random_.below(random_.chance(5) ? 20'000 : 20), 'v') +
                               std::to_string(random_.next()));
    }
    index_ = index_ ? index_->next() : log_index{0};
    REQUIRE(!now().write(changes, *index_));
    apply_to(current_, changes);
    flushed_states_[index_] = current_;
  }

  void stage_something() {
    REQUIRE(!now().begin_staging());
    plain_map staged;
    for (auto chunk = random_.below(4); chunk > 0; --chunk) {
      pair_list pairs;
      for (auto n = random_.below(10); n > 0; --n)
        pairs.emplace_back(key(), std::to_string(random_.next()));
      REQUIRE(!now().stage(pairs));
      for (const auto& [k, v] : pairs)
        staged[k] = v;
      if (random_.chance(40))
        write();  // the replica goes on meanwhile
      if (random_.chance(20))
        now().start_flush();
    }
    compare(now(), current_);
    if (random_.chance(40))
      return;  // broken off
    index_ = log_index{(index_ ? index_->value : 0) + 10};
    REQUIRE(!now().finish_staging(*index_));
    REQUIRE(now().flushed() == index_);
    current_ = staged;
    flushed_states_[index_] = current_;
  }

  void crash() {
    views_.clear();
    const auto least = now().flushed();
    subject_->crash();
    const auto durable = now().flushed();
    REQUIRE(durable >= least);
    REQUIRE(durable <= index_);
    REQUIRE(flushed_states_.contains(durable));
    current_ = flushed_states_[durable];
    index_ = durable;
    durable_ = durable;
    compare(now(), current_);
  }

  void compare(const store_view& view, const plain_map& pairs) {
    REQUIRE(lines(view) == lines(pairs));
    const auto low = key();
    const auto high = key();
    REQUIRE(lines(view, low, high) == lines(pairs, low, high));
    const auto found = pairs.find(low);
    REQUIRE(view.get(low) == (found == pairs.end() ? std::nullopt : std::optional{found->second}));
    std::optional<std::pair<std::string, std::string>> last;
    for (const auto& pair : pairs)
      if (pair.first >= low && pair.first <= high)
        last = pair;
    REQUIRE(view.last(low, high) == last);
  }

  prng random_;
  std::unique_ptr<store_subject> subject_;
  plain_map current_;
  std::optional<log_index> index_;
  std::optional<log_index> durable_;
  std::map<std::optional<log_index>, plain_map> flushed_states_;
  std::vector<frozen> views_;
};

inline void check_views_beside_the_writer(const store_factory& make) {
  const auto subject = make();
  auto& s = subject->now();
  std::atomic<int> wrong = 0;
  auto failed = 0;
  std::vector<std::thread> readers;
  for (std::uint64_t i = 1; i <= 400; ++i) {
    store_batch changes;
    for (const auto* key : {"a", "b", "c"})
      changes.put(key, std::to_string(i));
    failed += s.write(changes, log_index{i}) ? 1 : 0;
    if (i % 100 == 0)
      readers.emplace_back([view = s.view(), i, &wrong] {
        const auto number = std::to_string(i);
        for (auto round = 0; round < 50; ++round)
          if (lines(*view) != "a=" + number + "\nb=" + number + "\nc=" + number + "\n")
            ++wrong;
      });
  }
  for (auto& reader : readers)
    reader.join();
  CHECK(failed == 0);
  CHECK(wrong == 0);
}

inline void store_suite(const store_factory& make, std::uint64_t seeds) {
  SUBCASE("a new store is empty and stands nowhere") {
    const auto subject = make();
    CHECK(lines(subject->now()).empty());
    CHECK(!subject->now().flushed());
    CHECK(!subject->now().last("", "z"));
    subject->crash();
    CHECK(!subject->now().flushed());
  }
  SUBCASE("pairs are read back by key, by range and from the end") {
    const auto subject = make();
    auto& s = subject->now();
    const std::string zero{"\0", 1};
    const std::string top{"\xff\xff"};
    REQUIRE(!s.write(puts({{"b", "2"}, {"a", "1"}, {zero, "0"}, {top, "9"}, {"", "empty"}, {"c", ""}}),
                     log_index{0}));
    CHECK(s.get("a") == "1");
    CHECK(s.get("") == "empty");
    CHECK(s.get("c") == "");
    CHECK(!s.get("ab"));
    CHECK(lines(s) == "=empty\n" + zero + "=0\na=1\nb=2\nc=\n" + top + "=9\n");
    CHECK(lines(s, "a", "c") == "a=1\nb=2\n");
    CHECK(lines(s, "c", "a").empty());
    CHECK(s.last("a", "b") == std::pair<std::string, std::string>{"b", "2"});
    CHECK(s.last("a", "bb") == std::pair<std::string, std::string>{"b", "2"});
    CHECK(s.last("", top + top) == std::pair<std::string, std::string>{top, "9"});
    CHECK(!s.last("aa", "az"));
    CHECK(!s.last("c", "a"));
    auto seen = 0;
    s.scan("", "", [&](auto, auto) { return ++seen < 3; });
    CHECK(seen == 3);
  }
  SUBCASE("changes of one write happen in their order") {
    const auto subject = make();
    store_batch changes;
    changes.put("a", "1");
    changes.erase_range("a", "c");
    changes.put("b", "2");
    changes.put("c", "3");
    changes.erase("c");
    changes.put("d", "4");
    changes.erase_range("z", "a");
    REQUIRE(!subject->now().write(changes, log_index{0}));
    CHECK(lines(subject->now()) == "b=2\nd=4\n");
  }
  SUBCASE("a large range goes, and keys around it stay") {
    const auto subject = make();
    store_batch changes;
    for (auto i = 1000; i < 4000; ++i)
      changes.put(std::to_string(i), "v");
    REQUIRE(!subject->now().write(changes, log_index{0}));
    changes.clear();
    changes.put("2500", "new");
    changes.erase_range("1001", "3999");
    changes.put("2600", "newer");
    REQUIRE(!subject->now().write(changes, log_index{1}));
    CHECK(lines(subject->now()) == "1000=v\n2600=newer\n3999=v\n");
  }
  SUBCASE("a crash goes back to the last flush") {
    const auto subject = make();
    REQUIRE(!subject->now().write(puts({{"a", "1"}}), log_index{5}));
    CHECK(!subject->now().flushed());
    subject->flush();
    CHECK(subject->now().flushed() == log_index{5});
    REQUIRE(!subject->now().write(puts({{"a", "2"}, {"b", "2"}}), log_index{6}));
    CHECK(subject->now().flushed() == log_index{5});
    subject->crash();
    CHECK(lines(subject->now()) == "a=1\n");
    CHECK(subject->now().flushed() == log_index{5});
    // And from there on.
    REQUIRE(!subject->now().write({}, log_index{6}));
    subject->flush();
    CHECK(subject->now().flushed() == log_index{6});
  }
  SUBCASE("a view does not move when the store does") {
    const auto subject = make();
    auto& s = subject->now();
    REQUIRE(!s.write(puts({{"a", "1"}, {"b", "1"}}), log_index{0}));
    const auto before = s.view();
    REQUIRE(!s.write(puts({{"a", "2"}}), log_index{1}));
    const auto between = s.view();
    subject->flush();
    REQUIRE(!s.begin_staging());
    REQUIRE(!s.stage({{"s", "3"}}));
    const auto staging = s.view();
    REQUIRE(!s.finish_staging(log_index{9}));
    REQUIRE(!s.begin_staging());
    REQUIRE(!s.stage({{"t", "4"}}));
    REQUIRE(!s.finish_staging(log_index{10}));
    CHECK(lines(*before) == "a=1\nb=1\n");
    CHECK(lines(*between) == "a=2\nb=1\n");
    CHECK(lines(*staging) == "a=2\nb=1\n");
    CHECK(between->last("", "z") == std::pair<std::string, std::string>{"b", "1"});
    CHECK(lines(s) == "t=4\n");
  }
  SUBCASE("a snapshot that is staged shows up whole, and is durable") {
    const auto subject = make();
    REQUIRE(!subject->now().write(puts({{"a", "1"}, {"old", "1"}}), log_index{3}));
    REQUIRE(!subject->now().begin_staging());
    REQUIRE(!subject->now().stage({{"b", "2"}}));
    REQUIRE(!subject->now().stage({{"a", "2"}}));
    CHECK(lines(subject->now()) == "a=1\nold=1\n");
    REQUIRE(!subject->now().finish_staging(log_index{70}));
    CHECK(subject->now().flushed() == log_index{70});
    subject->crash();
    CHECK(lines(subject->now()) == "a=2\nb=2\n");
    CHECK(subject->now().flushed() == log_index{70});
  }
  SUBCASE("of a staging that was broken off nothing is left") {
    const auto subject = make();
    REQUIRE(!subject->now().write(puts({{"a", "1"}}), log_index{3}));
    REQUIRE(!subject->now().begin_staging());
    REQUIRE(!subject->now().stage({{"leftover", "2"}}));
    subject->flush();
    SUBCASE("when it begins again") {}
    SUBCASE("when the process died") {
      subject->crash();
    }
    CHECK(lines(subject->now()) == "a=1\n");
    REQUIRE(!subject->now().begin_staging());
    REQUIRE(!subject->now().stage({{"b", "2"}}));
    REQUIRE(!subject->now().finish_staging(log_index{4}));
    CHECK(lines(subject->now()) == "b=2\n");
  }
  SUBCASE("views are read beside the writer") {
    check_views_beside_the_writer(make);
  }
  SUBCASE("random histories with crashes match a plain map") {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      CAPTURE(seed);
      store_history{make, seed}.run();
    }
  }
}

}  // namespace quorate::testing
