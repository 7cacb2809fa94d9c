#include "protocols/paxos/options.hpp"

#include "actors/number_options.hpp"

namespace quorate::paxos {

status read_options(const std::map<std::string, std::string>& from, options& out) {
  return read_number_options("paxos",
                             {{"window", 1, 64, [&](std::uint64_t n) { out.window = n; }},
                              {"takeover_after_ms", 5, 10'000, milliseconds_into(out.takeover_after)},
                              {"resend_after_ms", 5, 10'000, milliseconds_into(out.resend_after)}},
                             from);
}

}  // namespace quorate::paxos
