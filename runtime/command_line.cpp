#include "runtime/command_line.hpp"

#include "actors/wording.hpp"

#include <map>
#include <optional>
#include <vector>

namespace quorate {

namespace {

constexpr std::string_view help = R"(node_runtime: runs one node of a leaderless replicated cluster.

  node_runtime --config-file=cluster.conf --node=n1 --data-dir=data/n1 [--log-level=info]

Options (--option=value or --option value):
  --config-file=FILE  the cluster's description, the same file on every machine; required
  --node=NAME         which of its nodes this process is; required
  --data-dir=DIR      where this node keeps its data, made if it does not exist; it belongs
                      to this node of this cluster for ever; required
  --log-level=LEVEL   trace, debug, info, warn, error or off; default info
  --help              prints this
  --version           prints the version

Keys of the cluster's description (* required):
  cluster.name*                       name of the cluster: a-z, 0-9, - and _
  cluster.protocol*                   how commands are ordered, by name
  cluster.<protocol>.<option>         options of that protocol; see its documentation
  cluster.balancer                    which node a command goes to; default "local"
  cluster.<balancer>.<option>         options of that balancer; see its documentation
  cluster.sync                        how a node catches up; default "push-pull"
  cluster.machine                     the state machine; default "append_log"
  cluster.nodes*                      1 to 9 of { name, host, port, http, listen }:
      name*   name of the node
      host*   IP address or name at which the other nodes reach it
      port*   TCP port at which they do
      http*   "host:port" that it binds for clients
      listen  "host:port" that it binds for the other nodes; default is host and port
  cluster.timeouts.request            longest wait of a client that names none; default 5s
  cluster.timeouts.heartbeat          between two signs of life; default 100ms
  cluster.timeouts.suspect            silence after which a node counts as unreachable; default 1s
  cluster.limits.link-bytes           on their way to one other node; default 16777216
  cluster.limits.requests-in-flight   of clients; default 4096
  cluster.limits.connections          of clients; default 4096
  cluster.limits.log-entries          batches kept for nodes that are behind; default 20000
  cluster.limits.log-bytes            their bytes; default 268435456

Exit codes:
  0  stopped as asked
  1  could not start or go on: port or data directory in use, disk failed
  2  the command line or the cluster's description is wrong

Signals:
  SIGTERM, SIGINT  stop cleanly

The log goes to stderr.
)";

const std::vector<std::string> valued = {"--config-file", "--node", "--data-dir", "--log-level"};
const std::vector<std::string> all = {"--config-file", "--node", "--data-dir",
                                      "--log-level",   "--help", "--version"};

failure wrong(std::string what) {
  return {errc::bad_config, std::move(what) + " (see --help)"};
}

bool is_valued(const std::string& name) {
  for (const auto& known : valued)
    if (known == name)
      return true;
  return false;
}

/// The options' values, or the first mistake.
std::variant<std::map<std::string, std::string>, failure> values_of(std::span<const char* const> arguments) {
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (!argument.starts_with('-') || argument == "-" || argument == "--")
      return wrong("stray word " + quoted(argument));
    const auto equals = argument.find('=');
    const auto name = argument.substr(0, equals);
    if (name == "--help" || name == "--version")
      return wrong(name + " takes no value");
    if (!is_valued(name)) {
      const auto close = nearest(name, all);
      return wrong("unknown option " + quoted(name) + (close.empty() ? "" : "; did you mean " + close + "?"));
    }
    std::optional<std::string> value;
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    else if (i + 1 < arguments.size() && !std::string_view{arguments[i + 1]}.starts_with("--"))
      value = arguments[++i];
    if (!value || value->empty())
      return wrong(name + " needs a value");
    if (!values.emplace(name, std::move(*value)).second)
      return wrong(name + " is given twice");
  }
  return values;
}

}  // namespace

std::variant<options, help_text, failure> parse_command_line(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--help")
      return help_text{std::string{help}};
    if (argument == "--version")
      return help_text{"node_runtime " + std::string{version} + "\n"};
  }
  auto parsed = values_of(arguments);
  if (auto* problem = std::get_if<failure>(&parsed))
    return std::move(*problem);
  auto& values = std::get<0>(parsed);
  for (const auto* name : {"--config-file", "--node", "--data-dir"})
    if (!values.contains(name))
      return wrong(std::string{name} + " is missing");
  options out;
  out.config_file = values["--config-file"];
  out.node = values["--node"];
  out.data_dir = values["--data-dir"];
  if (const auto found = values.find("--log-level"); found != values.end()) {
    const auto level = log_level_of(found->second);
    if (!level)
      return wrong("--log-level: " + quoted(found->second) +
                   " is none of trace, debug, info, warn, error, off");
    out.level = *level;
  }
  return out;
}

status check_node(const cluster_spec& spec, std::string_view node) {
  if (spec.find(node) != nullptr)
    return {};
  std::vector<std::string> names;
  for (const auto& n : spec.nodes)
    names.push_back(n.name);
  return failure{errc::bad_config,
                 "--node: " + quoted(node) + " is not in the cluster; its nodes: " + listed(names)};
}

}  // namespace quorate
