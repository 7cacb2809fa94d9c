// Brings a lagging replica up to date by asking a peer, and serves peers that ask.
#pragma once

#include "actors/hash.hpp"
#include "actors/link_account.hpp"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/role_limits.hpp"
#include "sync/messages.hpp"

#include <map>
#include <optional>

namespace quorate::sync {

struct pull_setup {
  std::vector<member> members;
  node_id self;
  boot_id boot;
  duration again{};  ///< silence after which a pull is asked again, of another peer the second time
  role_limits memory{};
  std::shared_ptr<const link_account> account = std::make_shared<instant_links>();
};

/// Asks for what its replica misses: log entries where a peer's log still has them, else a snapshot, in
/// chunks of at most limits::chunk_bytes_max, a few at once (credits), smaller and one at a time over a slow
/// link. Whatever is lost is asked for again from where this replica stands, or, of a snapshot, from the part
/// that is missing. Invariant: the replica alone decides what fits: it takes entries from its own next index
/// only, and a snapshot only whole. So parts that come late, twice or from another transfer do no harm.
/// Source: DESIGN.md section 8.
class pull {
public:
  using out = outbox<wire::Pull, wire::Credit, with_payload<wire::Entries>, with_payload<wire::SnapshotPart>,
                     wire::NothingNewer, fetch_log, apply_entries, stage_snapshot>;
  using handles = messages<catch_up, wire::Pull, wire::Credit, with_payload<wire::Entries>,
                           with_payload<wire::SnapshotPart>, wire::NothingNewer, log_part, log_gone, came_to,
                           stop_serving>;
  static constexpr port place = port::sync;

  explicit pull(pull_setup setup);

  void start(out& o);
  void on(timer_tag tag, out& o);

  // As the one behind:
  void on(node_id from, const catch_up& msg, out& o);
  void on(node_id from, const with_payload<wire::Entries>& msg, out& o);
  void on(node_id from, const with_payload<wire::SnapshotPart>& msg, out& o);
  void on(node_id from, const wire::NothingNewer& msg, out& o);
  void on(node_id from, const came_to& msg, out& o);

  // As the one ahead:
  void on(node_id from, const wire::Pull& msg, out& o);
  void on(node_id from, const wire::Credit& msg, out& o);
  void on(node_id from, const log_part& msg, out& o);
  void on(node_id from, const log_gone& msg, out& o);
  void on(node_id from, const stop_serving& msg, out& o);

private:
  /// What this node is getting.
  struct transfer {
    token id;
    std::vector<node_id> peers;  ///< whom to ask, in turn
    std::size_t peer = 0;
    log_index next;          ///< wanted next; everything below is applied or on its way to the replica
    log_index applied;       ///< where the replica stands
    log_index end;           ///< where the peer stands, as far as it said
    std::uint64_t part = 0;  ///< of a snapshot: wanted next
    bool snapshot = false;
    log_index at;         ///< of a snapshot: where all its parts must stand
    bool staged = false;  ///< the last part is with the replica
    std::size_t chunk_bytes = 0;  ///< wanted of a chunk of entries
    /// Of a part. The same as long as the transfer has its token: parts are known by their numbers, and who
    /// has lost its view begins over with another one, at the same place in the log where nothing has
    /// happened since.
    std::size_t part_bytes = 0;
    std::uint32_t window = 1;     ///< chunks that may be under way or with the replica at once
    std::uint32_t under_way = 0;  ///< asked for, as far as is known
    std::map<std::uint64_t, with_payload<wire::Entries>> early_entries;     ///< by the index they begin at
    std::map<std::uint64_t, with_payload<wire::SnapshotPart>> early_parts;  ///< by their number
    std::uint32_t with_replica = 0;  ///< chunks that the replica has not answered for yet
    time_point heard{};
    std::uint32_t silences = 0;
  };
  /// What another node is getting from this one.
  struct serving {
    token id;
    log_index next;
    std::uint32_t credits = 0;
    std::size_t chunk_bytes = 0;
    std::size_t part_bytes = 0;
    bool fetching = false;
    bool waits = false;  ///< was asked again while what it asked for before is still on its way
    std::shared_ptr<const store_view> view;  ///< of a snapshot
    log_index at;
    std::vector<std::string> starts;  ///< the key that each part known so far begins with
    std::uint64_t part = 0;
    std::optional<std::uint64_t> last;  ///< the number of the last part, once known
    time_point heard{};
  };

  /// Under a new token, so that parts of what was before do not count; of a snapshot from the first part on.
  void begin_anew(transfer& t);
  void ask(out& o);
  /// A chunk has come: larger ones and more at once from now on where it came quickly, smaller ones where it
  /// took long.
  void pace(transfer& t, node_id from) const;
  [[nodiscard]] bool is_quick(duration transfer) const;
  void give_credit(out& o);
  /// Of a chunk, as the one behind wants it.
  [[nodiscard]] std::size_t wanted(std::uint64_t bytes) const;
  void take_entries(node_id from, const with_payload<wire::Entries>& msg, out& o);
  void take_part(node_id from, const with_payload<wire::SnapshotPart>& msg, out& o);
  void pump(node_id peer, serving& s, out& o);
  void send_part(node_id peer, serving& s, out& o);

  static constexpr std::uint32_t credits_max = 4;  ///< chunks on their way at once
  static constexpr std::uint64_t checksum_seed = 0x5175;
  [[nodiscard]] static std::uint64_t checksum(const payload& body) {
    return hash_bytes(checksum_seed, body.view());
  }

  pull_setup setup_;
  std::size_t chunk_bytes_max_;
  std::size_t chunk_bytes_min_;
  std::optional<transfer> getting_;
  std::uint64_t transfers_ = 0;
  std::map<node_id, serving> serving_;
  bool serves_ = true;
};

}  // namespace quorate::sync
