#include "tests/bench/parts/etcd_subject.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace quorate::bench {

namespace {

constexpr auto start_within = std::chrono::milliseconds{30'000};
constexpr auto answer_within = std::chrono::milliseconds{1'000};

std::string url(const std::string& host, std::uint16_t port) {
  return "http://" + host + ":" + std::to_string(port);
}

}  // namespace

etcd_subject::etcd_subject(const subject_plan& plan) {
  const auto ports = testing::free_ports(2 * plan.nodes);
  for (std::size_t i = 0; i < plan.nodes && ports.size() == 2 * plan.nodes; ++i) {
    node n;
    n.name = "n" + std::to_string(i + 1);
    n.client = ports[2 * i];
    n.peer = ports[2 * i + 1];
    if (i < plan.places.size())
      n.place = plan.places[i];
    nodes_.push_back(std::move(n));
  }
}

std::vector<std::string> etcd_subject::command_line(const node& n) const {
  std::string all;
  for (const auto& other : nodes_)
    all += (all.empty() ? "" : ",") + other.name + "=" + url(other.place.host, other.peer);
  const auto client = url(n.place.host, n.client);
  const auto peer = url(n.place.host, n.peer);
  return {etcd_path(),
          "--name=" + n.name,
          "--data-dir=" + (directory_.path() / n.name).string(),
          "--listen-client-urls=" + client,
          "--advertise-client-urls=" + client,
          "--listen-peer-urls=" + peer,
          "--initial-advertise-peer-urls=" + peer,
          "--initial-cluster=" + all,
          "--initial-cluster-state=new",
          "--logger=zap",
          "--log-level=error"};
}

bool etcd_subject::start() {
  for (auto& n : nodes_) {
    const auto log = directory_.path() / (n.name + ".log");
    if (!n.process.running() && !n.process.start(command_line(n), log, log, n.place.surroundings))
      return false;
  }
  return !nodes_.empty() && all_serve(start_within);
}

bool etcd_subject::serves(std::size_t n) {
  testing::http_client client{at(n), answer_within};
  const auto reply = client.get("/health");
  return reply && reply->status == 200 && reply->body.find("true") != reply->body.npos;
}

std::string etcd_subject::status(std::size_t n, const std::string& field) const {
  testing::http_client client{at(n), answer_within};
  const auto reply = client.post("/v3/maintenance/status", "{}");
  if (!reply || reply->status != 200)
    return {};
  const auto page = nlohmann::json::parse(reply->body, nullptr, false);
  if (page.is_discarded() || !page.contains("header"))
    return {};
  return field == "self" ? page["header"].value("member_id", "") : page.value(field, "");
}

std::size_t etcd_subject::leader() {
  for (std::size_t n = 1; n <= size(); ++n)
    if (const auto self = status(n, "self"); !self.empty() && self == status(n, "leader"))
      return n;
  return 0;
}

std::optional<std::uint64_t> etcd_subject::applied(std::size_t n) {
  const auto index = status(n, "raftAppliedIndex");
  if (index.empty())
    return std::nullopt;
  return std::strtoull(index.c_str(), nullptr, 10);
}

std::string etcd_subject::report() {
  std::string out;
  for (const auto& n : nodes_)
    out += "--- " + n.name + "\n" + testing::file_text(directory_.path() / (n.name + ".log"));
  return out;
}

}  // namespace quorate::bench
