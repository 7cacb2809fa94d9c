// libFuzzer's entry: QUORATE_FUZZ_TARGET names the target.

#include "tests/fuzz/target.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

const quorate::fuzz::target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const auto* name = std::getenv("QUORATE_FUZZ_TARGET");
  chosen = quorate::fuzz::find_target(name ? name : "");
  if (chosen)
    return 0;
  std::fprintf(stderr, "QUORATE_FUZZ_TARGET must name one of:\n");
  for (const auto& t : quorate::fuzz::targets())
    std::fprintf(stderr, "%.*s\n", static_cast<int>(t.name.size()), t.name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
