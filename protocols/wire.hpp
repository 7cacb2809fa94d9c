// Ballots and batch ids as they travel.
#pragma once

#include "actors/ballot.hpp"
#include "actors/messages.pb.h"

namespace quorate {

[[nodiscard]] inline ballot from_wire(const wire::Ballot& x) {
  return {x.round(), node_id{x.node()}};
}

[[nodiscard]] inline batch_id from_wire(const wire::BatchId& x) {
  return {node_id{x.node()}, boot_id{x.boot()}, x.number()};
}

inline void to_wire(const ballot& x, wire::Ballot* out) {
  out->set_round(x.round);
  out->set_node(x.node.value);
}

inline void to_wire(const batch_id& x, wire::BatchId* out) {
  out->set_node(x.node.value);
  out->set_boot(x.boot.value);
  out->set_number(x.number);
}

}  // namespace quorate
