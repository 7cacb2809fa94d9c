#include "protocols/mencius/options.hpp"

#include "actors/number_options.hpp"

namespace quorate::mencius {

status read_options(const std::map<std::string, std::string>& from, options& out) {
  return read_number_options("mencius",
                             {{"window", 1, 64, [&](std::uint64_t n) { out.window = n; }},
                              {"revoke_after_ms", 5, 10'000, milliseconds_into(out.revoke_after)},
                              {"resend_after_ms", 5, 10'000, milliseconds_into(out.resend_after)},
                              {"yield_after_ms", 1, 10'000, milliseconds_into(out.yield_after)}},
                             from);
}

}  // namespace quorate::mencius
