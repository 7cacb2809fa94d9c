// What every journal must do.
#pragma once

#include "actors/journal.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace quorate::testing {

/// A journal that can lose power.
class journal_subject {
public:
  virtual ~journal_subject() = default;
  [[nodiscard]] virtual journal& now() = 0;
  [[nodiscard]] virtual status commit(std::vector<journal_op> ops, bool sync) {
    return now().commit(std::move(ops), sync);
  }
  /// The machine dies: of the unsynced commits a prefix survives. `now` is another journal afterwards.
  virtual void crash(prng& random) = 0;
};

using journal_factory = std::function<std::unique_ptr<journal_subject>()>;

inline batch_ref a_batch(std::uint64_t number) {
  return {{node_id{1}, boot_id{2}, number}, payload{"bytes of batch " + std::to_string(number)}};
}
inline journal_op put(std::string key, std::string value, std::optional<batch_ref> batch = std::nullopt) {
  return {std::move(key), std::move(value), std::move(batch), false};
}
inline journal_op erase(std::string from, std::string to) {
  return {std::move(from), std::move(to), std::nullopt, true};
}

/// One line per row, so that doctest shows a difference.
inline std::string text(const journal_row& row) {
  auto line = row.key + "=" + row.value;
  if (row.batch)
    line += " " + quorate::text(row.batch->id) + " " + std::string{row.batch->body.view()};
  return line + "\n";
}

inline std::string rows_of(const journal& j, std::string_view from = {}, std::string_view to = {}) {
  std::string all;
  const auto failed = j.scan(from, to, [&](journal_row&& row) {
    all += text(row);
    return true;
  });
  CHECK_MESSAGE(!failed, failed.value_or(failure{}).message);
  return all;
}

/// A journal's dumb twin: a map.
struct journal_twin {
  std::map<std::string, journal_row> rows;

  void apply(const std::vector<journal_op>& ops) {
    for (const auto& op : ops) {
      if (!op.erase)
        rows[op.key] = {op.key, op.value, op.batch};
      else
        std::erase_if(rows, [&](const auto& row) { return row.first >= op.key && row.first < op.value; });
    }
  }
  [[nodiscard]] std::string lines(const std::string& from = {}, const std::string& to = {}) const {
    std::string all;
    for (const auto& [key, row] : rows)
      if (key >= from && (to.empty() || key < to))
        all += text(row);
    return all;
  }
};

inline std::vector<journal_op> random_ops(prng& random) {
  const auto key = [&] { return "k" + std::to_string(10 + random.below(40)); };
  std::vector<journal_op> ops;
  for (auto n = random.below(6); n > 0; --n) {
    if (random.chance(25))
      ops.push_back(erase(key(), key()));  // also backwards: erases nothing
    else if (random.chance(60))
      ops.push_back(put(key(), std::to_string(random.next()), a_batch(random.below(8))));
    else
      ops.push_back(put(key(), std::string(random.below(random.chance(5) ? 40'000 : 40), 'v')));
  }
  return ops;
}

/// Hundreds of random histories with crashes, compared with the twin.
inline void check_random_histories(const journal_factory& make, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const auto subject = make();
    journal_twin durable;
    auto current = durable;
    std::vector<std::vector<journal_op>> unsynced;
    for (auto step = random.between(5, 40); step > 0; --step) {
      if (random.chance(6)) {
        subject->crash(random);
        const auto found = rows_of(subject->now());
        std::size_t kept = 0;
        while (durable.lines() != found && kept < unsynced.size())
          durable.apply(unsynced[kept++]);
        REQUIRE(durable.lines() == found);  // no prefix of the unsynced commits gives what is there
        unsynced.clear();
        current = durable;
        continue;
      }
      const auto ops = random_ops(random);
      const auto sync = random.chance(30);
      REQUIRE(!subject->commit(ops, sync));
      current.apply(ops);
      unsynced.push_back(ops);
      if (sync) {
        durable = current;
        unsynced.clear();
      }
      if (random.chance(30)) {
        const auto from = "k" + std::to_string(10 + random.below(40));
        const auto to = "k" + std::to_string(10 + random.below(40));
        REQUIRE(rows_of(subject->now(), from, to) == current.lines(from, to));
      }
    }
    REQUIRE(rows_of(subject->now()) == current.lines());
  }
}

inline void check_readers_beside_the_writer(const journal_factory& make) {
  const auto subject = make();
  auto& j = subject->now();
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> scans = 0;
  std::thread reader{[&] {
    while (!done || scans == 0) {
      std::optional<std::string> value;
      const auto failed = j.scan({}, {}, [&](journal_row&& row) {
        // All rows of one commit have one value, and a batch of that number.
        if (value.value_or(row.value) != row.value || !row.batch ||
            row.batch->body != a_batch(std::stoull(row.value)).body)
          ++wrong;
        value = row.value;
        return true;
      });
      if (failed)
        ++wrong;
      ++scans;
    }
  }};
  auto failed = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    std::vector<journal_op> ops;
    ops.push_back(erase("a", "z"));
    for (const auto* key : {"a", "b", "c"})
      ops.push_back(put(key, std::to_string(i), a_batch(i)));
    failed += j.commit(ops, false) ? 1 : 0;
  }
  done = true;
  reader.join();
  CHECK(failed == 0);
  CHECK(wrong == 0);
}

inline void journal_suite(const journal_factory& make, std::uint64_t seeds) {
  SUBCASE("rows come back in order, with their batches, until the reader has had enough") {
    const auto subject = make();
    REQUIRE(!subject->commit(
        {put("b", "2", a_batch(7)), put("a", "1"), put("c", ""), put("d", "4", a_batch(7))}, true));
    const auto& j = subject->now();
    CHECK(rows_of(j) == "a=1\nb=2 n1.2.7 bytes of batch 7\nc=\nd=4 n1.2.7 bytes of batch 7\n");
    CHECK(rows_of(j, "b", "c") == "b=2 n1.2.7 bytes of batch 7\n");
    CHECK(rows_of(j, "c", "").starts_with("c=\nd=4"));
    CHECK(rows_of(j, "c", "b").empty());
    auto seen = 0;
    CHECK(!j.scan("", "", [&](journal_row&&) { return ++seen < 2; }));
    CHECK(seen == 2);
  }
  SUBCASE("the changes of one commit happen in their order") {
    const auto subject = make();
    REQUIRE(!subject->commit({put("a", "1", a_batch(1)), erase("a", "b"), put("a", "2", a_batch(1)),
                              put("b", "3"), put("b", "4"), erase("c", "d"), put("c", "5", a_batch(2)),
                              erase("c", "d")},
                             true));
    CHECK(rows_of(subject->now()) == "a=2 n1.2.1 bytes of batch 1\nb=4\n");
    REQUIRE(!subject->commit({erase("a", "b"), put("z", "9", a_batch(1))}, true));
    CHECK(rows_of(subject->now()) == "b=4\nz=9 n1.2.1 bytes of batch 1\n");
    // The other way round: the last reference goes and comes again.
    REQUIRE(
        !subject->commit({put("y", "8", a_batch(1)), erase("y", "zz"), put("x", "7", a_batch(1))}, false));
    CHECK(rows_of(subject->now()) == "b=4\nx=7 n1.2.1 bytes of batch 1\n");
  }
  SUBCASE("a role sees its own key space and nothing else") {
    const auto subject = make();
    const journal_space mine{group_id{1}, epoch_id{2}, port::acceptor};
    const journal_space before{group_id{1}, epoch_id{1}, port::acceptor};
    const journal_space behind{group_id{1}, epoch_id{0x1ff}, port::acceptor};
    CHECK(mine.prefix().size() == journal_space::prefix_bytes);
    const std::string top{"\xff\xff"};
    REQUIRE(!subject->commit({put(mine.prefix() + "a", "1"), put(mine.prefix() + "b", "2"),
                              put(mine.prefix(), "0"), put(mine.prefix() + top, "3"),
                              put(before.prefix() + top, "x"), put(behind.prefix(), "y")},
                             true));
    const auto view = subject->now().view(mine);
    std::string found;
    view->scan("", "", [&](journal_row&& row) {
      found += row.key + "=" + row.value + " ";
      return true;
    });
    CHECK(found == "=0 a=1 b=2 " + top + "=3 ");
    CHECK(view->get("a") == "1");
    CHECK(view->get("") == "0");
    CHECK(!view->get("aa"));
    CHECK(subject->now().view(behind)->get("") == "y");
  }
  SUBCASE("what was synced survives a crash, and so does what was committed before it") {
    const auto subject = make();
    prng random{1};
    REQUIRE(!subject->commit({put("a", "1", a_batch(1))}, false));
    REQUIRE(!subject->commit({put("b", "2")}, true));
    REQUIRE(!subject->commit({put("c", "3")}, false));
    REQUIRE(!subject->commit({}, true));  // nothing but the sync
    subject->crash(random);
    CHECK(rows_of(subject->now()) == "a=1 n1.2.1 bytes of batch 1\nb=2\nc=3\n");
    // References are known again: the bytes stay as long as one of two rows does.
    REQUIRE(!subject->commit({put("d", "4", a_batch(1)), erase("a", "b")}, true));
    CHECK(rows_of(subject->now(), "d", "") == "d=4 n1.2.1 bytes of batch 1\n");
  }
  SUBCASE("a large range goes, and keys around it stay") {
    const auto subject = make();
    std::vector<journal_op> ops;
    for (std::uint64_t i = 1000; i < 4000; ++i)
      ops.push_back(put(std::to_string(i), "v", a_batch(i)));
    REQUIRE(!subject->commit(ops, true));
    REQUIRE(!subject->commit(
        {put("2500", "new", a_batch(1)), erase("1001", "3999"), put("2600", "newer", a_batch(2))}, true));
    CHECK(rows_of(subject->now()) ==
          "1000=v n1.2.1000 bytes of batch 1000\n2600=newer n1.2.2 bytes of batch 2\n"
          "3999=v n1.2.3999 bytes of batch 3999\n");
  }
  SUBCASE("readers beside the writer see whole commits") {
    check_readers_beside_the_writer(make);
  }
  SUBCASE("random histories with crashes match a plain map") {
    check_random_histories(make, seeds);
  }
}

}  // namespace quorate::testing
