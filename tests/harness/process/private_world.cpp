#include "tests/harness/process/private_world.hpp"

#include "tests/harness/process/child_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace quorate::testing {

namespace {

namespace fs = std::filesystem;

constexpr auto ip_takes = std::chrono::milliseconds{10'000};
constexpr const char* own_network = "/proc/thread-self/ns/net";
constexpr std::size_t test_itself = 254;  // its address on the bridge

std::string why(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

bool write_text(const char* path, const std::string& text) {
  std::ofstream out{path};
  out << text << std::flush;
  return out.good();
}

/// Becomes root of a namespace in which nobody else is.
std::string enter_user_namespace() {
  const auto user = std::to_string(::geteuid());
  const auto group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0)
    return why("no user namespace");
  write_text("/proc/self/setgroups", "deny");
  if (!write_text("/proc/self/uid_map", "0 " + user + " 1") ||
      !write_text("/proc/self/gid_map", "0 " + group + " 1"))
    return why("no root in the user namespace");
  return {};
}

std::string ip_program() {
  for (const auto* path : {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"})
    if (::access(path, X_OK) == 0)
      return path;
  return {};
}

/// Runs ip with these words in a network namespace. Empty, or what it said.
std::string run_ip(const std::vector<std::string>& words, int network) {
  std::vector<std::string> line{ip_program()};
  line.insert(line.end(), words.begin(), words.end());
  auto name = (fs::temp_directory_path() / "quorate-ip-XXXXXX").string();
  const auto said = ::mkstemp(name.data());
  child_process child;
  const auto end = child.start(line, name, name, {.environment = {}, .network = network})
                       ? child.wait(ip_takes)
                       : std::nullopt;
  std::string wrong;
  if (end != process_end{0, 0}) {
    wrong = "ip";
    for (const auto& word : words)
      wrong += " " + word;
    wrong += ": " + file_text(name) + "\n";
  }
  ::close(said);
  ::unlink(name.c_str());
  return wrong;
}

}  // namespace

std::string enter_private_world() {
  if (ip_program().empty())
    return "there is no program ip (package iproute2)";
  if (::geteuid() != 0)
    if (auto failed = enter_user_namespace(); !failed.empty())
      return failed;
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
    return why("no network and mount namespaces");
  // Otherwise a mount could still reach the others.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return why("mounts cannot be made private");
  return run_ip({"link", "set", "lo", "up"}, -1);
}

private_network::private_network(std::size_t nodes) {
  ip({"link", "add", "bridge", "type", "bridge"});
  ip({"addr", "add", host(test_itself) + "/24", "dev", "bridge"});
  ip({"link", "set", "bridge", "up"});
  for (std::size_t n = 1; n <= nodes && trouble_.empty(); ++n)
    add(n);
}

private_network::~private_network() {
  // Another one may be made in the same world, before the kernel has cleared away what was in the namespaces.
  for (std::size_t n = 1; n <= networks_.size(); ++n)
    static_cast<void>(run_ip({"link", "del", "port" + std::to_string(n)}, -1));
  for (const auto network : networks_)
    ::close(network);
  if (!networks_.empty())
    static_cast<void>(run_ip({"link", "del", "bridge"}, -1));
}

void private_network::add(std::size_t n) {
  const auto home = ::open(own_network, O_RDONLY | O_CLOEXEC);
  const auto made = home >= 0 && ::unshare(CLONE_NEWNET) == 0;
  const auto network = made ? ::open(own_network, O_RDONLY | O_CLOEXEC) : -1;
  if (network < 0 || ::setns(home, CLONE_NEWNET) != 0) {
    trouble_ += why("no network for node " + std::to_string(n)) + "\n";
    return;
  }
  ::close(home);
  networks_.push_back(network);
  const auto port = "port" + std::to_string(n);
  const auto there = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(network);
  ip({"link", "add", port, "type", "veth", "peer", "name", "node"});
  ip({"link", "set", "node", "netns", there});
  ip({"link", "set", port, "master", "bridge", "up"});
  ip({"link", "set", "lo", "up"}, network);
  ip({"addr", "add", host(n) + "/24", "dev", "node"}, network);
  ip({"link", "set", "node", "up"}, network);
  // Rules are asked in order, and the one that finds the node's own address would come first.
  ip({"rule", "add", "pref", "100", "lookup", "local"}, network);
  ip({"rule", "del", "pref", "0"}, network);
}

void private_network::cut(std::size_t from, std::size_t to) {
  if (++cuts_[{from, to}] == 1)
    rule("add", from, to);
}

void private_network::mend(std::size_t from, std::size_t to) {
  if (--cuts_[{from, to}] == 0)
    rule("del", from, to);
}

void private_network::rule(const std::string& verb, std::size_t from, std::size_t to) {
  // The receiver drops: the sender learns nothing, as from a cable that is cut.
  ip({"rule", verb, "pref", std::to_string(10 + from), "from", host(from), "blackhole"}, descriptor(to));
}

void private_network::ip(const std::vector<std::string>& words, int network) {
  if (trouble_.empty())
    trouble_ = run_ip(words, network);
}

small_disk::small_disk(fs::path where, std::uint64_t mib) : where_(std::move(where)) {
  std::error_code ignored;
  fs::create_directories(where_, ignored);
  const auto size = "size=" + std::to_string(mib) + "m";
  if (::mount("quorate", where_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, size.c_str()) != 0)
    trouble_ = why("no file system in memory");
}

small_disk::~small_disk() {
  if (trouble_.empty())
    ::umount2(where_.c_str(), MNT_DETACH);
}

void small_disk::fill() {
  const auto file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
  const std::vector<char> block(1024 * 1024);
  // Smaller and smaller writes, until not even one byte fits.
  for (auto size = block.size(); size > 0;) {
    const auto n = ::write(file, block.data(), size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno != ENOSPC) {
      trouble_ += why("the disk could not be filled") + "\n";
      break;
    }
    if (n <= 0)
      size /= 2;
  }
  ::close(file);
}

void small_disk::free() const {
  std::error_code ignored;
  fs::remove(ballast(), ignored);
}

}  // namespace quorate::testing
