#include "runtime/process.hpp"

#include "actors/ensure.hpp"
#include "actors/last_words.hpp"
#include "balancers/registry.hpp"
#include "protocols/registry.hpp"
#include "runtime/cluster_page.hpp"
#include "runtime/data_directory.hpp"
#include "runtime/disk_watch.hpp"
#include "runtime/file_budget.hpp"
#include "runtime/founded_spec.hpp"
#include "runtime/http_gateway.hpp"
#include "runtime/ip_address.hpp"
#include "runtime/last_line.hpp"
#include "runtime/library_output.hpp"
#include "runtime/listening_socket.hpp"
#include "runtime/logging.hpp"
#include "runtime/machines.hpp"
#include "runtime/node_host.hpp"
#include "runtime/rocks_store.hpp"
#include "runtime/segment_journal.hpp"
#include "runtime/transport.hpp"
#include "sync/registry.hpp"

#include <caf/actor_system_config.hpp>
#include <google/protobuf/stubs/logging.h>

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace quorate {

namespace {

constexpr unsigned stop_within_seconds = 5;
constexpr std::chrono::milliseconds log_written_within{500};
constexpr std::size_t segment_bytes_max = 256u << 20;

/// Few enough files, however much log the spec keeps.
segment_journal::tuning journal_sizes(const cluster_spec& spec) {
  segment_journal::tuning sizes;
  sizes.segment_bytes =
      std::clamp<std::size_t>(spec.limits.log_bytes / 256, sizes.segment_bytes, segment_bytes_max);
  return sizes;
}

/// Crash is the only recovery there is.
void end_with(const std::string& message) {
  end_process(message);
}

int fail(const failure& f) {
  say_last(f.message, line_form::of_program);
  return static_cast<int>(f.code == errc::bad_config ? exit_code::bad_config : exit_code::could_not_start);
}

transport_peer peer_of(const node_spec& n) {
  return {n.id, n.name, n.host, n.port};
}

std::string http_address(const node_spec& n) {
  return endpoint(n.http_host, n.http_port);
}

node_setup setup_of(const cluster_spec& spec, const node_spec& self, const data_directory& disk) {
  node_setup n;
  n.cluster = spec.name;
  for (const auto& s : spec.nodes)
    if (!s.host.empty())
      n.addresses[s.name] = s.host + ":" + std::to_string(s.port);
  for (const auto& s : spec.nodes)
    (s.founded_without ? n.strangers : n.nodes).push_back({s.id, s.name, disk_id{0}});
  n.self = self.id;
  n.disk = disk.disk();
  n.boot = disk.boot();
  n.ordering = find_protocol(spec.protocol);
  n.options = spec.protocol_options;
  n.catching_up = sync::find_strategy(spec.sync);
  auto chosen = choose_balancer(spec.balancer, spec.balancer_options);
  ENSURE(std::holds_alternative<balancers::chosen_policy>(chosen), "the spec's balancer was checked");
  n.balancing = std::get<balancers::chosen_policy>(std::move(chosen));
  n.make_machine = find_machine(spec.machine)->make;
  n.machine = spec.machine;
  n.timings.heartbeat_every = spec.timeouts.heartbeat;
  n.timings.suspect_after = spec.timeouts.suspect;
  n.clients.requests_max = spec.limits.requests_in_flight;
  n.log.entries_max = spec.limits.log_entries;
  n.log.bytes_max = spec.limits.log_bytes;
  return n;
}

/// Everything of a running node, in the order in which it has to go: the last first.
struct running {
  cluster_spec spec;  ///< what was founded holds in it, once the disk is open
  node_spec self;
  std::unique_ptr<data_directory> disk;
  listening_socket for_nodes;  ///< until `network` has it
  listening_socket for_clients;
  std::shared_ptr<segment_journal> journal;
  std::shared_ptr<rocks_store> state;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<quorate::links> links;
  std::unique_ptr<transport> network;
  std::unique_ptr<node_host> node;
  std::unique_ptr<http_gateway> http;
  std::unique_ptr<disk_watch> room;
  file_budget files;

  status count_files();
  void watch_disks();
  // In this order: nothing is written, and no boot counted, before all that others may have is ours.
  status lock_disk(const std::string& path);
  status take_ports();
  status open_disk();
  status settle();
  status start();
  void stop();
  [[nodiscard]] page_facts facts() const;
};

/// Before anything is opened.
status running::count_files() {
  const auto counted = file_budget::of(raise_file_limit(), spec, journal_sizes(spec).segment_bytes);
  if (const auto* failed = std::get_if<failure>(&counted))
    return *failed;
  files = std::get<file_budget>(counted);
  if (files.connections < spec.limits.connections)
    log(severity::warning, "node",
        "takes " + std::to_string(files.connections) + " connections of clients, not " +
            std::to_string(spec.limits.connections) + " (cluster.limits.connections): only " +
            std::to_string(files.granted) + " open files are allowed (ulimit -n)");
  return std::nullopt;
}

void running::watch_disks() {
  disk_watch_setup w;
  w.directories = {disk->journal_path(), disk->state_path()};
  w.reserve = spec.limits.disk_reserve;
  w.tell = [this](disk_level level) { node->tell_room(level); };
  w.log = [](severity level, const std::string& line) { log(level, "disk", line); };
  room = std::make_unique<disk_watch>(std::move(w));
}

status running::lock_disk(const std::string& path) {
  auto opened = data_directory::open(path, spec.name, self.name);
  if (auto* failed = std::get_if<failure>(&opened))
    return *failed;
  disk = std::move(std::get<std::unique_ptr<data_directory>>(opened));
  for (const auto& note : disk->notes())
    log(severity::warning, "node", note);
  return std::nullopt;
}

status running::open_disk() {
  if (auto failed = disk->begin())
    return failed;
  const auto presence = disk->fresh() ? database::may_be_new : database::must_exist;
  // The state's database has a lock of its own, and what is not ours is left as it was.
  auto s = rocks_store::open(disk->state_path(), presence);
  if (auto* failed = std::get_if<failure>(&s))
    return *failed;
  state = std::move(std::get<std::unique_ptr<rocks_store>>(s));
  auto j = segment_journal::open(disk->journal_path(), presence, journal_sizes(spec));
  if (auto* failed = std::get_if<failure>(&j))
    return *failed;
  journal = std::move(std::get<std::unique_ptr<segment_journal>>(j));
  for (const auto& note : journal->notes())
    log(severity::warning, "journal", note);
  if (disk->fresh())
    return disk->settle();
  return std::nullopt;
}

status running::take_ports() {
  auto nodes = listening_socket::open(self.listen_host, self.listen_port, "other nodes");
  if (auto* failed = std::get_if<failure>(&nodes))
    return std::move(*failed);
  for_nodes = std::get<listening_socket>(std::move(nodes));
  auto clients = listening_socket::open(self.http_host, self.http_port, "clients");
  if (auto* failed = std::get_if<failure>(&clients))
    return std::move(*failed);
  for_clients = std::get<listening_socket>(std::move(clients));
  return std::nullopt;
}

status running::settle() {
  auto settled = settle_spec(std::move(spec), self.name, *journal, registered_names());
  if (auto* failed = std::get_if<failure>(&settled)) {
    failed->message = disk->path().string() + ": " + failed->message;
    return std::move(*failed);
  }
  auto& founded = std::get<founded_spec>(settled);
  if (!founded.warning.empty())
    log(severity::warning, "founding", founded.warning);
  spec = std::move(founded.spec);
  self = *spec.find(self.name);
  return std::nullopt;
}

status running::start() {
  // A sleep and wake across cores costs more than it brings on a small machine.
  config.set("caf.scheduler.policy", "sharing");
  if (std::thread::hardware_concurrency() <= 4)
    config.set("caf.scheduler.max-threads", 1);
  transport::load(config, spec.timeouts.suspect);
  system = std::make_unique<caf::actor_system>(config);

  std::vector<node_id> ids;
  for (const auto& n : spec.nodes)
    ids.push_back(n.id);
  links = std::make_shared<quorate::links>(self.id, ids, spec.limits.link_bytes);

  transport_setup t;
  t.cluster = spec.name;
  t.self = peer_of(self);
  t.listen_host = self.listen_host;
  t.listen_port = self.listen_port;
  t.disk = disk->disk();
  t.boot = disk->boot();
  for (const auto& n : spec.nodes)
    if (n.id != self.id)
      t.others.push_back(peer_of(n));
  t.links = links;
  const auto accounts = std::make_shared<transport_accounts>();
  t.accounts = accounts;
  t.log = [](severity level, const std::string& line) { log(level, "transport", line); };
  t.fatal = end_with;
  network = std::make_unique<transport>(*system, std::move(t));

  http_options options;
  options.node = self.name;
  options.connections_max = files.connections;
  options.turned_away_max = files.turned_away;
  options.answers = std::make_shared<answer_budget>(options.answer_bytes_max);
  const auto answers = options.answers;
  options.answer_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(spec.timeouts.request);
  options.requests_in_flight_max = spec.limits.requests_in_flight;
  http_backend backend;
  backend.submit = [this](std::vector<client_request> requests) { node->submit(std::move(requests)); };
  backend.health = [this] { return health_of(node->figures()); };
  backend.cluster = [this] { return cluster_page(facts(), node->figures()); };
  backend.balance = [this](balancers::chosen_policy chosen) {
    return node->change_policy(std::move(chosen));
  };
  backend.warn = [](const std::string& line) { log(severity::warning, "gateway", line); };
  http = std::make_unique<http_gateway>(http_address(self), options, std::move(backend));
  network->listen(std::move(for_nodes));
  if (auto failed = http->bind(std::move(for_clients)))
    return failed;

  node_host_setup h;
  h.node = setup_of(spec, self, *disk);
  h.node.account = accounts;
  h.node.state = state.get();
  h.node.saved = journal.get();
  h.node.answers = answers;
  h.loop = transport::loop(*system);
  h.links = links;
  h.target = journal;
  h.kept = {journal, state};
  h.seed = disk->disk().value;
  h.log = [](severity level, std::string_view place, const std::string& line) {
    if (log_enabled(level))
      log(level, place, line);
  };
  h.fatal = end_with;
  h.published = [this](const role_address& address, const caf::strong_actor_ptr& handle) {
    network->published(address, handle);
  };
  h.replies = [this](std::vector<client_reply> replies) { http->answer(std::move(replies)); };
  state->when_failed([end = h.fatal](const failure& f) { end("the state cannot be written: " + f.message); });
  node = std::make_unique<node_host>(*system, std::move(h));

  watch_disks();
  if (auto failed = network->start())
    return failed;
  return http->start();
}

void running::stop() {
  if (http)
    http->stop();
  if (network)
    network->stop();
  room.reset();
  if (node)
    node->stop();
}

page_facts running::facts() const {
  page_facts f;
  f.cluster = spec.name;
  f.self = self.id;
  f.name = self.name;
  f.disk = disk->disk();
  f.boot = disk->boot();
  f.protocol = spec.protocol;
  f.balancer = spec.balancer;
  f.sync = spec.sync;
  f.machine = spec.machine;
  f.connected = network->connected();
  f.http = http->figures();
  f.journal_batches = journal->batches();
  f.journal_bytes = journal->disk_bytes();
  f.state_bytes = state->disk_bytes();
  if (room)
    f.room = room->figures();
  for (const auto& n : spec.nodes)
    if (const auto* link = links->find(n.id); link && n.id != self.id)
      f.links[n.id] = {link->in_flight(), link->dropped()};
  return f;
}

/// Waits until somebody asks for the end; returns how. \pre begin_process has blocked these signals
int await_stop() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const auto signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP)
      return signal;
    // From a terminal that is closed, or from whoever moves log files about.
    log(severity::info, "node", "goes on after SIGHUP: its log goes to stderr, and the spec is read at a start only");
  }
}

/// What was made by somebody else, or by an earlier version, may be open to others. What this process makes is not.
void warn_of_loose_directory(const std::string& path) {
  struct stat about = {};
  if (::stat(path.c_str(), &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    log(severity::warning, "node",
        "the data directory " + path + " is open to other users of this machine: chmod -R go= it");
}

int run(const options& opts, const cluster_spec& spec) {
  const auto& self = *spec.find(opts.node);
  start_logging(self.name, opts.level);
  capture_library_output();
  running r{spec, self, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  auto failed = r.count_files();
  if (!failed)
    failed = r.lock_disk(opts.data_dir);
  if (!failed)
    failed = r.take_ports();
  if (!failed)
    failed = r.open_disk();
  if (!failed)
    failed = r.settle();
  if (failed) {
    r.stop();
    return fail(*failed);
  }
  log(severity::info, "node", "boot " + std::to_string(r.disk->boot().value) + " on " + opts.data_dir);
  warn_of_loose_directory(opts.data_dir);
  if (!is_loopback(self.listen_host) || !is_loopback(self.http_host))
    log(severity::warning, "node",
        "listens beyond loopback without encryption or authentication: anybody who reaches these ports can "
        "read "
        "and write everything");

  failed = r.start();
  if (failed) {
    r.stop();
    return fail(*failed);
  }
  log(severity::info, "node",
      "serves clients on " + http_address(self) + ", other nodes on " + endpoint(self.listen_host, self.listen_port));
  log(severity::info, "node", await_stop() == SIGINT ? "stops: SIGINT" : "stops: SIGTERM");
  // CAF cannot be told to give up a connection that it is making to a host which does not answer. Nothing is lost, since
  // what was acknowledged is durable already.
  end_after(stop_within_seconds, "has not stopped in time, and ends now", static_cast<int>(exit_code::stopped));
  r.stop();
  return static_cast<int>(exit_code::stopped);
}

}  // namespace

known_names registered_names() {
  known_names known;
  for (const auto& p : all_protocols())
    known.protocols.push_back(p.name);
  for (const auto& b : all_balancers())
    known.balancers.emplace_back(b.name);
  for (const auto& s : sync::all_strategies())
    known.syncs.push_back(s.name);
  for (const auto& m : machines())
    known.machines.emplace_back(m.name);
  known.check_options = [](const std::string& name,
                           const std::map<std::string, std::string>& given) -> status {
    const auto* p = find_protocol(name);
    return p ? p->check_options(given) : std::nullopt;
  };
  known.check_balancer = [](const std::string& name,
                            const std::map<std::string, std::string>& given) -> status {
    const auto* b = find_balancer(name);
    return b ? b->check_options(given) : std::nullopt;
  };
  return known;
}

namespace {

int run_command(int argc, const char* const* argv) {
  const auto parsed =
      parse_command_line({argv + (argc > 0 ? 1 : 0), static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  if (const auto* help = std::get_if<help_text>(&parsed)) {
    const auto printed = std::fputs(help->text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return static_cast<int>(printed ? exit_code::stopped : exit_code::could_not_start);
  }
  if (const auto* failed = std::get_if<failure>(&parsed))
    return fail(*failed);
  const auto& opts = std::get<options>(parsed);
  const auto loaded = load_spec(opts.config_file, registered_names());
  if (const auto* failed = std::get_if<failure>(&loaded))
    return fail(*failed);
  const auto& spec = std::get<cluster_spec>(loaded);
  if (const auto failed = check_node(spec, opts.node))
    return fail(*failed);
  register_messages();
  transport::register_messages();
  set_last_words_handler(&end_with);
  // Whoever parses a message says what is wrong; Protobuf would write a line of its own for each.
  google::protobuf::SetLogHandler(nullptr);
  return run(opts, spec);
}

}  // namespace

int run_process(int argc, const char* const* argv) {
  const auto code = run_command(argc, argv);
  flush_logging(log_written_within);
  expect_exit();
  return code;
}

}  // namespace quorate
