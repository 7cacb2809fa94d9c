// What sync and replica of one node say to one another, and the places of sync's wire messages.
#pragma once

#include "actors/command.hpp"
#include "actors/limits.hpp"
#include "actors/message.hpp"
#include "actors/store.hpp"
#include "actors/traffic.hpp"
#include "sync/sync.pb.h"

#include <memory>

namespace quorate {

/// A batch with its place.
struct placed_batch {
  epoch_id epoch;
  cursor at;
  batch value;
};

/// replica -> sync: this replica is behind and needs everything from `next` on; `ahead` are nodes that have
/// more, the best first (may be empty: any may).
struct catch_up {
  static constexpr std::string_view name = "catch_up";
  log_index next;
  std::vector<node_id> ahead;
};

/// sync -> replica: what does your log have from here on, for this transfer?
struct fetch_log {
  static constexpr std::string_view name = "fetch_log";
  node_id peer;
  token transfer;
  log_index from;
  std::size_t bytes_max = limits::chunk_bytes_max;  ///< of its answer, where one entry has no more
};

/// replica -> sync: this. Empty where the asked is no older than the log's end.
struct log_part {
  static constexpr std::string_view name = "log_part";
  node_id peer;
  token transfer;
  log_index from;
  std::vector<placed_batch> entries;
  log_index end;
};

/// replica -> sync: the log has been cut there; this frozen view has it all.
struct log_gone {
  static constexpr std::string_view name = "log_gone";
  node_id peer;
  token transfer;
  std::shared_ptr<const store_view> view;
  log_index at;  ///< batches that the view has applied
};

/// sync -> replica: batches from `from` on, from a peer. Answered by `came_to`.
struct apply_entries {
  static constexpr std::string_view name = "apply_entries";
  token transfer;
  log_index from;
  std::vector<placed_batch> entries;
};

/// sync -> replica: pairs of a snapshot, part by part from 0. Answered by `came_to` after each.
struct stage_snapshot {
  static constexpr std::string_view name = "stage_snapshot";
  token transfer;
  std::uint64_t part = 0;
  std::vector<std::pair<std::string, std::string>> pairs;
  bool last = false;
  log_index at;
};

/// replica -> sync: that has been taken in.
struct came_to {
  static constexpr std::string_view name = "came_to";
  token transfer;
  log_index next;
};

/// replica -> sync: this replica's state is not a majority's: nobody gets anything from it any more.
struct stop_serving {
  static constexpr std::string_view name = "stop_serving";
};

QUORATE_LOCAL_MESSAGE(stop_serving, sync)
QUORATE_LOCAL_MESSAGE(catch_up, sync)
QUORATE_LOCAL_MESSAGE(fetch_log, replica)
QUORATE_LOCAL_MESSAGE(log_part, sync)
QUORATE_LOCAL_MESSAGE(log_gone, sync)
QUORATE_LOCAL_MESSAGE(apply_entries, replica)
QUORATE_LOCAL_MESSAGE(stage_snapshot, replica)
QUORATE_LOCAL_MESSAGE(came_to, sync)

template <>
inline constexpr port destination_of<sync::wire::Pull> = port::sync;
template <>
inline constexpr port destination_of<sync::wire::Credit> = port::sync;
template <>
inline constexpr port destination_of<with_payload<sync::wire::Entries>> = port::sync;
template <>
inline constexpr port destination_of<with_payload<sync::wire::SnapshotPart>> = port::sync;
template <>
inline constexpr port destination_of<sync::wire::NothingNewer> = port::sync;

}  // namespace quorate
