#include "actors/gate.hpp"

#include "actors/traffic.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <doctest/doctest.h>

#include <set>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
const journal_space space{group_id{0}, epoch_id{0}, port::acceptor};

using outbox_of_tokens = outbox<barrier>;

/// Writes down what a gate asks for.
struct log_book final : effect_driver {
  void write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) override {
    said += (sync ? "write " : "lazy ") + std::to_string(ops.size()) + " as " + std::to_string(ticket) + "\n";
    for (auto& op : ops)
      written.push_back(std::move(op));
    if (sync)
      asked.push_back(ticket);
  }
  void send(send_effect&& effect) override {
    const auto id = effect.message.get<barrier>()->id.value;
    said += "send " + std::to_string(id) + "\n";
    sent.push_back(id);
  }
  void set_timer(const timer_effect&) override { said += "timer\n"; }
  void cancel_timer(const cancel_effect&) override { said += "cancel\n"; }
  void read(read_effect&&) override { said += "read\n"; }
  void note(note_effect&&) override { said += "note\n"; }

  std::string take() { return std::exchange(said, {}); }

  std::string said;
  std::vector<journal_op> written;
  std::vector<std::uint64_t> asked;
  std::vector<std::uint64_t> sent;
};

}  // namespace

TEST_CASE("a send waits for the saves before it, and only for those") {
  gate g{space};
  log_book book;
  outbox_of_tokens o;
  o.send(n1, barrier{token{1}});
  o.save("a", "1");
  o.send(n1, barrier{token{2}});
  o.save("b", "2");
  o.send(n1, barrier{token{3}});
  g.run(o, book);
  CHECK(o.list().empty());
  // Both saves are one write, so 2 waits for both; 1 stands before them.
  CHECK(book.take() == "write 2 as 1\nsend 1\n");
  CHECK(g.held() == 2);
  g.durable(1, book);
  CHECK(book.take() == "send 2\nsend 3\n");
  CHECK(g.held() == 0);
  o.send(n1, barrier{token{4}});
  g.run(o, book);
  CHECK(book.take() == "send 4\n");
}

TEST_CASE("several writes may be under way; sends keep their order across them") {
  gate g{space};
  log_book book;
  outbox_of_tokens o;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    o.save("k", "v");
    o.send(n1, barrier{token{i}});
    g.run(o, book);
  }
  o.send(n1, barrier{token{4}});
  g.run(o, book);
  CHECK(book.take() == "write 1 as 1\nwrite 1 as 2\nwrite 1 as 3\n");
  g.durable(1, book);
  CHECK(book.take() == "send 1\n");
  // The journal tells of the newest of several: the ones before are durable too.
  g.durable(3, book);
  CHECK(book.take() == "send 2\nsend 3\nsend 4\n");
  // Told late, or twice.
  g.durable(2, book);
  CHECK(book.take() == "");
}

TEST_CASE("a send behind nothing but a held-back send still waits behind it") {
  gate g{space};
  log_book book;
  outbox_of_tokens o;
  o.save("a", "1");
  o.send(n1, barrier{token{1}});
  g.run(o, book);
  o.send(n1, barrier{token{2}});
  g.run(o, book);
  CHECK(book.take() == "write 1 as 1\n");
  g.durable(1, book);
  CHECK(book.take() == "send 1\nsend 2\n");
}

TEST_CASE("send_now, timers, reads and notes wait for nothing") {
  gate g{space};
  log_book book;
  outbox_of_tokens o;
  o.save("a", "1");
  o.send(n1, barrier{token{1}});
  o.send_now(n1, barrier{token{2}});
  o.set_timer(timer_tag{1}, duration{5});
  o.cancel_timer(timer_tag{1});
  o.read(token{1}, "a", "b", 10);
  o.note(severity::info, "x");
  g.run(o, book);
  CHECK(book.take() == "write 1 as 1\nsend 2\ntimer\ncancel\nread\nnote\n");
  CHECK(g.held() == 1);
}

TEST_CASE("lazy saves and erasures hold nothing back") {
  gate g{space};
  log_book book;
  outbox_of_tokens o;
  o.save_lazy("a", "1");
  o.erase("b", "c");
  o.send(n1, barrier{token{1}});
  g.run(o, book);
  CHECK(book.take() == "lazy 2 as 0\nsend 1\n");
  // Beside a save they ride with it, in the order asked for.
  o.save_lazy("d", "1");
  o.save("e", "2");
  o.erase("f", "g");
  g.run(o, book);
  CHECK(book.take() == "write 3 as 1\n");
  REQUIRE(book.written.size() == 5);
  CHECK(book.written[1].erase);
  CHECK(book.written[1].key == space.prefix() + "b");
  CHECK(book.written[1].value == space.prefix() + "c");
  CHECK(book.written[2].key == space.prefix() + "d");
  CHECK(book.written[3].key == space.prefix() + "e");
  CHECK(book.written[4].key == space.prefix() + "f");
}

TEST_CASE("a write that nobody asked for must not become durable") {
  gate g{space};
  log_book book;
  const invariant_trap trap;
  CHECK_THROWS_AS(g.durable(1, book), invariant_broken);
}

// --- any schedule
// ----------------------------------------------------------------------------------------------

namespace {

/// Lets the send behind the first save of a call go at once.
struct hasty_gate {
  explicit hasty_gate(const journal_space& s) : inner(s) {}
  void run(effects& out, effect_driver& driver) {
    bool saved = false;
    for (auto& e : out.list()) {
      if (const auto* save = std::get_if<save_effect>(&e))
        saved = saved || !save->lazy;
      else if (auto* send = std::get_if<send_effect>(&e); send && saved && !std::exchange(send->now, true))
        break;
    }
    inner.run(out, driver);
  }
  void durable(std::uint64_t ticket, effect_driver& driver) { inner.durable(ticket, driver); }
  gate inner;
};

/// Takes a write for durable when the one before it is.
struct early_gate {
  explicit early_gate(const journal_space& s) : inner(s) {}
  void run(effects& out, effect_driver& driver) {
    for (const auto& e : out.list())
      if (const auto* save = std::get_if<save_effect>(&e); save && !save->lazy) {
        ++asked;
        break;
      }
    inner.run(out, driver);
  }
  void durable(std::uint64_t ticket, effect_driver& driver) {
    inner.durable(std::min(ticket + 1, asked), driver);
  }
  gate inner;
  std::uint64_t asked = 0;
};

/// Holds everything back until all writes are durable.
struct slow_gate {
  explicit slow_gate(const journal_space& s) : inner(s) {}
  void run(effects& out, effect_driver& driver) {
    for (const auto& e : out.list())
      if (const auto* save = std::get_if<save_effect>(&e); save && !save->lazy) {
        ++asked;
        break;
      }
    inner.run(out, driver);
  }
  void durable(std::uint64_t ticket, effect_driver& driver) {
    if (ticket == asked)
      inner.durable(ticket, driver);
  }
  gate inner;
  std::uint64_t asked = 0;
};

/// Everything that was ever asked for, in order; what must have left is found by reading it from the start.
struct history {
  struct line {
    std::uint64_t save = 0;  ///< the write that makes it durable, or
    std::uint64_t send = 0;
  };
  std::vector<line> lines;

  [[nodiscard]] std::vector<std::uint64_t> released(std::uint64_t durable) const {
    std::vector<std::uint64_t> out;
    for (const auto& l : lines) {
      if (l.save > durable)
        break;
      if (l.send != 0)
        out.push_back(l.send);
    }
    return out;
  }
};

/// What is wrong with a gate in the schedule of this seed; empty where nothing is.
template <class Gate>
std::string complaint(std::uint64_t seed) {
  prng random{seed};
  Gate g{space};
  log_book book;
  history all;
  std::uint64_t writes = 0;
  std::uint64_t durable = 0;
  std::uint64_t sends = 0;
  std::set<std::uint64_t> at_once;
  for (int step = 0; step < 60; ++step) {
    if (random.chance(40) && durable < writes) {
      durable = random.between(durable + 1, writes);
      g.durable(durable, book);
    } else {
      outbox_of_tokens o;
      bool saves = false;
      for (auto n = random.below(6); n > 0; --n) {
        switch (random.below(5)) {
        case 0:
          o.save("k", "v");
          saves = true;
          all.lines.push_back({writes + 1, 0});
          break;
        case 1:
          o.save_lazy("l", "v");
          break;
        case 2:
          o.send_now(n1, barrier{token{++sends}});
          at_once.insert(sends);
          break;
        default:
          o.send(n1, barrier{token{++sends}});
          all.lines.push_back({0, sends});
        }
      }
      writes += saves ? 1 : 0;
      g.run(o, book);
    }
    std::vector<std::uint64_t> waited;
    std::size_t unheld = 0;
    for (const auto id : book.sent) {
      if (at_once.contains(id))
        ++unheld;
      else
        waited.push_back(id);
    }
    if (waited != all.released(durable))
      return "step " + std::to_string(step) + ": " + std::to_string(waited.size()) + " have left, not " +
             std::to_string(all.released(durable).size());
    if (unheld != at_once.size())
      return "step " + std::to_string(step) + ": a send_now was held back";
    if (book.asked.size() != writes)
      return "step " + std::to_string(step) + ": a call's saves are not one write";
  }
  return {};
}

template <class Gate>
int seeds_that_complain() {
  int out = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed)
    out += complaint<Gate>(seed).empty() ? 0 : 1;
  return out;
}

}  // namespace

TEST_CASE("in any schedule exactly those sends have left whose earlier saves are durable, in order") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed)
    CHECK_MESSAGE(complaint<gate>(seed) == "", "seed " << seed);
}

TEST_CASE("mutants: a gate that lets go too early, or too late, is caught") {
  CHECK(seeds_that_complain<hasty_gate>() > 400);
  CHECK(seeds_that_complain<early_gate>() > 400);
  CHECK(seeds_that_complain<slow_gate>() > 400);
}

}  // namespace quorate::testing
