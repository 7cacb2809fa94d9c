#include "tests/harness/script.hpp"

#include "balancers/registry.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

namespace quorate::testing {

namespace {

constexpr std::string_view first_line = "quorate-scenario 1";
constexpr std::uint64_t members_max = 64;

/// Calls `visit(key, field)` for every field that has a key of its own. Writing and reading both go through
/// this table, so that neither can know a key that the other does not.
template <class Scenario, class Visitor>
void for_each_field(Scenario& s, Visitor visit) {
  visit("members", s.members);
  visit("seed", s.seed);
  visit("machine", s.machine);
  visit("balancer", s.balancer);
  visit("faults-for", s.faults_for);
  visit("settle", s.settle);
  visit("answer-within", s.answer_within);
  visit("converge-within", s.converge_within);
  visit("network.loss", s.network.loss);
  visit("network.duplication", s.network.duplication);
  visit("network.stray", s.network.stray);
  visit("network.stray-max", s.network.stray_max);
  visit("network.reorder", s.network.reorder);
  visit("network.uneven", s.network.uneven);
  visit("network.delay-min", s.network.delay_min);
  visit("network.delay-max", s.network.delay_max);
  visit("network.bytes-per-second", s.network.bytes_per_second);
  visit("disk.sync-min", s.sync_min);
  visit("disk.sync-max", s.sync_max);
  visit("local-max", s.local_max);
  visit("clock-drift", s.clock_drift);
  visit("clients.operations-max", s.clients.operations_max);
  visit("clients.burst", s.clients.burst);
  visit("clients.window", s.clients.window);
  visit("clients.flood-bytes", s.clients.flood_bytes);
  visit("clients.think-max", s.clients.think_max);
  visit("clients.timeout-min", s.clients.timeout_min);
  visit("clients.timeout-max", s.clients.timeout_max);
  visit("clients.reads", s.clients.reads);
  visit("clients.local-reads", s.clients.local_reads);
  visit("clients.value-bytes-max", s.clients.value_bytes_max);
  visit("timings.hello-every", s.timings.hello_every);
  visit("timings.heartbeat-every", s.timings.heartbeat_every);
  visit("timings.suspect-after", s.timings.suspect_after);
  visit("timings.applied-every", s.timings.applied_every);
  visit("timings.flush-every", s.timings.flush_every);
  visit("timings.barrier-again", s.timings.barrier_again);
  visit("timings.pull-again", s.timings.pull_again);
  visit("log.entries-max", s.log.entries_max);
  visit("log.bytes-max", s.log.bytes_max);
  visit("edge.requests-max", s.edge.requests_max);
  visit("edge.bytes-max", s.edge.bytes_max);
  visit("sessions.window", s.sessions.window);
  visit("sessions.open-max", s.sessions.open_max);
}

// --- words: one way to write a value, and the same way to read it

std::string word(const std::string& text) {
  return text;
}
std::string word(bool yes) {
  return yes ? "yes" : "no";
}
std::string word(std::uint64_t n) {
  return std::to_string(n);
}
std::string word(double n) {
  // The shortest text that is read back as the same number.
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, n).ptr;
  return {buffer, end};
}
std::string word(duration d) {
  const auto n = d.count();
  if (n % 1'000'000 == 0)
    return std::to_string(n / 1'000'000) + "ms";
  if (n % 1'000 == 0)
    return std::to_string(n / 1'000) + "us";
  return std::to_string(n) + "ns";
}

template <class Number>
bool number_of(std::string_view text, Number& n) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && rest == text.data() + text.size();
}

bool read(std::string_view text, std::string& out) {
  out = text;
  return true;
}
bool read(std::string_view text, bool& out) {
  out = text == "yes";
  return out || text == "no";
}
bool read(std::string_view text, std::uint64_t& out) {
  return number_of(text, out);
}
bool read(std::string_view text, double& out) {
  return number_of(text, out);
}
bool read(std::string_view text, duration& out) {
  std::int64_t scale = 0;
  for (const auto& [unit, nanoseconds] :
       {std::pair{std::string_view{"ms"}, 1'000'000}, {"us", 1'000}, {"ns", 1}})
    if (text.ends_with(unit))
      scale = nanoseconds;
  std::int64_t n = 0;
  if (scale == 0 || !number_of(text.substr(0, text.size() - 2), n) || n < 0 || n > INT64_MAX / scale)
    return false;
  out = duration{n * scale};
  return true;
}

std::optional<fault_kind> kind_of(std::string_view name) {
  for (auto kind = fault_kind::crash; to_string(kind) != "unknown";
       kind = static_cast<fault_kind>(static_cast<int>(kind) + 1))
    if (to_string(kind) == name)
      return kind;
  return std::nullopt;
}

std::string line_of(const fault& f) {
  std::string nodes;
  for (const auto n : f.nodes)
    nodes += (nodes.empty() ? "" : ",") + quorate::text(n);
  auto line =
      "fault " + std::string{to_string(f.kind)} + " " + nodes + " at " + word(f.at) + " for " + word(f.lasts);
  if (f.amount > 0)
    line += " amount " + word(f.amount);
  return line + "\n";
}

/// The words of one line.
class line_reader {
public:
  explicit line_reader(std::string_view line) : rest_(line) { skip(); }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::string_view next() {
    const auto n = std::min(rest_.find_first_of(" \t"), rest_.size());
    const auto found = rest_.substr(0, n);
    rest_.remove_prefix(n);
    skip();
    return found;
  }

private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  std::string_view rest_;
};

/// Each function returns what is wrong; nothing where all is well.
class parser {
public:
  using mistake = std::optional<std::string>;

  mistake line(std::string_view text) {
    text = text.substr(0, std::min(text.find('#'), text.size()));
    while (!text.empty() && std::string_view{" \t\r"}.find(text.back()) != std::string_view::npos)
      text.remove_suffix(1);
    line_reader words{text};
    if (words.at_end())
      return std::nullopt;
    if (!began_) {
      began_ = true;
      return text == first_line ? std::nullopt
                                : mistake{"a script begins with \"" + std::string{first_line} + "\""};
    }
    const auto key = words.next();
    auto wrong = key == "fault" ? fault_line(words) : key == "option" ? option(words) : key == "limit" ? limit(words) : field(key, words);
    if (!wrong && !words.at_end())
      wrong = "there is more than belongs to \"" + std::string{key} + "\": " + std::string{words.next()};
    return wrong;
  }

  mistake end() {
    if (!began_)
      return "a script begins with \"" + std::string{first_line} + "\"";
    if (result.protocol.empty())
      return "it names no protocol";
    if (!find_balancer(result.plan.balancer))
      return "there is no balancer \"" + result.plan.balancer + "\"";
    auto& plan = result.plan;
    if (plan.members < 1 || plan.members > members_max)
      return "members are 1 to " + std::to_string(members_max);
    if (plan.sync_min > plan.sync_max || plan.network.delay_min > plan.network.delay_max ||
        plan.clients.timeout_min > plan.clients.timeout_max)
      return "a minimum is above its maximum";
    for (const auto& f : plan.faults)
      for (const auto n : f.nodes)
        if (n.value < 1 || n.value > plan.members)
          return "a fault names " + quorate::text(n) + ", and there are " + std::to_string(plan.members) +
                 " members";
    return std::nullopt;
  }

  script result;

private:
  mistake field(std::string_view key, line_reader& words) {
    const auto value = words.next();
    if (key == "protocol") {
      result.protocol = value;
      return std::nullopt;
    }
    bool known = false;
    bool good = false;
    for_each_field(result.plan, [&](std::string_view name, auto& f) {
      if (name != key)
        return;
      known = true;
      good = read(value, f);
    });
    if (!known)
      return "there is no \"" + std::string{key} + "\"";
    if (!good)
      return "\"" + std::string{value} + "\" is no value for \"" + std::string{key} + "\"";
    return std::nullopt;
  }

  mistake option(line_reader& words) {
    const auto name = words.next();
    const auto value = words.next();
    if (name.empty() || value.empty())
      return "an option has a name and a value";
    result.plan.options[std::string{name}] = value;
    return std::nullopt;
  }

  mistake limit(line_reader& words) {
    const auto name = words.next();
    std::uint64_t value = 0;
    if (name.empty() || !read(words.next(), value))
      return "a limit has a name and a number";
    result.plan.memory.set(name, value);
    return std::nullopt;
  }

  mistake fault_line(line_reader& words) {
    fault f;
    const auto kind = words.next();
    const auto known = kind_of(kind);
    if (!known)
      return "there is no fault \"" + std::string{kind} + "\"";
    f.kind = *known;
    if (const auto wrong = nodes(words.next(), f.nodes))
      return wrong;
    if (words.next() != "at" || !read(words.next(), f.at))
      return "a fault needs \"at\" and a time (ms, us, ns)";
    if (words.next() != "for" || !read(words.next(), f.lasts))
      return "a fault needs \"for\" and a time (ms, us, ns)";
    if (!words.at_end() && (words.next() != "amount" || !read(words.next(), f.amount)))
      return "after the times of a fault there is only \"amount\" and a number";
    result.plan.faults.push_back(std::move(f));
    return std::nullopt;
  }

  static mistake nodes(std::string_view list, std::vector<node_id>& out) {
    while (!list.empty()) {
      const auto n = std::min(list.find(','), list.size());
      std::uint32_t id = 0;
      if (list.front() != 'n' || !number_of(list.substr(1, n - 1), id))
        return "nodes are written n1,n2,...";
      out.emplace_back(id);
      list.remove_prefix(std::min(n + 1, list.size()));
    }
    if (out.empty())
      return "a fault names its nodes: n1,n2,...";
    return std::nullopt;
  }

  bool began_ = false;
};

}  // namespace

std::string to_text(const script& s) {
  std::string out{first_line};
  out += "\nprotocol " + s.protocol + "\n";
  // What equals the default is left out, but for what a reader looks for first.
  std::map<std::string_view, std::string> defaults;
  const scenario plain;
  for_each_field(plain, [&](std::string_view key, const auto& f) { defaults[key] = word(f); });
  for_each_field(s.plan, [&](std::string_view key, const auto& f) {
    if (key == "members" || key == "seed" || key == "machine" || word(f) != defaults[key])
      out += std::string{key} + " " + word(f) + "\n";
  });
  for (const auto& [name, value] : s.plan.options)
    out += "option " + name + " " + value + "\n";
  for (const auto& [name, value] : s.plan.memory.list())
    out += "limit " + name + " " + word(value) + "\n";
  for (const auto& f : s.plan.faults)
    out += line_of(f);
  return out;
}

std::variant<script, std::string> parse_script(std::string_view text) {
  parser p;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto n = std::min(text.find('\n'), text.size());
    if (const auto wrong = p.line(text.substr(0, n)))
      return "line " + std::to_string(number) + ": " + *wrong;
    text.remove_prefix(std::min(n + 1, text.size()));
  }
  if (const auto wrong = p.end())
    return *wrong;
  return std::move(p.result);
}

std::variant<script, std::string> read_script(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return file + ": cannot be read";
  std::ostringstream bytes;
  bytes << in.rdbuf();
  auto result = parse_script(bytes.str());
  if (auto* wrong = std::get_if<std::string>(&result))
    *wrong = file + ": " + *wrong;
  return result;
}

}  // namespace quorate::testing
