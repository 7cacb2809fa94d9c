#include "protocols/paxos/options.hpp"

#include <charconv>

namespace quorate::paxos {

namespace {

// Sets `out`, or says what is wrong with `text`.
status read_number(const std::string& name, const std::string& text, std::uint64_t low, std::uint64_t high,
                   std::uint64_t& out) {
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || rest != end || out < low || out > high)
    return failure{errc::bad_config, "paxos: option " + name + " must be a number from " +
                                         std::to_string(low) + " to " + std::to_string(high) + ", not \"" +
                                         text + "\""};
  return std::nullopt;
}

}  // namespace

status read_options(const std::map<std::string, std::string>& from, options& out) {
  for (const auto& [name, text] : from) {
    std::uint64_t number = 0;
    status wrong;
    if (name == "window") {
      wrong = read_number(name, text, 1, 64, number);
      out.window = static_cast<std::size_t>(number);
    } else if (name == "takeover_after_ms") {
      wrong = read_number(name, text, 5, 10'000, number);
      out.takeover_after = std::chrono::milliseconds{number};
    } else if (name == "resend_after_ms") {
      wrong = read_number(name, text, 5, 10'000, number);
      out.resend_after = std::chrono::milliseconds{number};
    } else {
      wrong = failure{errc::bad_config, "paxos: unknown option " + name +
                                            " (known: window, takeover_after_ms, resend_after_ms)"};
    }
    if (wrong)
      return wrong;
  }
  return std::nullopt;
}

}  // namespace quorate::paxos
