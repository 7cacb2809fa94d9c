#include "actors/bytes.hpp"

#include "actors/prng.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

TEST_CASE("numbers of every width come back in both byte orders") {
  prng random{1};
  for (int i = 0; i < 1'000; ++i) {
    // Of every magnitude, not only large ones.
    const auto a = random.next() >> random.below(64);
    std::string bytes;
    put_little(bytes, a);
    put_little(bytes, static_cast<std::uint32_t>(a));
    put_little(bytes, static_cast<std::uint8_t>(a));
    put_big(bytes, a);
    put_big(bytes, static_cast<std::uint32_t>(a));
    byte_reader in{bytes};
    CHECK(in.little<std::uint64_t>() == a);
    CHECK(in.little<std::uint32_t>() == static_cast<std::uint32_t>(a));
    CHECK(in.little<std::uint8_t>() == static_cast<std::uint8_t>(a));
    CHECK(in.big<std::uint64_t>() == a);
    CHECK(in.big<std::uint32_t>() == static_cast<std::uint32_t>(a));
    CHECK(in.ok());
    CHECK(in.at_end());
  }
}

TEST_CASE("byte order is fixed, not the machine's") {
  std::string bytes;
  put_little(bytes, std::uint32_t{0x01020304});
  put_big(bytes, std::uint32_t{0x01020304});
  CHECK(bytes == "\x04\x03\x02\x01\x01\x02\x03\x04");
}

TEST_CASE("ordered keys sort as their numbers do") {
  prng random{2};
  for (int i = 0; i < 1'000; ++i) {
    const auto a = random.next() >> random.below(64);
    const auto b = random.next() >> random.below(64);
    CHECK((ordered_key(a) < ordered_key(b)) == (a < b));
  }
  CHECK(ordered_key(255) < ordered_key(256));
}

TEST_CASE("after one short read everything read is zero or empty, for ever") {
  byte_reader in{"abcde"};
  CHECK(in.take(2) == "ab");
  CHECK(in.little<std::uint32_t>() == 0);
  CHECK(!in.ok());
  CHECK(in.left() == 3);
  // What would still be there is not given out either.
  CHECK(in.take(1) == "");
  CHECK(in.little<std::uint8_t>() == 0);
  CHECK(in.big<std::uint16_t>() == 0);
  CHECK(!in.ok());
}

TEST_CASE("a length that cannot be is refused without overflow") {
  byte_reader in{"abc"};
  CHECK(in.take(static_cast<std::size_t>(-1)) == "");
  CHECK(!in.ok());
  byte_reader nothing{""};
  CHECK(nothing.ok());
  CHECK(nothing.at_end());
  CHECK(nothing.take(0) == "");
  CHECK(nothing.ok());
}

}  // namespace quorate::testing
