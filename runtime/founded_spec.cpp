#include "runtime/founded_spec.hpp"

#include "actors/wording.hpp"
#include "runtime/founding.hpp"

#include <algorithm>

namespace quorate {

namespace {

using option_map = std::map<std::string, std::string>;

option_map options_of(const wire::Founding& list) {
  option_map out;
  for (const auto& option : list.options())
    out[option.name()] = option.value();
  return out;
}

void add(std::string& line, const std::string& part) {
  if (part.empty())
    return;
  line += (line.empty() ? "" : "; ") + part;
}

/// `key`: what was founded, what the spec says.
std::string differing(const std::string& key, const std::string& founded, const std::string& spec) {
  return key + " is " + founded + " (the spec says " + spec + ")";
}

std::string protocol_differences(const cluster_spec& spec, const wire::Founding& list) {
  if (spec.protocol != list.protocol())
    return spec.named.contains("protocol")
               ? differing("cluster.protocol", quoted(list.protocol()), quoted(spec.protocol))
               : std::string{};
  std::string out;
  const auto founded = options_of(list);
  for (const auto& [name, value] : spec.protocol_options) {
    const auto found = founded.find(name);
    if (found == founded.end() || found->second != value)
      add(out, differing("cluster." + spec.protocol + "." + name,
                         found == founded.end() ? "as it is by default" : found->second, value));
  }
  return out;
}

std::string node_differences(const std::vector<node_spec>& nodes) {
  std::vector<std::string> strangers;
  std::vector<std::string> silent;
  for (const auto& n : nodes) {
    if (n.founded_without)
      strangers.push_back(n.name);
    else if (n.host.empty())
      silent.push_back(n.name);
  }
  std::string out;
  if (!strangers.empty())
    add(out, "cluster.nodes names " + listed(strangers) + ", not founded and no member");
  if (!silent.empty())
    add(out, "cluster.nodes does not name " + listed(silent) +
                 ", a member still, which this node cannot connect to by itself");
  return out;
}

std::vector<node_spec> nodes_of(const cluster_spec& spec, const wire::Founding& list) {
  std::vector<node_spec> out;
  node_id highest;
  for (const auto& m : list.members()) {
    auto& n = out.emplace_back();
    if (const auto* known = spec.find(m.name()))
      n = *known;
    n.name = m.name();
    n.id = node_id{m.id()};
    highest = std::max(highest, n.id);
  }
  auto others = spec.nodes;
  std::sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& n : others) {
    if (std::any_of(out.begin(), out.end(), [&](const auto& m) { return m.name == n.name; }))
      continue;
    n.id = highest = highest.next();
    n.founded_without = true;
    out.push_back(n);
  }
  return out;
}

status check_known(const wire::Founding& list, const known_names& known) {
  const auto check = [&](const std::string& what, const std::string& name,
                         const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), name) != names.end())
      return status{};
    return status{
        failure{errc::bad_config, "the cluster was founded with cluster." + what + " = " + quoted(name) +
                                      ", which this program does not know; it knows: " + listed(names)}};
  };
  if (auto problem = check("protocol", list.protocol(), known.protocols))
    return problem;
  if (auto problem = check("machine", list.machine(), known.machines))
    return problem;
  if (known.check_options)
    if (const auto problem = known.check_options(list.protocol(), options_of(list)))
      return failure{errc::bad_config,
                     "the cluster was founded with options of cluster." + list.protocol() +
                         " that this program does not take: " + printable(problem->message)};
  return {};
}

}  // namespace

founded_spec_result settle_spec(cluster_spec spec, const std::string& node, const wire::Founding& list,
                                const known_names& known) {
  if (const auto problem = check_known(list, known))
    return *problem;
  if (std::none_of(list.members().begin(), list.members().end(),
                   [&](const auto& m) { return m.name() == node; }))
    return failure{errc::corrupt,
                   "this disk holds a founding without " + quoted(node) + ": it is another node's"};
  founded_spec result;
  add(result.warning, protocol_differences(spec, list));
  if (spec.named.contains("machine") && spec.machine != list.machine())
    add(result.warning, differing("cluster.machine", quoted(list.machine()), quoted(spec.machine)));
  spec.nodes = nodes_of(spec, list);
  add(result.warning, node_differences(spec.nodes));
  spec.protocol = list.protocol();
  spec.protocol_options = options_of(list);
  spec.machine = list.machine();
  if (!result.warning.empty())
    result.warning = "the spec differs from what was founded, which holds: " + result.warning;
  result.spec = std::move(spec);
  return result;
}

founded_spec_result settle_spec(cluster_spec spec, const std::string& node, const journal& saved,
                                const known_names& known) {
  const auto state = founding::saved_in(*saved.view({group_id{0}, epoch_id{0}, founding::place}));
  if (!state)
    return failure{errc::corrupt, "what the journal holds of the cluster's founding cannot be read"};
  if (state->phase() == wire::Hello::BLANK)
    return founded_spec{std::move(spec), {}};
  return settle_spec(std::move(spec), node, state->founding(), known);
}

}  // namespace quorate
