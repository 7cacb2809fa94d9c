#include "sync/pull.hpp"

#include "actors/limits.hpp"
#include "tests/sync/pull_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

TEST_CASE("a replica that is behind asks the best peer, and does not begin twice") {
  pull_desk d{n1};
  d.on(n1, catch_up{log_index{7}, {n3, n2}});
  CHECK(d.sent_to<wire::Pull>() == std::vector{n3});
  CHECK(d.pulled().from() == 7);
  CHECK(d.pulled().credits() == 4);
  CHECK(d.notes() == "asks n3 for everything from index 7");
  CHECK(d.on(n1, catch_up{log_index{7}, {n2}}) == "");
  // With nobody named, any other member may have it.
  pull_desk e{n1};
  e.on(n1, catch_up{log_index{0}, {}});
  CHECK(e.sent_to<wire::Pull>() == std::vector{n2});
}

TEST_CASE("entries go to the replica in order, each chunk gives a credit back, and the last ends it") {
  pair_of_nodes p{10};
  auto asked = p.ask();
  const auto chunks = p.entries(asked);
  REQUIRE(chunks.size() == 4);
  CHECK(chunks[0].head.heads_size() == 3);
  CHECK(chunks[3].head.heads_size() == 1);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    p.behind.on(n2, chunks[i]);
    const auto given = p.behind.sent<apply_entries>();
    REQUIRE(given.size() == 1);
    CHECK(given[0].from == log_index{3 * i});
    const auto done = p.own.on(given[0]);
    p.behind.on(n1, *done.get<came_to>());
    CHECK(p.behind.sent<wire::Credit>().size() == (i < 3 ? 1 : 0));
  }
  CHECK(p.behind.notes() == "has caught up to index 10");
  p.own.check();
  p.behind.pass(1s);
  CHECK(p.behind.tick() == "set_timer 1 300000us");
}

TEST_CASE("no more chunks are under way than there are credits") {
  pair_of_nodes p{100};
  auto asked = p.ask();
  CHECK(p.entries(asked).size() == 4);
  CHECK(p.entries(p.credit(asked)).size() == 1);
  auto many = p.credit(asked);
  many.set_chunks(1'000);
  CHECK(p.entries(many).size() == 4);
  auto other = p.credit(asked);
  other.set_token(asked.token() + 1);
  CHECK(p.entries(other).empty());
}

TEST_CASE("once its replica is not to be believed, a node serves nobody, in the middle of a transfer too") {
  pair_of_nodes p{100};
  const auto asked = p.ask();
  CHECK(p.entries(asked).size() == 4);
  p.ahead.on(n2, stop_serving{});
  CHECK(p.ahead.on(n1, p.credit(asked)) == "");
  CHECK(p.ahead.on(n1, asked) == "");
  CHECK(p.ahead.on(n2, log_part{n1, token{asked.token()}, log_index{12}, {}, log_index{100}}) == "");
  // Whoever asks turns to another.
  p.behind.pass(300ms);
  p.behind.tick();
  p.behind.pass(300ms);
  p.behind.tick();
  CHECK(p.behind.sent_to<wire::Pull>() == std::vector{n3});
}

TEST_CASE("behind a lost chunk nothing fits; after a silence the same peer is asked from where we stand") {
  pair_of_nodes p{10};
  const auto chunks = p.entries(p.ask());
  p.behind.on(n2, chunks[0]);
  p.behind.on(n1, *p.own.on(p.behind.sent<apply_entries>().at(0)).get<came_to>());
  CHECK(p.behind.on(n2, chunks[2]) == "");
  CHECK(p.behind.on(n2, chunks[0]) == "");
  p.behind.pass(300ms);
  p.behind.tick();
  CHECK(p.behind.sent_to<wire::Pull>() == std::vector{n2});
  CHECK(p.behind.pulled().from() == 3);
  CHECK(p.entries(p.behind.pulled()).size() == 3);
}

TEST_CASE("a peer that stays silent is left for the next one, under a new token") {
  pull_desk d{n1};
  d.on(n1, catch_up{log_index{0}, {n3}});
  const auto first = d.pulled();
  d.pass(299ms);
  d.tick();
  CHECK(d.sent<wire::Pull>().empty());
  d.pass(1ms);
  d.tick();
  CHECK(d.pulled().token() == first.token());
  CHECK(d.sent_to<wire::Pull>() == std::vector{n3});
  d.pass(300ms);
  d.tick();
  CHECK(d.sent_to<wire::Pull>() == std::vector{n2});
  CHECK(d.pulled().token() != first.token());
  // What the first one sends after all is not wanted any more.
  wire::NothingNewer nothing;
  nothing.set_token(first.token());
  d.on(n3, nothing);
  d.pass(300ms);
  d.tick();
  CHECK(d.sent_to<wire::Pull>() == std::vector{n2});
}

TEST_CASE("a peer that has nothing newer ends it") {
  pair_of_nodes p{0};
  const auto asked = p.ask();
  p.entries(asked);
  const auto nothing = p.ahead.sent<wire::NothingNewer>();
  REQUIRE(nothing.size() == 1);
  p.behind.on(n2, nothing[0]);
  p.behind.pass(1s);
  p.behind.tick();
  CHECK(p.behind.sent<wire::Pull>().empty());
}

TEST_CASE("damaged chunks and parts are refused with a warning") {
  pair_of_nodes p{10};
  auto chunks = p.entries(p.ask());
  std::string bytes{chunks[0].body.view()};
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  auto damaged = chunks[0];
  damaged.body = payload{bytes};
  CHECK(p.behind.on(n2, damaged) == "note a chunk of log entries from n2 is damaged");
  damaged.body = payload{bytes.substr(1)};
  CHECK(p.behind.on(n2, damaged) == "note a chunk of log entries from n2 is damaged");
  p.behind.on(n2, chunks[0]);
  CHECK(p.behind.sent<apply_entries>().size() == 1);

  pair_of_nodes s{10, 10};
  auto parts = s.parts(s.ask());
  REQUIRE(parts.size() > 1);
  auto bad = parts[0];
  bytes = bad.body.view();
  bytes[0] = static_cast<char>(bytes[0] ^ 1);
  bad.body = payload{bytes};
  CHECK(s.behind.on(n2, bad) == "note a part of a snapshot from n2 is damaged");
  s.behind.on(n2, parts[0]);
  CHECK(s.behind.sent<stage_snapshot>().size() == 1);
}

TEST_CASE("a chunk whose heads want more bytes than it has is refused") {
  pair_of_nodes p{2};
  auto chunks = p.entries(p.ask());
  chunks[0].head.mutable_heads(1)->set_bytes(0xffffffff);
  CHECK(p.behind.on(n2, chunks[0]) == "");
}

TEST_CASE("a snapshot is pulled in parts below the limit, and then the rest by entries") {
  pair_of_nodes p{12, 12};
  auto asked = p.ask();
  auto parts = p.parts(asked);
  REQUIRE(parts.size() == 4);
  std::size_t taken = 0;
  while (!parts.empty()) {
    std::vector<part> more;
    for (const auto& one : parts) {
      CHECK(one.body.size() <= limits::chunk_bytes_max);
      CHECK(one.head.part() == taken++);
      p.behind.on(n2, one);
      const auto done = p.own.on(p.behind.sent<stage_snapshot>().at(0));
      p.behind.on(n1, *done.get<came_to>());
      for (const auto& c : p.behind.sent<wire::Credit>())
        for (auto& next : p.parts(c))
          more.push_back(next);
    }
    parts = std::move(more);
  }
  p.own.check();
  CHECK(p.own.next() == log_index{12});
  CHECK(p.behind.pulled().from() == 12);
  CHECK(p.behind.pulled().token() != asked.token());
}

TEST_CASE("a snapshot goes on from the part that is missing") {
  pair_of_nodes p{12, 12};
  const auto parts = p.parts(p.ask());
  for (std::size_t i = 0; i < 2; ++i) {
    p.behind.on(n2, parts[i]);
    p.behind.on(n1, *p.own.on(p.behind.sent<stage_snapshot>().at(0)).get<came_to>());
  }
  CHECK(p.behind.on(n2, parts[3]) == "");
  p.behind.pass(300ms);
  p.behind.tick();
  CHECK(p.behind.pulled().part() == 2);
  // The same frozen view, though the peer has gone on.
  p.replica.grow_to(20);
  const auto rest = p.parts(p.behind.pulled());
  REQUIRE(!rest.empty());
  CHECK(rest[0].head.part() == 2);
  CHECK(rest[0].head.at() == 12);
  CHECK(rest[0].body == parts[2].body);
}

TEST_CASE("chunks and parts that overtook others are kept, and go to the replica in order") {
  pair_of_nodes p{10};
  const auto chunks = p.entries(p.ask());
  REQUIRE(chunks.size() == 4);
  CHECK(p.behind.on(n2, chunks[2]) == "");
  CHECK(p.behind.on(n2, chunks[1]) == "");
  p.behind.on(n2, chunks[0]);
  const auto applied = p.behind.sent<apply_entries>();
  REQUIRE(applied.size() == 3);
  for (std::size_t i = 0; i < applied.size(); ++i)
    CHECK(applied[i].from == log_index{3 * i});

  pair_of_nodes q{12, 12};
  const auto parts = q.parts(q.ask());
  REQUIRE(parts.size() == 4);
  for (const std::size_t early : {3, 1, 2})
    CHECK(q.behind.on(n2, parts[early]) == "");
  q.behind.on(n2, parts[0]);
  const auto staged = q.behind.sent<stage_snapshot>();
  REQUIRE(staged.size() == 4);
  for (std::size_t i = 0; i < staged.size(); ++i)
    CHECK(staged[i].part == i);
}

TEST_CASE("parts of another snapshot are never put together with those of the first") {
  pair_of_nodes p{12, 12};
  const auto asked = p.ask();
  const auto parts = p.parts(asked);
  for (std::size_t i = 0; i < 2; ++i) {
    p.behind.on(n2, parts[i]);
    p.behind.on(n1, *p.own.on(p.behind.sent<stage_snapshot>().at(0)).get<came_to>());
  }
  p.behind.pass(300ms);
  p.behind.tick();
  // The peer has restarted meanwhile, knows of no transfer, and begins with what it has now.
  p.replica.grow_to(14);
  p.replica.cut_to(14);
  pull_desk again{n2};
  again.on(n1, p.behind.pulled());
  again.on(n2, *p.replica.on(again.sent<fetch_log>().at(0)).get<log_gone>());
  const auto others = again.sent<part>();
  REQUIRE(others.size() > 2);
  CHECK(others[2].head.token() == asked.token());
  for (const auto& other : others) {
    p.behind.on(n2, other);
    CHECK(p.behind.sent<stage_snapshot>().empty());
  }
}

TEST_CASE("a snapshot that is all there waits for the replica before the rest is asked for") {
  pair_of_nodes p{4, 4};
  const auto parts = p.parts(p.ask());
  REQUIRE(parts.size() > 1);
  REQUIRE(parts.back().head.last());
  std::vector<stage_snapshot> given;
  for (const auto& one : parts) {
    p.behind.on(n2, one);
    given.push_back(p.behind.sent<stage_snapshot>().at(0));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    p.behind.on(n1, *p.own.on(given[i]).get<came_to>());
    if (i + 1 < given.size())
      CHECK(p.behind.sent<wire::Pull>().empty());
  }
  CHECK(p.behind.pulled().from() == 4);
}

TEST_CASE("a replica that takes its time is not a peer that stays silent") {
  pair_of_nodes p{4, 4};
  const auto parts = p.parts(p.ask());
  std::vector<stage_snapshot> given;
  for (const auto& one : parts) {
    p.behind.on(n2, one);
    given.push_back(p.behind.sent<stage_snapshot>().at(0));
  }
  for (int i = 0; i < 10; ++i) {
    p.behind.pass(300ms);
    p.behind.tick();
    CHECK(p.behind.sent<wire::Pull>().empty());
  }
  for (const auto& one : given)
    p.behind.on(n1, *p.own.on(one).get<came_to>());
  CHECK(p.behind.pulled().from() == 4);
}

TEST_CASE("a frozen view is let go when nobody wants more of it") {
  pull_desk d{n2};
  wire::Pull asked;
  asked.set_token(5);
  asked.set_credits(1);
  d.on(n1, asked);
  memory_store state;
  auto view = state.view();
  const std::weak_ptr<const store_view> watch = view;
  d.on(n2, log_gone{n1, token{5}, std::move(view), log_index{3}});
  CHECK(d.sent<part>().size() == 1);
  CHECK(!watch.expired());
  d.pass(11s);
  d.tick();
  CHECK(watch.expired());
}

TEST_CASE("what was asked for is not sent again while it is on its way") {
  pair_of_nodes p{10};
  const auto asked = p.ask();
  CHECK(p.entries(asked).size() == 4);
  p.ahead.account->background.insert(n1);
  CHECK(p.entries(asked).empty());
  // Nor what a credit would bring, which is behind it.
  CHECK(p.entries(p.credit(asked)).empty());
  p.ahead.tick();
  CHECK(p.ahead.sent<fetch_log>().empty());
  // The copies may have been lost with their connection.
  p.ahead.account->background.clear();
  p.ahead.tick();
  CHECK(p.ahead.sent<fetch_log>().size() == 1);
}

TEST_CASE("over a slow link chunks are small and come one at a time, over a fast one not") {
  pair_of_nodes p{400};
  auto& links = *p.behind.account;
  links.last_transfer = 400ms;
  const auto asked = p.ask();
  CHECK(asked.credits() == 1);
  CHECK(asked.bytes() == 64 * 1024);
  CHECK(asked.part_bytes() == 64 * 1024);
  std::vector<chunk> chunks = p.entries(asked);
  REQUIRE(chunks.size() == 1);
  const auto next = [&](duration took) {
    links.last_in_background = took;
    p.behind.on(n2, chunks.front());
    chunks.erase(chunks.begin());
    const auto done = p.own.on(p.behind.sent<apply_entries>().at(0));
    p.behind.on(n1, *done.get<came_to>());
    const auto credits = p.behind.sent<wire::Credit>();
    for (const auto& c : credits)
      for (auto& more : p.entries(c))
        chunks.push_back(std::move(more));
    return credits.empty() ? wire::Credit{} : credits.front();
  };
  auto credit = next(400ms);
  CHECK(credit.chunks() == 1);
  CHECK(credit.bytes() == 64 * 1024);
  for (int i = 0; i < 5; ++i)
    credit = next(20ms);
  CHECK(chunks.size() == 4);
  CHECK(credit.bytes() == limits::chunk_bytes_max);
  // And back: what is under way comes in first.
  credit = next(400ms);
  CHECK(credit.chunks() == 0);
  for (int i = 0; i < 3; ++i)
    credit = next(400ms);
  CHECK(credit.chunks() == 1);
  CHECK(credit.bytes() == 64 * 1024);
}

TEST_CASE("the parts of one snapshot have one size, however the link fares meanwhile") {
  pair_of_nodes p{10, 10};
  p.behind.account->last_transfer = 400ms;
  const auto asked = p.ask();
  const auto first = p.parts(asked);
  REQUIRE(first.size() == 1);
  p.behind.account->last_in_background = 1ms;
  p.behind.on(n2, first.front());
  p.behind.on(n1, *p.own.on(p.behind.sent<stage_snapshot>().at(0)).get<came_to>());
  const auto credits = p.behind.sent<wire::Credit>();
  REQUIRE(credits.size() == 1);
  CHECK(credits.front().bytes() > asked.bytes());
  // The same parts as of somebody who has lost its view, and is asked for the first one again.
  std::string as_before;
  for (const auto& one : p.parts(credits.front()))
    as_before += one.body.view();
  pair_of_nodes q{10, 10};
  auto again = asked;
  again.set_bytes(limits::chunk_bytes_max);
  again.set_credits(3);
  const auto anew = q.parts(again);
  REQUIRE(anew.size() == 3);
  CHECK(anew[0].body.view() == first[0].body.view());
  CHECK(std::string{anew[1].body.view()} + std::string{anew[2].body.view()} == as_before);
}

TEST_CASE("a chunk that waits behind batches for the same link has not been lost") {
  pull_desk d{n1};
  d.on(n1, catch_up{log_index{0}, {n3}});
  CHECK(d.sent<wire::Pull>().size() == 1);
  d.account->arrives.insert(n3);
  for (int i = 0; i < 9; ++i) {
    d.pass(300ms);
    d.tick();
    CHECK(d.sent<wire::Pull>().empty());
  }
  d.account->arrives.clear();
  d.pass(300ms);
  d.tick();
  CHECK(d.sent_to<wire::Pull>() == std::vector{n3});
}

}  // namespace quorate::testing
