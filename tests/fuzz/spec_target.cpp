// What whoever runs the cluster writes.

#include "runtime/cluster_spec.hpp"
#include "tests/fuzz/target.hpp"

namespace quorate::fuzz {

void spec_bytes(std::string_view bytes) {
  static const known_names known{{"mencius", "paxos"}, {"local"}, {"push-pull"}, {"append_log"}, {}};
  const auto read = parse_spec(bytes, known, "spec");
  if (const auto* failed = std::get_if<failure>(&read)) {
    expect(failed->code == errc::bad_config && failed->message.starts_with("spec"), "a mistake says where");
    expect(failed->message.find('\n') == std::string::npos && failed->message.size() < 2'000,
           "a mistake is one line");
    return;
  }
  const auto& spec = std::get<cluster_spec>(read);
  expect(!spec.nodes.empty() && !spec.name.empty(), "a spec has nodes and a name");
}

}  // namespace quorate::fuzz
