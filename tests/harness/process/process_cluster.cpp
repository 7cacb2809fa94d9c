#include "tests/harness/process/process_cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace quorate::testing {

namespace {

using clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto look_again = std::chrono::milliseconds{20};
constexpr std::size_t tail_bytes = 40'000;  // some minutes under fire, as far as the cause of what was seen last
constexpr std::string_view start_mark = "--- start ---\n";

/// Binds to `port`, or to any that is free where it is 0; the descriptor and the port, -1 where it is taken.
std::pair<int, std::uint16_t> bind_port(std::uint16_t port) {
  const auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0)
    return {fd, ntohs(address.sin_port)};
  ::close(fd);
  return {-1, 0};
}

template <class Done>
bool wait_until(std::chrono::milliseconds within, Done done) {
  const auto deadline = clock::now() + within;
  while (!done()) {
    if (clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(look_again);
  }
  return true;
}

}  // namespace

std::string node_runtime_path() {
  if (const auto* path = std::getenv("QUORATE_NODE_RUNTIME"))
    return path;
  std::error_code ignored;
  // From <build>/tests/process_test, or from deeper inside of the build, to <build>/runtime/node_runtime.
  auto folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  while (folder.has_relative_path() && !fs::exists(folder / "runtime" / "node_runtime", ignored))
    folder = folder.parent_path();
  return (folder / "runtime" / "node_runtime").string();
}

std::vector<std::uint16_t> free_ports(std::size_t count) {
  // Below the range from which the system gives ports to outgoing connections: one of these could take the
  // port of a node that is down for a moment, or even connect to itself.
  constexpr std::uint16_t lowest = 11'000;
  std::uint16_t beyond = 0;
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> beyond;
  const auto has_range = beyond >= lowest + 1'000;
  std::random_device random;
  std::uniform_int_distribution<int> any{lowest, has_range ? beyond - 1 : lowest};
  std::vector<int> held;
  std::vector<std::uint16_t> ports;
  for (int attempt = 0; attempt < 1'000 && ports.size() < count; ++attempt) {
    // 0 as a last resort: whatever the system has.
    const auto wanted = has_range ? static_cast<std::uint16_t>(any(random)) : std::uint16_t{0};
    const auto [fd, port] = bind_port(wanted);
    if (fd < 0)
      continue;
    held.push_back(fd);
    ports.push_back(port);
  }
  for (const auto fd : held)
    ::close(fd);
  return ports;
}

process_cluster::process_cluster(cluster_plan plan) : plan_(std::move(plan)) {
  auto name = (fs::temp_directory_path() / "quorate-process-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    trouble_ += "no temporary directory could be made\n";
  directory_ = name;
  const auto ports = free_ports(2 * plan_.nodes);
  if (ports.size() < 2 * plan_.nodes) {
    trouble_ += "not enough free ports\n";
    return;
  }
  for (std::size_t i = 0; i < plan_.nodes; ++i) {
    node n;
    n.name = "n" + std::to_string(i + 1);
    n.peer = ports[2 * i];
    n.http = ports[2 * i + 1];
    if (i < plan_.places.size())
      n.place = plan_.places[i];
    nodes_.push_back(std::move(n));
  }
  write_spec(plan_.more_spec);
}

process_cluster::~process_cluster() {
  nodes_.clear();
  std::error_code ignored;
  if (std::getenv("QUORATE_KEEP") == nullptr)
    fs::remove_all(directory_, ignored);
}

void process_cluster::write_spec(const std::string& more) const {
  std::ofstream out{spec()};
  out << "cluster {\n  name = \"processes\"\n  protocol = \"" << plan_.protocol << "\"\n"
      << more << "\n  nodes = [\n";
  for (const auto& n : nodes_)
    out << "    { name = \"" << n.name << "\", host = \"" << n.place.host << "\", port = " << n.peer
        << ", http = \"" << n.place.host << ":" << n.http << "\" },\n";
  out << "  ]\n}\n";
}

std::vector<std::uint16_t> process_cluster::http_ports() const {
  std::vector<std::uint16_t> out;
  for (const auto& n : nodes_)
    out.push_back(n.http);
  return out;
}

std::vector<endpoint> process_cluster::endpoints() const {
  std::vector<endpoint> out;
  for (std::size_t n = 1; n <= size(); ++n)
    out.push_back(at(n));
  return out;
}

fs::path process_cluster::data(std::size_t n) const {
  const auto& one = nodes_[n - 1];
  return one.place.data.empty() ? directory_ / one.name : one.place.data;
}

fs::path process_cluster::log_file(std::size_t n) const {
  return directory_ / (nodes_[n - 1].name + ".log");
}

std::vector<std::string> process_cluster::command_line(std::size_t n) const {
  return {node_runtime_path(), "--config-file=" + spec().string(), "--node=" + nodes_[n - 1].name,
          "--data-dir=" + data(n).string(), "--log-level=" + plan_.log_level};
}

bool process_cluster::start(milliseconds within) {
  for (std::size_t n = 1; n <= size(); ++n)
    if (!running(n))
      launch(n);
  return wait_all_healthy(within);
}

void process_cluster::launch(std::size_t n) {
  auto& one = nodes_[n - 1];
  if (one.process.running()) {
    trouble_ += one.name + " is started twice\n";
    return;
  }
  std::ofstream{log_file(n), std::ios::app} << start_mark;
  one.should_run = one.process.start(command_line(n), log_file(n), log_file(n), one.place.surroundings);
  if (!one.should_run)
    trouble_ += one.name + " could not be started\n";
}

void process_cluster::note_end(node& n, const process_end& end) {
  n.should_run = false;
  trouble_ += n.name + " has ended by itself: " + text(end) + "\n";
}

void process_cluster::kill9(std::size_t n) {
  auto& one = nodes_[n - 1];
  const auto was_running = one.process.running();
  const auto end = one.process.end();
  if (one.should_run && (!was_running || end.signal != SIGKILL))
    note_end(one, end);
  one.should_run = false;
}

bool process_cluster::stop(std::size_t n, int signal, milliseconds within) {
  auto& one = nodes_[n - 1];
  one.process.signal(signal);
  one.should_run = false;
  const auto end = one.process.wait(within);
  if (end == process_end{0, 0})
    return true;
  // It had not got as far as to take the signal, which it does before it says anything.
  if (end == process_end{0, signal} && log_lines(n, "").empty())
    return true;
  trouble_ += one.name +
              (end ? " was asked to stop and ended with " + text(*end) : " was asked to stop and did not") +
              "\n";
  if (!end)
    one.process.end();
  return false;
}

std::optional<process_end> process_cluster::await_end(std::size_t n, milliseconds within) {
  auto& one = nodes_[n - 1];
  const auto end = one.process.wait(within);
  if (end)
    one.should_run = false;
  return end;
}

void process_cluster::wipe(std::size_t n) {
  std::error_code error;
  if (running(n) || (fs::remove_all(data(n), error), error))
    trouble_ += nodes_[n - 1].name + "'s disk could not be wiped\n";
}

process_cluster::memory process_cluster::memory_of(std::size_t n) const {
  std::ifstream in{"/proc/" + std::to_string(nodes_[n - 1].process.id()) + "/status"};
  memory result;
  std::string word;
  while (in >> word) {
    auto* const field = word == "VmRSS:" ? &result.resident : word == "VmHWM:" ? &result.peak : nullptr;
    if (field && in >> *field)
      *field *= 1024;
  }
  return result;
}

bool process_cluster::healthy(std::size_t n) const {
  auto one = client(n, milliseconds{1'000});
  const auto reply = one.get("/healthz");
  return reply && reply->status == 200;
}

bool process_cluster::wait_healthy(std::size_t n, milliseconds within) {
  const auto done = wait_until(within, [&] { return healthy(n) || !running(n); });
  if (done && healthy(n))
    return true;
  trouble_ += nodes_[n - 1].name + " did not become healthy\n";
  return false;
}

bool process_cluster::wait_all_healthy(milliseconds within) {
  const auto deadline = clock::now() + within;
  for (std::size_t n = 1; n <= size(); ++n)
    if (!wait_healthy(n, std::chrono::ceil<milliseconds>(deadline - clock::now())))
      return false;
  return true;
}

std::vector<std::string> process_cluster::log_lines(std::size_t n, std::string_view part) const {
  const auto all = file_text(log_file(n));
  const auto mark = all.rfind(start_mark);
  std::istringstream in{mark == all.npos ? all : all.substr(mark + start_mark.size())};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (line.find(part) != line.npos)
      lines.push_back(line);
  return lines;
}

bool process_cluster::wait_log(std::size_t n, std::string_view part, milliseconds within) const {
  return wait_until(within, [&] { return !log_lines(n, part).empty(); });
}

std::string process_cluster::trouble() {
  for (auto& n : nodes_)
    if (n.should_run && !n.process.running())
      note_end(n, n.process.end());
  return trouble_;
}

std::string process_cluster::report() {
  auto out = trouble();
  for (std::size_t n = 1; n <= size(); ++n) {
    const auto all = file_text(log_file(n));
    const auto cut = all.size() > tail_bytes ? all.find('\n', all.size() - tail_bytes) : 0;
    out += "--- the log of " + nodes_[n - 1].name + " (" + log_file(n).string() + ")" +
           (cut ? ", its end" : "") + "\n" + all.substr(cut == all.npos ? 0 : cut);
  }
  return out;
}

}  // namespace quorate::testing
