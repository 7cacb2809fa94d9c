#include "tests/bench/parts/subject.hpp"

#include "protocols/registry.hpp"
#include "tests/bench/parts/etcd_subject.hpp"
#include "tests/bench/parts/quorate_subject.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace quorate::bench {

usage usage_of(pid_t process) {
  const auto place = "/proc/" + std::to_string(process);
  const auto stat = testing::file_text(place + "/stat");
  usage u;
  // After the name, which may hold anything: state is field 3, user and system time are 14 and 15.
  std::istringstream fields{stat.substr(std::min(stat.rfind(')') + 1, stat.size()))};
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 15 && fields >> word; ++field)
    if (field >= 14)
      ticks += std::strtod(word.c_str(), nullptr);
  u.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream pages{place + "/statm"};
  double all = 0;
  double resident = 0;
  if (pages >> all >> resident)
    u.rss_mib = resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576;
  return u;
}

bool subject::all_serve(milliseconds within) {
  const auto deadline = steady::now() + within;
  for (std::size_t n = 1; n <= size(); ++n)
    while (!serves(n)) {
      if (steady::now() >= deadline)
        return false;
      std::this_thread::sleep_for(milliseconds{20});
    }
  return true;
}

load_plan subject::load(std::size_t clients, std::size_t bytes) const {
  load_plan plan;
  for (std::size_t n = 1; n <= size(); ++n)
    plan.nodes.push_back(at(n));
  plan.what = kind();
  plan.clients = clients;
  plan.bytes = bytes;
  return plan;
}

usage subject::used() const {
  usage sum;
  for (std::size_t n = 1; n <= size(); ++n) {
    const auto one = usage_of(id(n));
    sum.cpu_seconds += one.cpu_seconds;
    sum.rss_mib += one.rss_mib;
  }
  return sum;
}

std::string etcd_path() {
  if (const auto* path = std::getenv("QUORATE_ETCD"))
    return path;
  const auto* path = std::getenv("PATH");
  std::istringstream folders{path == nullptr ? "" : path};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const auto program = folder + "/etcd"; ::access(program.c_str(), X_OK) == 0)
      return program;
  return {};
}

std::unique_ptr<subject> make_subject(const subject_plan& plan) {
  if (plan.system == "etcd")
    return std::make_unique<etcd_subject>(plan);
  return std::make_unique<quorate_subject>(plan);
}

std::vector<std::string> all_systems() {
  std::vector<std::string> out;
  for (const auto& p : all_protocols())
    out.push_back(p.name);
  if (etcd_path().empty())
    std::printf("etcd is left out: there is no such program (Debian's package etcd-server)\n");
  else
    out.emplace_back("etcd");
  return out;
}

bool known_systems(const std::vector<std::string>& systems) {
  for (const auto& s : systems)
    if (s == "etcd" ? etcd_path().empty() : find_protocol(s) == nullptr) {
      std::fprintf(stderr, "there is no system \"%s\" here\n", s.c_str());
      return false;
    }
  return !systems.empty();
}

}  // namespace quorate::bench
