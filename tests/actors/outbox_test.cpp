#include "actors/outbox.hpp"

#include "actors/traffic.hpp"

#include <doctest/doctest.h>

#include <array>

namespace quorate::testing {

namespace {

using out = outbox<barrier, reached>;

template <class Out, class M>
constexpr bool may_send = requires(Out& o, M m) {
  o.send(node_id{1}, m);
};

}  // namespace

TEST_CASE("an outbox keeps the order of its effects and says them one per line") {
  out o;
  o.save("k", "v");
  o.save("k2", "v", batch_ref{{node_id{1}, boot_id{2}, 3}, payload{"x"}});
  o.save_lazy("l", "v");
  o.save_lazy("l2", "v", batch_ref{{node_id{1}, boot_id{2}, 4}, payload{"x"}});
  o.erase("a", "b");
  o.send(node_id{2}, barrier{token{5}});
  const std::array both{node_id{1}, node_id{3}};
  o.send_now(both, reached{token{6}});
  o.set_timer(timer_tag{1}, std::chrono::milliseconds{20});
  o.cancel_timer(timer_tag{1});
  o.read(token{1}, "a", "c", 10);
  o.note(severity::info, "hello");
  CHECK(text(o) == "save k\n"
                   "save k2 batch n1.2.3\n"
                   "save_lazy l\n"
                   "save_lazy l2 batch n1.2.4\n"
                   "erase a..b\n"
                   "send n2 barrier{5}\n"
                   "send_now n1,n3 reached{6}\n"
                   "set_timer 1 20000us\n"
                   "cancel_timer 1\n"
                   "read a..c\n"
                   "note hello");
  o.clear();
  CHECK(text(o) == "");
}

TEST_CASE("keys of any bytes are readable in a text, and different keys stay different") {
  out o;
  o.save(std::string{"a\x00\xff z/_", 7}, "v");
  CHECK(text(o) == "save a\\00\\ff\\20z/_");
  o.clear();
  o.save("\\00", "v");
  CHECK(text(o) == "save \\5c00");
}

TEST_CASE("a role can only send what its outbox names") {
  CHECK(may_send<out, barrier>);
  CHECK(!may_send<out, forget>);
}

TEST_CASE("time and randomness come from whoever drives the role") {
  out o;
  CHECK(o.now() == time_point{});
  o.set_now(time_point{5});
  CHECK(o.now() == time_point{5});
  prng mine{9};
  prng twin{9};
  o.set_prng(mine);
  CHECK(o.prng().next() == twin.next());
  CHECK(mine.next() == twin.next());
}

TEST_CASE("one message to many is one box, shared") {
  out o;
  const std::array both{node_id{1}, node_id{3}};
  o.send(both, barrier{token{1}});
  REQUIRE(o.list().size() == 1);
  const auto& sent = std::get<send_effect>(o.list().front());
  CHECK(sent.to == std::vector{node_id{1}, node_id{3}});
  CHECK(!sent.now);
}

}  // namespace quorate::testing
