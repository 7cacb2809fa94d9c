#include "runtime/cluster_page.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace quorate {

namespace {

std::string hexadecimal(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

nlohmann::ordered_json member_entry(const member& m, const page_facts& facts,
                                    const status_board::contents& board, std::uint64_t all_taken) {
  nlohmann::ordered_json entry;
  entry["name"] = m.name;
  entry["disk"] = hexadecimal(m.disk.value);
  if (const auto found = board.balancer.of.find(m.id); found != board.balancer.of.end()) {
    const auto& a = found->second;
    auto& commands = entry["commands"];
    commands["share"] = all_taken > 0 ? static_cast<double>(a.taken) / static_cast<double>(all_taken) : 0.0;
    commands["taken"] = a.taken;
    commands["outstanding"] = a.outstanding;
    commands["latency_ms"] = std::chrono::duration<double, std::milli>(a.latency).count();
    commands["failed"] = a.failed;
    commands["failing"] = a.failures;
    commands["pickable"] = a.pickable;
  }
  if (m.id == facts.self) {
    entry["self"] = true;
    entry["reachable"] = true;
    entry["applied"] = board.replica.next;
    entry["room"] = to_string(board.peers.disk);
    return entry;
  }
  const auto peer = board.peers.peers.find(m.id);
  entry["reachable"] = peer != board.peers.peers.end() && peer->second.reachable;
  entry["connected"] =
      std::find(facts.connected.begin(), facts.connected.end(), m.id) != facts.connected.end();
  if (peer != board.peers.peers.end()) {
    entry["silent_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(peer->second.silence).count();
    entry["phi"] = std::min(peer->second.phi, 1000.0);
    entry["room"] = to_string(peer->second.disk);
  }
  const auto applied = board.replica.others.find(m.id);
  entry["applied"] = applied == board.replica.others.end() ? 0 : applied->second;
  entry["quarantined"] = board.replica.not_served_by.contains(m.id);
  if (const auto link = facts.links.find(m.id); link != facts.links.end()) {
    entry["bytes_in_flight"] = link->second.in_flight;
    entry["messages_dropped"] = link->second.dropped;
  }
  return entry;
}

}  // namespace

std::string cluster_page(const page_facts& facts, const status_board::contents& board) {
  nlohmann::ordered_json page;
  page["name"] = facts.cluster;
  page["node"] = facts.name;
  page["disk"] = hexadecimal(facts.disk.value);
  page["boot"] = facts.boot.value;
  page["founded"] = board.founded;
  if (!board.founded)
    page["reason"] = board.reason;
  page["protocol"] = board.founded ? board.protocol : facts.protocol;
  page["epoch"] = 0;
  page["balancer"] = board.balancer.policy.empty() ? facts.balancer : board.balancer.policy;
  page["balancer_options"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : board.balancer.options)
    page["balancer_options"][name] = value;
  page["sync"] = facts.sync;
  page["machine"] = facts.machine;
  page["majority"] = board.founded && board.peers.majority;
  std::uint64_t all_taken = 0;
  for (const auto& [node, a] : board.balancer.of)
    all_taken += a.taken;
  page["members"] = nlohmann::ordered_json::array();
  for (const auto& m : board.members)
    page["members"].push_back(member_entry(m, facts, board, all_taken));
  auto& log = page["log"];
  log["applied"] = board.replica.next;
  log["durable"] = board.replica.durable;
  log["first"] = board.replica.log_first;
  log["state_hash"] = hexadecimal(board.replica.state_hash);
  log["sessions"] = board.replica.sessions;
  log["divergences"] = board.replica.divergences;
  log["quarantined"] = !board.replica.quarantine.empty();
  auto& disk = page["storage"];
  disk["journal_batches"] = facts.journal_batches;
  disk["journal_bytes"] = facts.journal_bytes;
  disk["state_bytes"] = facts.state_bytes;
  disk["free_bytes"] = facts.room.free;
  disk["reserve_bytes"] = facts.room.reserve;
  disk["takes_writes"] = board.peers.takes_writes;
  auto& clients = page["clients"];
  clients["connections"] = facts.http.connections;
  clients["in_flight"] = facts.http.in_flight;
  clients["requests"] = facts.http.requests;
  clients["refused"] = facts.http.refused;
  clients["waiting_commands"] = board.replica.waiting;
  return page.dump();
}

http_backend::health_state health_of(const status_board::contents& board) {
  if (!board.founded)
    return {false, "this node has no cluster yet: " + board.reason};
  if (!board.replica.quarantine.empty())
    return {false, board.replica.quarantine};
  if (board.peers.majority && !board.peers.takes_writes) {
    std::string full;
    for (const auto& m : board.members)
      if (const auto p = board.peers.peers.find(m.id);
          (p == board.peers.peers.end() ? board.peers.disk : p->second.disk) >= disk_level::full)
        full += (full.empty() ? "" : ", ") + m.name;
    return {false, "writes are refused: the disks of too many members are below their reserve: " + full,
            errc::disk_full};
  }
  if (board.peers.majority)
    return {true, {}};
  std::string silent;
  for (const auto& m : board.members)
    if (const auto p = board.peers.peers.find(m.id); p != board.peers.peers.end() && !p->second.reachable)
      silent += (silent.empty() ? "" : ", ") + m.name;
  return {false, "this node reaches no majority of the members: silent: " + silent};
}

}  // namespace quorate
