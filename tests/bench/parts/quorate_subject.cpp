#include "tests/bench/parts/quorate_subject.hpp"

#include <nlohmann/json.hpp>

namespace quorate::bench {

quorate_subject::quorate_subject(const subject_plan& plan)
    : cluster_({.nodes = plan.nodes,
                .more_spec = {},
                .log_level = "warn",
                .protocol = plan.system,
                .places = plan.places}) {}

std::size_t quorate_subject::leader() {
  return 0;
}

std::optional<std::uint64_t> quorate_subject::applied(std::size_t n) {
  auto client = cluster_.client(n, milliseconds{1'000});
  const auto reply = client.get("/cluster");
  if (!reply || reply->status != 200)
    return std::nullopt;
  const auto page = nlohmann::json::parse(reply->body, nullptr, false);
  if (page.is_discarded() || !page.contains("log"))
    return std::nullopt;
  return page["log"].value("applied", std::uint64_t{0});
}

}  // namespace quorate::bench
