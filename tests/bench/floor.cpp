// floor: what this machine can do at best, whatever the software: see parts/floor.hpp.
//
//   floor --outstanding=1,64,256,4096 --seconds=5 --bytes=100 --files=preallocated|growing --directory=DIR

#include "tests/bench/parts/floor.hpp"
#include "tests/bench/parts/scratch.hpp"
#include "tests/bench/parts/words.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  using namespace quorate::bench;
  command_words given{"floor", argc, argv};
  floor_plan plan;
  plan.outstanding = given.numbers("--outstanding", plan.outstanding);
  plan.length = std::chrono::seconds{given.number("--seconds", 5)};
  plan.bytes = given.number("--bytes", plan.bytes);
  plan.preallocated = given.word("--files", "preallocated") == "preallocated";
  const scratch own;
  plan.directory = given.word("--directory", own.path().string());
  if (!given.understood())
    return 2;
  const auto results = measure_floor(plan);
  for (std::size_t i = 0; i < results.size(); ++i)
    std::printf("floor, %s files, %zu outstanding: %s\n", plan.preallocated ? "preallocated" : "growing",
                plan.outstanding[i], text(results[i]).c_str());
  if (results.empty())
    std::fprintf(stderr, "floor: no file in %s or no loopback connection could be had\n",
                 plan.directory.c_str());
  return results.empty() ? 1 : 0;
}
