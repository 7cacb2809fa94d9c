// A client of a cluster that runs in other processes.
#pragma once

#include "runtime/client_core.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace quorate {

struct client_node {
  std::string host;        ///< an IP address or a name, which is looked up again at each attempt
  std::uint16_t port = 0;  ///< where the node listens for other nodes
};

struct client_options {
  std::string cluster;             ///< its name; nodes of another one refuse
  std::vector<client_node> nodes;  ///< one is enough; with more, one of them may fail
  client_limits limits;
};

/// Commands for the state machine, from outside and without HTTP: asynchronous, many at once, each executed
/// at most once, whichever nodes fail meanwhile.
///
///   quorate::client c{{.cluster = "demo", .nodes = {{"127.0.0.1", 7101}, {"127.0.0.1", 7102}}}};
///   c.submit("key", quorate::payload{"value"}, [](const quorate::client::answer& a) { … });
///
/// The order in which commands are executed is not the order of their submission: wait for the answer of one
/// before you submit another that must come behind it. It owns threads and an actor system; one per process
/// is enough.
class client {
public:
  struct answer {
    errc code = errc::ok;
    payload body;  ///< the state machine's answer
  };
  using callback = std::function<void(const answer&)>;

  /// Begins to connect, and returns at once. \pre at least one node.
  explicit client(client_options options);
  /// Closes.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// From any thread. `done` is called exactly once, by the command's deadline, on a thread of this client,
  /// or, where the client is closed or too much waits, before this returns. It may submit, must not block and
  /// must not throw. See client_core for what the codes promise.
  void submit(std::string key, payload body, callback done);
  /// Whatever has no answer gets one now: unknown_outcome, or shutting_down where it was certainly not
  /// executed. Waits until all callbacks have returned. Afterwards every submission is answered with
  /// shutting_down. Not from a callback.
  void close();

  struct shared;  ///< what it consists of

private:
  std::shared_ptr<shared> shared_;
};

}  // namespace quorate
