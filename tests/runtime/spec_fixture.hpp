// A valid spec to make mistakes in.
#pragma once

#include "runtime/cluster_spec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <variant>

namespace quorate::spec_fixture {

inline const std::string valid_text = R"(cluster {
  name = "demo"
  protocol = "paxos"
  nodes = [
    { name = "n1", host = "127.0.0.1", port = 7101, http = "127.0.0.1:8101" },
    { name = "n2", host = "127.0.0.1", port = 7102, http = "127.0.0.1:8102" },
  ]
}
)";

inline known_names known() {
  known_names out{{"mencius", "paxos"}, {"local"}, {"push-pull"}, {"append_log", "key_value"}, {}};
  out.check_options = [](const std::string&, const std::map<std::string, std::string>& options) {
    return options.contains("bad") ? status{failure{errc::bad_config, "bad: no such option"}} : status{};
  };
  return out;
}

/// The valid text with the last `from` replaced; the whole text where `from` is empty.
inline std::string with(const std::string& from, const std::string& to) {
  if (from.empty())
    return to;
  auto text = valid_text;
  const auto at = text.rfind(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

/// The message for a bad spec; "valid" for a good one. Checks that a message is one printable line.
inline std::string message_of(const spec_result& result) {
  const auto* problem = std::get_if<failure>(&result);
  if (problem == nullptr)
    return "valid";
  CHECK(problem->code == errc::bad_config);
  CHECK_FALSE(problem->message.empty());
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  CHECK_MESSAGE(std::none_of(problem->message.begin(), problem->message.end(), control), problem->message);
  return problem->message;
}

inline cluster_spec spec_of(const std::string& text) {
  auto result = parse_spec(text, known());
  REQUIRE_MESSAGE(std::holds_alternative<cluster_spec>(result), message_of(result));
  return std::get<cluster_spec>(std::move(result));
}

struct mistake {
  std::string from;
  std::string to;
  std::string message;
};

template <class Mistakes>
void check_mistakes(const Mistakes& mistakes) {
  for (const auto& m : mistakes) {
    CAPTURE(m.from);
    CAPTURE(m.to);
    const auto place = m.message.starts_with("cluster: ") ? "spec: " : "spec:";
    CHECK(message_of(parse_spec(with(m.from, m.to), known())) == place + m.message);
  }
}

}  // namespace quorate::spec_fixture
