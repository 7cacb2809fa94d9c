// http_load: writes to running nodes over keep-alive connections, and says how fast that was.
//
//   http_load --addresses=127.0.0.1:8101,127.0.0.1:8102,127.0.0.1:8103 --connections=64 --seconds=10
//   --bytes=100 --service=quorate|etcd
//
// Each connection has one request in flight and stays with its address; one thread, one epoll.

#include "tests/bench/parts/http_load.hpp"
#include "tests/bench/parts/words.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>

namespace {

using namespace quorate::bench;

/// False where one of them is no IPv4 address with a port.
bool read_nodes(const std::vector<std::string>& words, load_plan& plan) {
  for (const auto& word : words) {
    const auto colon = std::min(word.rfind(':'), word.size());
    const auto port = numbers(word.substr(std::min(colon + 1, word.size())));
    const quorate::testing::endpoint node{word.substr(0, colon),
                                          static_cast<std::uint16_t>(port.empty() ? 0 : port.front())};
    in_addr address{};
    if (port.size() != 1 || port.front() > 65'535 || ::inet_pton(AF_INET, node.host.c_str(), &address) != 1)
      return false;
    plan.nodes.push_back(node);
  }
  return !plan.nodes.empty();
}

}  // namespace

int main(int argc, char** argv) {
  command_words given{"http_load", argc, argv};
  load_plan plan;
  const auto good = read_nodes(given.words("--addresses", {}), plan);
  plan.clients = given.number("--connections", plan.clients);
  plan.bytes = given.number("--bytes", plan.bytes);
  plan.what = given.word("--service", "quorate") == "etcd" ? service::etcd : service::quorate;
  const std::chrono::seconds length{given.number("--seconds", 10)};
  if (!given.understood())
    return 2;
  if (!good) {
    std::fprintf(stderr, "usage: http_load --addresses=IP:PORT,... [--connections=64] [--seconds=10] "
                         "[--bytes=100] [--service=quorate|etcd]\n");
    return 2;
  }
  const auto seen = run_load(plan, length);
  const auto all = seen.between(seen.start, seen.end);
  nanoseconds gap{};
  for (std::uint32_t node = 0; node < plan.nodes.size(); ++node)
    gap = std::max(gap, seen.longest_gap({node}, seen.start, seen.end));
  std::printf("connections %zu, value bytes %zu: %s, longest gap of a node %.2f ms, acknowledged %zu\n",
              plan.clients, plan.bytes, text(all).c_str(), in_ms(gap), seen.acknowledged.size());
  for (const auto& [status, count] : seen.errors)
    std::printf("  %s: %llu\n", status == 0 ? "no answer" : ("status " + std::to_string(status)).c_str(),
                static_cast<unsigned long long>(count));
  return seen.acknowledged.empty() ? 1 : 0;
}
