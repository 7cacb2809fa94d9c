// The messages that roles of one node exchange: the client's way in and out, and the contract of a protocol
// (DESIGN.md sections 3 and 5). They stay inside a node, except where said.
#pragma once

#include "actors/command.hpp"
#include "actors/message.hpp"
#include "actors/outbox.hpp"

#include <memory>

namespace quorate {

class store_view;

// --- gateway <-> edge
// ------------------------------------------------------------------------------------------

enum class request_kind : std::uint8_t {
  write,       ///< a command for the state machine
  read,        ///< a query that sees everything acknowledged before it
  read_local,  ///< a query on whatever this node has applied
};

/// What one client asks of the cluster.
struct client_request {
  token id;  ///< the gateway's own name for it; comes back with the answer
  request_kind kind = request_kind::write;
  std::string key;
  payload body;
  duration timeout{};
  bool wait = false;  ///< up to the deadline, even where no majority is in sight
};

/// All requests that one turn of the gateway's event loop has.
struct client_requests {
  static constexpr std::string_view name = "client_requests";
  std::vector<client_request> list;
};

struct client_reply {
  token id;
  errc code = errc::ok;
  payload body;  ///< the state machine's answer, or one sentence where code is not ok
};

struct client_replies {
  static constexpr std::string_view name = "client_replies";
  std::vector<client_reply> list;
};

// --- edge <-> replica
// ------------------------------------------------------------------------------------------

/// Commands of one edge on their way in (may cross nodes).
struct submission {
  static constexpr std::string_view name = "submission";
  std::vector<command> commands;
};

/// What a submission of these counts as on a link.
[[nodiscard]] std::size_t submission_bytes(const std::vector<command>& commands);

/// Results on their way back to the edge that submitted them (may cross nodes).
struct outcomes {
  static constexpr std::string_view name = "outcomes";
  std::vector<outcome> list;
};

/// replica -> edge: this node has a cluster, and the replica is there.
struct ready {
  static constexpr std::string_view name = "ready";
};

/// replica -> edge: this node's state differs from a majority's. From now on it serves nobody.
struct quarantined {
  static constexpr std::string_view name = "quarantined";
  payload why;  ///< one sentence, for clients
};

/// Which of these commands have certainly not been ordered and never will be? replica -> proposer too.
struct withdraw {
  static constexpr std::string_view name = "withdraw";
  std::vector<command_id> ids;
  token id{};  ///< the question's name, the same in its answer
};

/// Those of the asked that have never left this node's proposer, and now never will. Always answered, even
/// with none.
struct withdrawn {
  static constexpr std::string_view name = "withdrawn";
  std::vector<command_id> ids;
  token id{};  ///< the question's name, the same in its answer
};

struct query {
  token id;
  bool linearizable = true;
  payload request;
  time_point deadline = time_point::max();  ///< afterwards nobody waits for the answer any more
};

/// Queries of one edge.
struct queries {
  static constexpr std::string_view name = "queries";
  std::vector<query> list;
};

/// The edge has answered these itself (deadline): do not run them.
struct drop_queries {
  static constexpr std::string_view name = "drop_queries";
  std::vector<token> ids;
};

struct query_result {
  token id;
  errc code = errc::ok;
  payload body;
};

/// reader -> edge.
struct query_results {
  static constexpr std::string_view name = "query_results";
  std::vector<query_result> list;
};

/// replica -> reader: run these on the view, which stands at `at`.
struct read_job {
  static constexpr std::string_view name = "read_job";
  std::shared_ptr<const store_view> view;
  log_index at;
  std::vector<query> list;
};

// --- replica <-> protocol
// --------------------------------------------------------------------------------------

/// Get these ordered. \post they are ordered sooner or later while a majority is up, in one place, unless
/// withdrawn.
struct propose {
  static constexpr std::string_view name = "propose";
  std::vector<command> commands;
};

/// replica -> proposer: the commands that a deadline has passed. Answered by `not_ordered`.
struct take_back {
  static constexpr std::string_view name = "take_back";
  std::vector<command_id> ids;
  token id{};  ///< the question's name, the same in its answer
};

/// proposer -> replica: those of the asked that have never left this proposer. They never will. Always
/// answered.
struct not_ordered {
  static constexpr std::string_view name = "not_ordered";
  std::vector<command_id> ids;
  token id{};  ///< the question's name, the same in its answer
};

/// learner -> replica: the next batch in order. Never a no-op.
struct delivered {
  static constexpr std::string_view name = "delivered";
  batch value;
  cursor at;
  std::uint64_t generation = 0;  ///< the last fast-forward that the learner had heard of
};

/// replica -> learner: everything up to `at` has come in another way. Deliveries of an older generation are
/// void.
struct fast_forward {
  static constexpr std::string_view name = "fast_forward";
  cursor at;
  std::uint64_t generation = 0;
};

/// replica -> acceptor: everything up to `at` may be forgotten (DESIGN.md section 5).
struct forget {
  static constexpr std::string_view name = "forget";
  cursor at;
};

/// replica -> learner: put `reached` into the ordered output behind everything acknowledged before now.
struct barrier {
  static constexpr std::string_view name = "barrier";
  token id;
};

/// learner -> replica.
struct reached {
  static constexpr std::string_view name = "reached";
  token id;
};

/// learner -> replica: others have forgotten what this member still needs; sync must serve it.
struct fell_behind {
  static constexpr std::string_view name = "fell_behind";
};

// --- texts, sizes, places
// --------------------------------------------------------------------------------------

#define QUORATE_LOCAL_MESSAGE(type, role)                                                                    \
  [[nodiscard]] std::string text(const type&);                                                               \
  [[nodiscard]] std::size_t wire_size(const type&);                                                          \
  template <>                                                                                                \
  inline constexpr port destination_of<type> = port::role;

QUORATE_LOCAL_MESSAGE(client_requests, edge)
QUORATE_LOCAL_MESSAGE(client_replies, gateway)
QUORATE_LOCAL_MESSAGE(submission, replica)
QUORATE_LOCAL_MESSAGE(outcomes, edge)
QUORATE_LOCAL_MESSAGE(ready, edge)
QUORATE_LOCAL_MESSAGE(quarantined, edge)
QUORATE_LOCAL_MESSAGE(withdraw, replica)
QUORATE_LOCAL_MESSAGE(withdrawn, edge)
QUORATE_LOCAL_MESSAGE(queries, replica)
QUORATE_LOCAL_MESSAGE(drop_queries, replica)
QUORATE_LOCAL_MESSAGE(query_results, edge)
QUORATE_LOCAL_MESSAGE(read_job, reader)
QUORATE_LOCAL_MESSAGE(propose, proposer)
QUORATE_LOCAL_MESSAGE(take_back, proposer)
QUORATE_LOCAL_MESSAGE(not_ordered, replica)
QUORATE_LOCAL_MESSAGE(delivered, replica)
QUORATE_LOCAL_MESSAGE(fast_forward, learner)
QUORATE_LOCAL_MESSAGE(forget, acceptor)
QUORATE_LOCAL_MESSAGE(barrier, learner)
QUORATE_LOCAL_MESSAGE(reached, replica)
QUORATE_LOCAL_MESSAGE(fell_behind, replica)

template <class Inspector>
bool inspect(Inspector& f, submission& x) {
  return f.object(x).fields(f.field("commands", x.commands));
}
template <class Inspector>
bool inspect(Inspector& f, outcomes& x) {
  return f.object(x).fields(f.field("list", x.list));
}

}  // namespace quorate
