#include "runtime/spec_reader.hpp"

#include "actors/limits.hpp"
#include "actors/wording.hpp"
#include "runtime/ip_address.hpp"
#include "runtime/spec_keys.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t name_bytes_max = 32;
constexpr std::uint64_t port_max = 65'535;
/// A link must take a whole batch and its head, or nothing would ever get through.
constexpr std::uint64_t link_bytes_min = 2 * limits::batch_bytes_max;
constexpr std::uint64_t link_bytes_max = 1024ULL * 1024 * 1024;
constexpr std::uint64_t connections_max = 65'536;
/// The log is cut behind a flushed state only, so a short one means a flush for every so many batches; each
/// entry kept costs some tens of bytes of memory.
constexpr std::uint64_t log_entries_min = 1'000;
constexpr std::uint64_t log_entries_max = 10'000'000;
/// A log that cannot hold one whole batch would serve nobody.
constexpr std::uint64_t log_bytes_min = limits::batch_bytes_max;
constexpr std::uint64_t log_bytes_max = 1024ULL * 1024 * 1024 * 1024;
constexpr std::uint64_t disk_reserve_min = 1024 * 1024;
constexpr std::uint64_t disk_reserve_max = log_bytes_max;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string in_range(std::uint64_t least, std::uint64_t most) {
  return "must be from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

spec_result spec_reader::run() {
  for (const auto& [name, value] : text_.values)
    flatten(value, name);
  for (const auto step : {&spec_reader::check_keys, &spec_reader::read_names, &spec_reader::read_nodes,
                          &spec_reader::read_options, &spec_reader::read_timeouts, &spec_reader::read_limits})
    if (auto problem = (this->*step)())
      return std::move(*problem);
  return std::move(spec_);
}

void spec_reader::flatten(const caf::config_value& value, const std::string& path) {
  values_[path] = &value;
  if (const auto* inner = caf::get_if<caf::settings>(&value))
    for (const auto& [name, below] : *inner)
      flatten(below, path + "." + name);
  else if (const auto* list = caf::get_if<caf::config_value::list>(&value))
    for (std::size_t i = 0; i < list->size(); ++i)
      flatten((*list)[i], path + "[" + std::to_string(i) + "]");
}

const caf::config_value* spec_reader::value_at(const std::string& path) const {
  const auto found = values_.find(path);
  return found == values_.end() ? nullptr : found->second;
}

failure spec_reader::fail(const std::string& path, std::string_view what) const {
  // What is missing has no place of its own; where it should be is near enough. An element of a list stands
  // where its first key does.
  text_place place;
  for (std::string_view near = path; place.line == 0 && !near.empty();
       near = near.ends_with(']') ? near.substr(0, near.rfind('[')) : parent_of(near)) {
    const auto first = near.ends_with(']') ? std::string{near} + "." : std::string{near};
    for (const auto& key : text_.keys)
      if (key.path == near || (near.ends_with(']') && key.path.starts_with(first))) {
        place = key.place;
        break;
      }
  }
  return spec_failure(source_, place, shortened(path) + ": " + std::string{what});
}

status spec_reader::check_keys() {
  // In the order of the text, and before anything is missed: a misspelt key is often the missing one.
  for (const auto& key : text_.keys) {
    const auto pattern = pattern_of(key.path);
    const auto below_cluster = key.path.starts_with("cluster.") ? key.path.substr(8) : std::string{};
    const auto section = below_cluster.substr(0, below_cluster.find_first_of(".["));
    if (contains(known_.protocols, section) || contains(known_.balancers, section))
      continue;  // read_options judges these
    const auto kind = kind_of_key(pattern);
    if (!kind)
      return unknown_key(key.path);
    if (const auto* value = value_at(key.path); value != nullptr && !is_of(*value, *kind))
      return fail(key.path,
                  "must be " + std::string{described(*kind)} + ", not " + std::string{described(*value)});
  }
  if (value_at("cluster") == nullptr)
    return fail("cluster", "missing");
  return {};
}

status spec_reader::unknown_key(const std::string& path) const {
  const auto pattern = pattern_of(path);
  const auto parent = parent_of(pattern);
  const std::string leaf{leaf_of(path)};
  std::vector<std::string> siblings;
  std::string elsewhere;
  for (const auto& known : all_keys()) {
    if (parent_of(known) == parent)
      siblings.emplace_back(leaf_of(known));
    else if (leaf_of(known) == leaf && elsewhere.empty())
      elsewhere = known;
  }
  std::string hint;
  if (const auto close = nearest(leaf, siblings); !close.empty())
    hint = "; did you mean " + close + "?";
  else if (!elsewhere.empty())
    hint = "; did you mean " + elsewhere + "?";
  else if (!siblings.empty())
    hint = "; known here: " + listed(siblings);
  return fail(path, "unknown key" + hint);
}

status spec_reader::read_names() {
  const auto known = [this](const std::string& key, const std::vector<std::string>& names, std::string& out) {
    const auto path = "cluster." + key;
    const auto* value = value_at(path);
    if (value != nullptr) {
      out = caf::get<std::string>(*value);
      spec_.named.insert(key);
    } else if (out.empty()) {
      return status{fail(path, "missing")};
    }
    if (!contains(names, out))
      return status{fail(path, quoted(out) + " is not known; known: " + listed(names))};
    return status{};
  };
  if (auto problem = read_name("cluster.name", spec_.name))
    return problem;
  if (auto problem = known("protocol", known_.protocols, spec_.protocol))
    return problem;
  if (auto problem = known("balancer", known_.balancers, spec_.balancer))
    return problem;
  if (auto problem = known("sync", known_.syncs, spec_.sync))
    return problem;
  return known("machine", known_.machines, spec_.machine);
}

status spec_reader::read_name(const std::string& path, std::string& out) const {
  const auto* value = value_at(path);
  if (value == nullptr)
    return fail(path, "missing");
  out = caf::get<std::string>(*value);
  if (!is_name(out))
    return fail(path, quoted(out) + " is not a name: 1 to 32 of a-z, 0-9, - and _");
  return {};
}

status spec_reader::read_nodes() {
  const auto* value = value_at("cluster.nodes");
  if (value == nullptr)
    return fail("cluster.nodes", "missing");
  const auto count = caf::get<caf::config_value::list>(*value).size();
  if (count == 0)
    return fail("cluster.nodes", "there is no node");
  if (count > limits::members_max)
    return fail("cluster.nodes", "there are " + std::to_string(count) + " nodes, and " +
                                     std::to_string(limits::members_max) + " are the most");
  for (std::size_t i = 0; i < count; ++i)
    if (auto problem = read_node(i))
      return problem;
  number_by_name(spec_.nodes);
  return check_addresses();
}

status spec_reader::read_node(std::size_t at) {
  const auto path = "cluster.nodes[" + std::to_string(at) + "]";
  if (const auto* value = value_at(path); !is_of(*value, value_kind::dictionary))
    return fail(path, "must be " + std::string{described(value_kind::dictionary)} + ", not " +
                          std::string{described(*value)});
  node_spec node;
  if (auto problem = read_name(path + ".name", node.name))
    return problem;
  if (const auto* twin = spec_.find(node.name))
    return fail(path + ".name", quoted(node.name) + " is the name of cluster.nodes[" +
                                    std::to_string(twin - spec_.nodes.data()) + "] too");
  for (const auto* key : {".host", ".port", ".http"})
    if (value_at(path + key) == nullptr)
      return fail(path + key, "missing");
  const auto& host = caf::get<std::string>(*value_at(path + ".host"));
  if (auto problem = read_host(path + ".host", host, node.host))
    return problem;
  if (is_wildcard(node.host))
    return fail(path + ".host", quoted(host) + " is not an address that other nodes can reach; what is bound is " +
                                    "said by listen");
  std::uint64_t port = 0;
  if (auto problem = read_number(path + ".port", 1, port_max, port))
    return problem;
  node.port = static_cast<std::uint16_t>(port);
  node.listen_host = node.host;
  node.listen_port = node.port;
  if (value_at(path + ".listen") != nullptr)
    if (auto problem = read_endpoint(path + ".listen", node.listen_host, node.listen_port))
      return problem;
  if (auto problem = read_endpoint(path + ".http", node.http_host, node.http_port))
    return problem;
  spec_.nodes.push_back(std::move(node));
  return {};
}

status spec_reader::read_host(const std::string& path, std::string_view text, std::string& out) const {
  auto host = ip_address(text);
  if (!host)
    host = host_name(text);
  if (!host)
    return fail(path, quoted(text) + " is neither an IP address nor the name of a host");
  out = std::move(*host);
  return {};
}

status spec_reader::read_endpoint(const std::string& path, std::string& to_host, std::uint16_t& to_port) const {
  const auto& text = caf::get<std::string>(*value_at(path));
  const auto wrong_form = [&] {
    return fail(path, quoted(text) + " is not \"host:port\" (or \"[IPv6 address]:port\")");
  };
  const std::string_view whole = text;
  const auto colon = whole.rfind(':');
  if (colon == std::string_view::npos)
    return wrong_form();
  auto host = whole.substr(0, colon);
  const auto digits = whole.substr(colon + 1);
  const auto bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  if (host.empty() || bracketed != (host.find(':') != std::string_view::npos))
    return wrong_form();
  std::uint64_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || end != digits.data() + digits.size() || digits.front() == '0' ||
      error != std::errc{} || port > port_max)
    return fail(path, quoted(digits) + " is not a port: " + in_range(1, port_max));
  to_port = static_cast<std::uint16_t>(port);
  return read_host(path, host, to_host);
}

status spec_reader::check_addresses() const {
  // Nodes may be on machines of their own or all on one: only what tells machines apart can be compared.
  std::map<std::string, std::string> taken;
  const auto take = [&](const std::string& address, std::uint16_t port, const std::string& path) {
    const auto place = endpoint(address, port);
    const auto [first, fresh] = taken.emplace(place, path);
    return fresh ? status{} : status{fail(path, place + " belongs to " + first->second + " too")};
  };
  for (std::size_t i = 0; i < spec_.nodes.size(); ++i) {
    const auto& node = spec_.nodes[i];
    const auto path = "cluster.nodes[" + std::to_string(i) + "]";
    // All addresses of a machine include the one that the other nodes use, and each machine has its own loopback.
    const auto of_machine = is_wildcard(node.http_host) || (is_loopback(node.http_host) && !is_loopback(node.host));
    if (auto problem = take(node.host, node.port, path + ".port"))
      return problem;
    if (auto problem = take(of_machine ? node.host : node.http_host, node.http_port, path + ".http"))
      return problem;
    // Behind a translation of addresses the port that others dial need not be free on this machine.
    if (node.listen_port == node.http_port &&
        (node.listen_host == node.http_host || is_wildcard(node.listen_host) || is_wildcard(node.http_host)))
      return fail(path + ".http", endpoint(node.http_host, node.http_port) + " is what the node listens on for other " +
                                      "nodes too");
  }
  return {};
}

status spec_reader::read_options() {
  if (auto problem = read_options_of("protocol", spec_.protocol, known_.protocols, spec_.protocol_options))
    return problem;
  if (auto problem = read_options_of("balancer", spec_.balancer, known_.balancers, spec_.balancer_options))
    return problem;
  if (known_.check_options)
    if (const auto problem = known_.check_options(spec_.protocol, spec_.protocol_options))
      return fail("cluster." + spec_.protocol, printable(problem->message));
  if (known_.check_balancer)
    if (const auto problem = known_.check_balancer(spec_.balancer, spec_.balancer_options))
      return fail("cluster." + spec_.balancer, printable(problem->message));
  return {};
}

status spec_reader::read_options_of(const std::string& what, const std::string& used,
                                    const std::vector<std::string>& names,
                                    std::map<std::string, std::string>& out) const {
  for (const auto& one : names) {
    const auto path = "cluster." + one;
    const auto* value = value_at(path);
    if (value == nullptr)
      continue;
    const auto* options = caf::get_if<caf::settings>(value);
    if (options == nullptr)
      return fail(path, "must be " + std::string{described(value_kind::dictionary)} + ", not " +
                            std::string{described(*value)});
    if (one != used)
      return fail(path,
                  "options of a " + what + " that is not in use; cluster." + what + " is " + quoted(used));
    for (const auto& [name, option] : *options) {
      auto text = option_text(option);
      if (!text)
        return fail(path + "." + name, "must be a single value, not " + std::string{described(option)});
      out.emplace(name, std::move(*text));
    }
  }
  return {};
}

status spec_reader::read_timeouts() {
  auto& out = spec_.timeouts;
  if (auto problem = read_duration("cluster.timeouts.request", 10ms, 10min, out.request))
    return problem;
  if (auto problem = read_duration("cluster.timeouts.heartbeat", 1ms, 10s, out.heartbeat))
    return problem;
  if (auto problem = read_duration("cluster.timeouts.suspect", 10ms, 5min, out.suspect))
    return problem;
  if (out.suspect < 2 * out.heartbeat)
    return fail("cluster.timeouts.suspect",
                duration_text(out.suspect) + " is less than two heartbeats (cluster.timeouts.heartbeat is " +
                    duration_text(out.heartbeat) + ")");
  return {};
}

status spec_reader::read_limits() {
  auto& out = spec_.limits;
  if (auto problem = read_number("cluster.limits.link-bytes", link_bytes_min, link_bytes_max, out.link_bytes))
    return problem;
  // A gateway's session remembers no more than its window.
  if (auto problem =
          read_number("cluster.limits.requests-in-flight", 1, limits::session_window, out.requests_in_flight))
    return problem;
  if (auto problem = read_number("cluster.limits.connections", 1, connections_max, out.connections))
    return problem;
  if (auto problem =
          read_number("cluster.limits.log-entries", log_entries_min, log_entries_max, out.log_entries))
    return problem;
  if (auto problem = read_number("cluster.limits.log-bytes", log_bytes_min, log_bytes_max, out.log_bytes))
    return problem;
  return read_number("cluster.limits.disk-reserve", disk_reserve_min, disk_reserve_max, out.disk_reserve);
}

status spec_reader::read_duration(const std::string& path, duration least, duration most,
                                  duration& out) const {
  const auto* value = value_at(path);
  if (value == nullptr)
    return {};
  out = caf::get<caf::timespan>(*value);
  if (out < least || out > most)
    return fail(path, duration_text(out) + " is out of range: must be from " + duration_text(least) + " to " +
                          duration_text(most));
  return {};
}

status spec_reader::read_number(const std::string& path, std::uint64_t least, std::uint64_t most,
                                std::uint64_t& out) const {
  const auto* value = value_at(path);
  if (value == nullptr)
    return {};
  const auto number = caf::get<caf::config_value::integer>(*value);
  if (number < 0 || static_cast<std::uint64_t>(number) < least || static_cast<std::uint64_t>(number) > most)
    return fail(path, std::to_string(number) + " is out of range: " + in_range(least, most));
  out = static_cast<std::uint64_t>(number);
  return {};
}

}  // namespace quorate
