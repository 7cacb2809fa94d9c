// The fuzz targets without libFuzzer: over the corpus, and over a few thousand seeded changes of it.

#include "actors/prng.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

using namespace quorate;
namespace fs = std::filesystem;

constexpr int changes_per_target = 3'000;

struct seed_file {
  std::string name;
  std::string bytes;
};

std::vector<seed_file> corpus_of(std::string_view target) {
  std::vector<seed_file> out;
  for (const auto& entry :
       fs::directory_iterator{fs::path{quorate::testing::source_dir()} / "tests/fuzz/corpus" / target}) {
    std::ifstream in{entry.path(), std::ios::binary};
    out.push_back({entry.path().filename().string(), std::string{std::istreambuf_iterator<char>{in}, {}}});
  }
  std::ranges::sort(out, {}, &seed_file::name);
  return out;
}

/// What is wrong with what the target does; empty where nothing is.
std::string run(const fuzz::target& target, std::string_view bytes) {
  // A copy of its own size, so that a sanitizer sees a read behind the end.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  try {
    target.run({exact.data(), exact.size()});
  } catch (const std::exception& e) {
    return e.what();
  }
  return {};
}

std::string changed(std::string bytes, const std::string& other, prng& random) {
  for (auto steps = 1 + random.below(4); steps > 0; --steps) {
    const auto at = static_cast<std::size_t>(random.below(bytes.size() + 1));
    switch (random.below(6)) {
    case 0:
      if (at < bytes.size())
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < bytes.size())
        bytes[at] = static_cast<char>(random.below(256));
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.erase(at, static_cast<std::size_t>(random.below(8)));
      break;
    case 4:
      bytes.insert(at, static_cast<std::size_t>(1 + random.below(8)), static_cast<char>(random.below(256)));
      break;
    default:
      bytes = bytes.substr(0, at) + other.substr(std::min(other.size(), at));
    }
  }
  return bytes;
}

TEST_CASE("every fuzz target holds for its corpus and for seeded changes of it") {
  for (const auto& target : fuzz::targets()) {
    INFO("target " << std::string{target.name});
    const auto corpus = corpus_of(target.name);
    REQUIRE_FALSE(corpus.empty());
    for (const auto& file : corpus) {
      INFO("tests/fuzz/corpus/" << std::string{target.name} << "/" << file.name);
      CHECK(run(target, file.bytes) == "");
    }
    prng random{42};
    for (int i = 0; i < changes_per_target; ++i) {
      const auto& base = corpus[static_cast<std::size_t>(random.below(corpus.size()))].bytes;
      const auto& other = corpus[static_cast<std::size_t>(random.below(corpus.size()))].bytes;
      INFO("change " << i);
      REQUIRE(run(target, changed(base, other, random)) == "");
    }
  }
}

TEST_CASE("a target that does not hold is seen") {
  const fuzz::target bad{"bad", [](std::string_view bytes) { fuzz::expect(bytes.empty(), "no bytes"); }};
  CHECK(run(bad, "") == "");
  CHECK(run(bad, "x") == "no bytes");
}

}  // namespace
