#include "tests/harness/explore.hpp"

#include "protocols/registry.hpp"
#include "runtime/cluster_spec.hpp"

#include "actors/ensure.hpp"

#include <csignal>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include <poll.h>

namespace quorate::testing {

namespace {

using run_of = std::function<report(std::uint64_t seed, std::size_t members)>;

std::size_t members_of(const exploration& what, std::uint64_t seed) {
  return what.members > 0 ? what.members : scenario::members_of(seed);
}

/// What a worker writes into its pipe: when it begins a seed, and when it has ended it. `bytes` of text
/// follow: failure, how to replay it, and a line for each rare path.
struct record {
  enum class kind : std::uint64_t { begun, passed, failed } what = kind::begun;
  std::uint64_t seed = 0;
  std::uint64_t events = 0;
  std::uint64_t simulated = 0;
  counters count;
  std::uint64_t bytes = 0;
};

void put(int pipe, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const auto n = ::write(pipe, at, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      ::_exit(1);  // nobody reads any more: the seeds are not wanted
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

void work(int pipe, std::size_t self, std::size_t workers, const exploration& what, const run_of& one) {
#ifdef M_TRIM_THRESHOLD
  // Every run takes and leaves as much memory as the one before: the kernel need not clear it anew each time.
  ::mallopt(M_TRIM_THRESHOLD, 1 << 29);
  ::mallopt(M_MMAP_THRESHOLD, 1 << 29);
#endif
  for (auto seed = what.first + self; seed < what.first + what.seeds; seed += workers) {
    record r;
    r.seed = seed;
    put(pipe, &r, sizeof r);
    const auto result = one(seed, members_of(what, seed));
    r.what = result.ok ? record::kind::passed : record::kind::failed;
    r.events = result.events;
    r.simulated = static_cast<std::uint64_t>(result.simulated.count());
    r.count = result.count;
    auto words = result.ok ? std::string{"\n\n"} : result.failure + '\n' + result.replay + '\n';
    for (const auto& [path, times] : result.rare)
      words += std::to_string(times) + ' ' + path + '\n';
    r.bytes = words.size();
    put(pipe, &r, sizeof r);
    put(pipe, words.data(), words.size());
  }
}

/// One child and what has come from it.
struct worker {
  pid_t process = 0;
  int pipe = -1;
  std::string unread;
  std::uint64_t seed = 0;  ///< the one that it is at
  bool busy = false;
};

void take(worker& w, findings& result) {
  while (w.unread.size() >= sizeof(record)) {
    record r;
    std::memcpy(&r, w.unread.data(), sizeof r);
    if (w.unread.size() < sizeof r + r.bytes)
      return;
    const auto words = w.unread.substr(sizeof r, r.bytes);
    w.unread.erase(0, sizeof r + r.bytes);
    w.seed = r.seed;
    w.busy = r.what == record::kind::begun;
    if (w.busy)
      continue;
    ++result.seeds;
    result.events += r.events;
    result.simulated += duration{r.simulated};
    result.count += r.count;
    std::istringstream lines{words};
    std::string failure;
    std::string replay;
    std::getline(lines, failure);
    std::getline(lines, replay);
    if (r.what == record::kind::failed)
      result.failures.push_back({r.seed, failure, replay});
    std::uint64_t times = 0;
    std::string path;
    while (lines >> times && std::getline(lines >> std::ws, path))
      result.rare[path] += times;
  }
}

/// False when the child has closed its pipe.
bool read_from(worker& w, findings& result) {
  std::array<char, 16 * 1024> buffer{};
  const auto n = ::read(w.pipe, buffer.data(), buffer.size());
  if (n < 0 && errno == EINTR)
    return true;
  if (n > 0) {
    w.unread.append(buffer.data(), static_cast<std::size_t>(n));
    take(w, result);
    return true;
  }
  return false;
}

void bury(worker& w, bool expected, const exploration& what, findings& result) {
  ::close(w.pipe);
  w.pipe = -1;
  // Younger workers hold our end of its pipe too: it would never notice that nobody reads any more.
  if (expected)
    ::kill(w.process, SIGKILL);
  int how = 0;
  ::waitpid(w.process, &how, 0);
  if (expected || (WIFEXITED(how) && WEXITSTATUS(how) == 0))
    return;
  const auto cause = WIFSIGNALED(how) ? "signal " + std::to_string(WTERMSIG(how))
                                      : "exit code " + std::to_string(WEXITSTATUS(how));
  result.failures.push_back({w.seed, "the process of this seed ended with " + cause,
                             what.replay + " --seed " + std::to_string(w.seed) + " --members " +
                                 std::to_string(members_of(what, w.seed))});
}

worker launch(std::size_t self, std::size_t workers, const exploration& what, const run_of& one) {
  std::array<int, 2> ends{};
  ENSURE(::pipe(ends.data()) == 0, "no pipe for a worker");
  std::fflush(nullptr);
  worker w;
  w.process = ::fork();
  ENSURE(w.process >= 0, "no process for a worker");
  if (w.process == 0) {
    ::close(ends[0]);
    work(ends[1], self, workers, what, one);
    // Without the destructors of what is the parent's.
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(ends[1]);
  w.pipe = ends[0];
  return w;
}

std::optional<std::uint64_t> number_in(const char* variable) {
  const auto* text = std::getenv(variable);
  if (text == nullptr || *text == '\0')
    return std::nullopt;
  std::uint64_t value = 0;
  const auto* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || rest != end) {
    std::fprintf(stderr, "%s is not a number: %s\n", variable, text);
    std::exit(2);
  }
  return value;
}

std::string text_in(const char* variable) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? std::string{} : std::string{text};
}

}  // namespace

findings explore(const exploration& what, const protocol& ordering, const options& how) {
  return explore(what, ordering, [&](std::size_t) -> options { return how; });
}

findings explore(const exploration& what, const protocol& ordering,
                 const std::function<options(std::size_t members)>& how) {
  auto named = what;
  named.replay += " --protocol " + ordering.name;
  return explore(named, [&](std::uint64_t seed, std::size_t members) {
    auto plan = scenario::from_seed(seed, members, ordering.name);
    if (what.shape)
      what.shape(plan);
    return run(plan, ordering, how(members));
  });
}

findings explore(const exploration& what, const run_of& one) {
  const auto began = std::chrono::steady_clock::now();
  const auto count =
      what.workers > 0 ? what.workers : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  std::vector<worker> workers;
  for (std::size_t i = 0; i < count; ++i)
    workers.push_back(launch(i, count, what, one));
  findings result;
  auto open = workers.size();
  while (open > 0) {
    std::vector<pollfd> waits;
    for (const auto& w : workers)
      waits.push_back({w.pipe, POLLIN, 0});
    ::poll(waits.data(), waits.size(), -1);
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (workers[i].pipe < 0 || waits[i].revents == 0)
        continue;
      const auto stop = what.stop_at_failure && !result.failures.empty();
      if (!stop && read_from(workers[i], result))
        continue;
      bury(workers[i], stop, what, result);
      --open;
    }
  }
  std::sort(result.failures.begin(), result.failures.end(),
            [](const found_failure& a, const found_failure& b) { return a.seed < b.seed; });
  result.took = std::chrono::steady_clock::now() - began;
  return result;
}

std::string text(const findings& f) {
  const auto seconds = std::max(f.took.count(), 1e-9);
  std::array<char, 160> line{};
  std::snprintf(
      line.data(), line.size(), "%llu seeds in %.1f s: %.0f seeds/min, %.0f events/s, %.0f s simulated; ",
      static_cast<unsigned long long>(f.seeds), seconds, static_cast<double>(f.seeds) * 60 / seconds,
      static_cast<double>(f.events) / seconds, static_cast<double>(f.simulated.count()) / 1e9);
  return line.data() + text(f.count);
}

std::uint64_t wishes::seeds_of(const quorate::protocol& p) const {
  return counted || p.name != cluster_spec{}.protocol ? seeds : 10 * seeds;
}

std::vector<protocol> wishes::protocols() const {
  std::vector<quorate::protocol> out;
  for (const auto& p : all_protocols())
    if (protocol.empty() || p.name == protocol)
      out.push_back(p);
  return out;
}

wishes wishes_of_environment() {
  wishes w;
  w.seed = number_in("QUORATE_SEED");
  const auto seeds = number_in("QUORATE_SEEDS");
  w.counted = seeds.has_value();
  w.seeds = seeds.value_or(w.seeds);
  w.first = number_in("QUORATE_FIRST").value_or(w.first);
  if (const auto members = number_in("QUORATE_MEMBERS"))
    w.members = static_cast<std::size_t>(*members);
  w.script = text_in("QUORATE_SCRIPT");
  w.shrink = number_in("QUORATE_SHRINK").value_or(0) != 0;
  w.steps = text_in("QUORATE_TRACE") == "steps";
  w.trace = !w.steps && number_in("QUORATE_TRACE").value_or(0) != 0;
  w.svg = text_in("QUORATE_SVG");
  w.protocol = text_in("QUORATE_PROTOCOL");
  w.all = number_in("QUORATE_ALL").value_or(0) != 0;
  return w;
}

}  // namespace quorate::testing
