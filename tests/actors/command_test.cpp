#include "actors/command.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t largest_allocation = 0;

}  // namespace

// Watches what decoding asks for: the whole program's, but only counted per thread. AddressSanitizer wants
// all forms of operator new for itself.
#ifndef __SANITIZE_ADDRESS__
void* operator new(std::size_t bytes) {
  largest_allocation = std::max(largest_allocation, bytes);
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes))
    return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
#endif

namespace quorate::testing {

namespace {

constexpr std::size_t head_bytes = 5;
constexpr std::size_t command_head_bytes = 33;

std::string random_bytes(prng& random, std::size_t most) {
  std::string out(random.below(most + 1), '\0');
  for (auto& c : out)
    c = static_cast<char>(random.below(256));
  return out;
}

std::vector<command> random_commands(prng& random, std::size_t most) {
  std::vector<command> list(random.between(1, most));
  for (auto& c : list) {
    c.id = {session_id{random.next()}, sequence{random.next()}};
    c.done_below = random.next();
    c.kind = random.chance(20) ? command_kind::open_session : command_kind::machine;
    c.key = random_bytes(random, 20);
    c.body = payload{random_bytes(random, 60)};
  }
  return list;
}

bool same(const std::vector<command>& sent, const std::vector<command_view>& read) {
  return std::equal(sent.begin(), sent.end(), read.begin(), read.end(), [](const auto& a, const auto& b) {
    return a.id == b.id && a.done_below == b.done_below && a.kind == b.kind && a.key == b.key &&
           a.body.view() == b.body;
  });
}

// Decodes what may be anything. Complains about more commands, texts or memory than the bytes can hold.
std::string complaint_about(const std::string& bytes) {
  largest_allocation = 0;
  const auto read = decode_commands(bytes);
  const auto asked = largest_allocation;
  if (asked > (bytes.size() / command_head_bytes + 1) * sizeof(command_view))
    return "asked for " + std::to_string(asked) + " bytes of memory for " + std::to_string(bytes.size());
  if (!read)
    return {};
  std::size_t sum = head_bytes;
  for (const auto& c : *read) {
    sum += command_head_bytes + c.key.size() + c.body.size();
    for (const auto part : {c.key, c.body})
      if (!part.empty() &&
          (part.data() < bytes.data() || part.data() + part.size() > bytes.data() + bytes.size()))
        return "a text outside of the batch";
  }
  return sum == bytes.size() ? "" : "commands of " + std::to_string(sum) + " bytes";
}

}  // namespace

TEST_CASE("a batch is read back as it was written") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    prng random{seed};
    const auto commands = random_commands(random, 30);
    const auto bytes = encode_commands(commands);
    const auto read = decode_commands(bytes.view());
    REQUIRE_MESSAGE(read, "seed " << seed);
    CHECK_MESSAGE(same(commands, *read), "seed " << seed);
  }
}

TEST_CASE("the largest batch is read back, a larger one and an empty one are never made") {
  std::vector<command> most(limits::batch_commands_max);
  const auto bytes = encode_commands(most);
  REQUIRE(decode_commands(bytes.view()));
  CHECK(decode_commands(bytes.view())->size() == limits::batch_commands_max);

  const invariant_trap trap;
  CHECK_THROWS_AS(static_cast<void>(encode_commands({})), invariant_broken);
  most.emplace_back();
  CHECK_THROWS_AS(static_cast<void>(encode_commands(most)), invariant_broken);
}

TEST_CASE("a batch that was cut or has something behind it is no batch") {
  prng random{3};
  const std::string whole{encode_commands(random_commands(random, 12)).view()};
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_MESSAGE(!decode_commands(whole.substr(0, size)), "cut to " << size);
  CHECK(!decode_commands(whole + '\0'));
  CHECK(decode_commands(whole));
}

TEST_CASE("a batch with wrong bytes is read within its bytes or not at all") {
  prng random{4};
  int unread = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes{encode_commands(random_commands(random, 6)).view()};
    for (auto changes = random.between(1, 4); changes > 0; --changes)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    const auto complaint = complaint_about(bytes);
    CHECK_MESSAGE(complaint == "", "mutation " << i);
    unread += decode_commands(bytes) ? 0 : 1;
  }
  CHECK(unread > 100);
}

TEST_CASE("a count that the bytes cannot hold is not believed") {
  prng random{5};
  std::string bytes{encode_commands(random_commands(random, 3)).view()};
  for (const std::uint32_t count : {0U, 4U, 100U, 8'192U, 8'193U, 0x7fffffffU, 0xffffffffU}) {
    for (std::size_t i = 0; i < 4; ++i)
      bytes[1 + i] = static_cast<char>(static_cast<std::uint8_t>(count >> (8 * i)));
    CHECK_MESSAGE(complaint_about(bytes) == "", "count " << count);
    CHECK_MESSAGE(!decode_commands(bytes), "count " << count);
  }
}

TEST_CASE("a batch of another format or with an unknown kind of command is no batch") {
  prng random{6};
  const std::string whole{encode_commands(random_commands(random, 1)).view()};
  auto other = whole;
  other[0] = 2;
  CHECK(!decode_commands(other));
  other = whole;
  other[head_bytes + 24] = 2;
  CHECK(!decode_commands(other));
}

}  // namespace quorate::testing
