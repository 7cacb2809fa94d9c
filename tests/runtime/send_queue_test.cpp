#include "runtime/send_queue.hpp"

#include <doctest/doctest.h>

#include <deque>

namespace {

using namespace quorate;
using namespace std::chrono_literals;

caf::byte_buffer frame(std::size_t size, std::uint8_t fill = 7) {
  return caf::byte_buffer(size, static_cast<caf::byte>(fill));
}

/// A connection of a rate and a way, and the receiver's acknowledgements.
struct connection {
  double rate;    ///< bytes per second
  duration trip;  ///< there and back
  send_queue queue;
  time_point now = 1s;
  time_point free_at = 1s;
  std::uint64_t received = 0;  ///< bytes of pieces
  std::deque<std::pair<time_point, std::uint64_t>> answers;

  /// Until `end`; what the socket takes is little and quickly gone.
  void run(time_point end) {
    for (; now < end; now += 100us) {
      while (!answers.empty() && answers.front().first <= now) {
        REQUIRE(queue.acknowledged(answers.front().second, now));
        answers.pop_front();
      }
      for (caf::byte_buffer out; free_at < now + 100us && queue.take(now, out); out.clear()) {
        free_at = std::max(free_at, now) +
                  duration{static_cast<std::int64_t>(static_cast<double>(out.size()) / rate * 1e9)};
        const auto head = read_frame_head(
            {reinterpret_cast<const char*>(out.data()), std::min(out.size(), frame_head_bytes)});
        if (head.operation != operation::piece)
          continue;
        received += head.payload_bytes;
        answers.emplace_back(free_at + trip, received);
      }
    }
  }
};

TEST_CASE("a long frame is cut into pieces that fit together, and short ones overtake it") {
  send_queue queue;
  auto frame_of_all = frame(3 * piece_bytes_max + 5);
  for (std::size_t i = 0; i < frame_of_all.size(); ++i)
    frame_of_all[i] = static_cast<caf::byte>(i % 251);
  queue.push(urgency::bulk, frame_of_all);
  caf::byte_buffer whole;
  std::uint64_t sent = 0;
  for (bool last = false; !last;) {
    queue.push(urgency::now, frame(100));
    caf::byte_buffer out;
    REQUIRE(queue.take(1s, out));
    CHECK(out.size() == 100);
    out.clear();
    REQUIRE(queue.take(1s, out));
    const auto head =
        read_frame_head({reinterpret_cast<const char*>(out.data()), frame_head_bytes});
    CHECK(head.operation == operation::piece);
    CHECK(head.data == static_cast<std::uint64_t>(urgency::bulk));
    CHECK(head.payload_bytes <= piece_bytes_max);
    CHECK_FALSE(fault_of(head, frame_place::later));
    REQUIRE(out.size() == frame_head_bytes + head.payload_bytes);
    whole.insert(whole.end(), out.begin() + frame_head_bytes, out.end());
    last = head.flags == last_piece_flag;
    sent += head.payload_bytes;
    CHECK(queue.on_its_way() == head.payload_bytes);
    REQUIRE(queue.acknowledged(sent, 1s));
  }
  CHECK(whole == frame_of_all);
  CHECK(queue.empty());
  CHECK(queue.handed(urgency::bulk) == frame_of_all.size());
  CHECK(queue.taken(urgency::bulk) == frame_of_all.size());
}

TEST_CASE("without an acknowledgement only so much is on its way, and short frames go on") {
  send_queue queue;
  queue.push(urgency::bulk, frame(10'000'000));
  caf::byte_buffer out;
  while (queue.take(1s, out))
    ;
  CHECK(queue.on_its_way() == send_queue::window_min);
  CHECK(queue.taken(urgency::bulk) == 0);
  queue.push(urgency::now, frame(100));
  CHECK(queue.take(1s, out));
  CHECK_FALSE(queue.take(1s, out));
  CHECK_FALSE(queue.acknowledged(send_queue::window_min + 1, 1s));
}

TEST_CASE("what others catch up from goes when nothing else is long") {
  send_queue queue;
  queue.push(urgency::background, frame(20'000));
  queue.push(urgency::bulk, frame(20'000));
  std::vector<std::uint64_t> order;
  for (caf::byte_buffer out; queue.take(1s, out); out.clear())
    order.push_back(read_frame_head({reinterpret_cast<const char*>(out.data()), frame_head_bytes}).data);
  CHECK(order == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("what others catch up from goes on beside batches that never end") {
  connection c{12.5e6, 200us, {}, 1s, 1s, 0, {}};
  c.queue.push(urgency::background, frame(200'000));
  c.queue.push(urgency::bulk, frame(12'500'000));
  c.run(1500ms);
  CHECK(c.queue.taken(urgency::background) == 200'000);
  CHECK(c.queue.taken(urgency::bulk) > 5'000'000);
}

TEST_CASE("a flood of short frames does not keep the long ones off the connection") {
  send_queue queue;
  queue.push(urgency::bulk, frame(100'000));
  for (int i = 0; i < 2'000; ++i)
    queue.push(urgency::now, frame(1'000));
  std::size_t before = 0;
  for (caf::byte_buffer out; queue.take(1s, out); out.clear()) {
    if (out.size() != 1'000)
      break;
    before += out.size();
  }
  CHECK(before > 0);
  CHECK(before < 4 * piece_bytes_max);
}

TEST_CASE("the window follows what the connection holds: full rate, and no queue of its own") {
  struct link {
    double rate;
    duration trip;
  };
  for (const auto& l : {link{1.25e6, 200us}, link{12.5e6, 200us}, link{125e6, 500us}, link{12.5e6, 40ms},
                        link{125e6, 20ms}}) {
    CAPTURE(l.rate);
    CAPTURE(l.trip.count());
    connection c{l.rate, l.trip, {}, 1s, 1s, 0, {}};
    const auto bytes = static_cast<std::size_t>(l.rate * 2);
    c.queue.push(urgency::bulk, frame(bytes));
    c.run(2s);
    const auto before = c.received;
    c.run(2500ms);
    CHECK(static_cast<double>(c.received - before) > 0.8 * l.rate * 0.5);
    const auto held = l.rate * std::chrono::duration<double>{l.trip}.count();
    CHECK(static_cast<double>(c.queue.on_its_way()) < 2.5 * held + 3.0 * piece_bytes_max);
  }
}

TEST_CASE("the window does not follow the queue that others make on the same line") {
  connection c{12.5e6, 200us, {}, 1s, 1s, 0, {}};
  c.queue.push(urgency::bulk, frame(4 * piece_bytes_max));
  c.run(2s);
  c.trip = 300ms;  // now there is one
  for (int i = 0; i < 5; ++i) {
    c.queue.push(urgency::bulk, frame(piece_bytes_max));
    c.run(c.now + 500ms);
  }
  c.queue.push(urgency::bulk, frame(100 * piece_bytes_max));
  c.run(c.now + 100ms);
  CHECK(c.queue.on_its_way() <= 3 * piece_bytes_max);
  // It is as long for long: the way itself has become longer.
  for (int i = 0; i < 60; ++i) {
    c.run(c.now + 500ms);
    if (c.queue.on_its_way() == 0)
      c.queue.push(urgency::bulk, frame(piece_bytes_max));
  }
  c.queue.push(urgency::bulk, frame(1'000 * piece_bytes_max));
  c.run(c.now + 2s);
  CHECK(c.queue.on_its_way() > 10 * piece_bytes_max);
}

}  // namespace
