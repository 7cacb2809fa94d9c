// A replica for tests of sync strategies: a log that can be cut, a store, and nothing else.
#pragma once

#include "actors/bytes.hpp"
#include "actors/prng.hpp"
#include "actors/store.hpp"
#include "sync/messages.hpp"

#include <doctest/doctest.h>

#include <deque>

namespace quorate::testing {

/// The bytes of batch `index`, the same everywhere; three of four are large.
[[nodiscard]] inline std::string toy_bytes(std::uint64_t index, std::size_t large) {
  prng random{index + 1};
  std::string out(index % 4 == 3 ? 100 : large, '\0');
  for (auto& c : out)
    c = static_cast<char>(random.next());
  return out;
}

/// Its state is the batches that it has applied, its length at both ends of the key range, so that a mixture
/// of two snapshots shows.
class toy_replica {
public:
  explicit toy_replica(std::size_t large) : large_(large) { write(); }

  [[nodiscard]] log_index next() const { return log_index{next_}; }
  /// The cluster has ordered so many batches, and this replica has heard of them.
  void grow_to(std::uint64_t next) {
    while (next_ < next)
      apply(toy_bytes(next_, large_));
  }
  /// Its log begins here from now on.
  void cut_to(std::uint64_t first) { first_ = std::max(first_, std::min(first, next_)); }

  /// What it answers, for its own sync role.
  [[nodiscard]] box on(const fetch_log& msg) const {
    if (msg.from.value >= next_)
      return box::of(log_part{msg.peer, msg.transfer, msg.from, {}, next()});
    if (msg.from.value < first_)
      return box::of(log_gone{msg.peer, msg.transfer, store_.view(), next()});
    log_part part{msg.peer, msg.transfer, msg.from, {}, next()};
    for (auto i = msg.from.value; i < next_ && part.entries.size() < 3; ++i)
      part.entries.push_back(
          {epoch_id{0}, cursor{i + 1}, {{node_id{1}, boot_id{1}, i}, payload{toy_bytes(i, large_)}}});
    return box::of(std::move(part));
  }
  [[nodiscard]] box on(const apply_entries& msg) {
    auto index = msg.from.value;
    for (const auto& e : msg.entries) {
      if (index > next_)
        break;
      // Damaged bytes, or bytes in the wrong place, must not come this far.
      REQUIRE(e.value.body.view() == toy_bytes(index, large_));
      REQUIRE(e.at == cursor{index + 1});
      if (index == next_)
        apply(std::string{e.value.body.view()});
      ++index;
    }
    return box::of(came_to{msg.transfer, next()});
  }
  [[nodiscard]] box on(const stage_snapshot& msg) {
    if (msg.part == 0) {
      REQUIRE(!store_.begin_staging());
      staging_ = 0;
    }
    if (staging_ == msg.part) {
      REQUIRE(!store_.stage(msg.pairs));
      staging_ = msg.part + 1;
      if (msg.last && msg.at.value > next_) {
        REQUIRE(!store_.finish_staging(msg.at));
        next_ = first_ = msg.at.value;
        ++snapshots_;
        check();
      }
      if (msg.last)
        staging_.reset();
    }
    return box::of(came_to{msg.transfer, next()});
  }

  /// The state is that of exactly the batches below `next`.
  void check() const {
    std::uint64_t found = 0;
    std::vector<std::string> ends;
    store_.scan("", "", [&](std::string_view key, std::string_view value) {
      if (key.starts_with("k"))
        REQUIRE(value == toy_bytes(found++, large_));
      else
        ends.emplace_back(value);
      return true;
    });
    REQUIRE(found == next_);
    REQUIRE(ends == std::vector<std::string>(2, ordered_key(next_)));
  }
  [[nodiscard]] std::uint64_t snapshots() const { return snapshots_; }

private:
  void apply(std::string bytes) {
    store_batch writes;
    writes.put("k" + ordered_key(next_), std::move(bytes));
    ++next_;
    REQUIRE(!store_.write(writes, next()));
    write();
  }
  void write() {
    store_batch writes;
    writes.put("a", ordered_key(next_));
    writes.put("z", ordered_key(next_));
    REQUIRE(!store_.write(writes, next()));
  }

  std::size_t large_;
  memory_store store_;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  std::optional<std::uint64_t> staging_;
  std::uint64_t snapshots_ = 0;
};

}  // namespace quorate::testing
