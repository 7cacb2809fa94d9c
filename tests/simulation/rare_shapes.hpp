// Scenarios in which rare paths are taken. Each makes one of a seed's own.
#pragma once

#include "tests/harness/scenario.hpp"

namespace quorate::testing {

/// Every role of this protocol, and of the node around it, has hardly any memory.
void tiny_memory(scenario& s, std::string_view protocol);

/// Members go down for a moment, one after the other, and the logs keep so little that they need snapshots.
/// Their states are flushed seldom: what they have said to be durable since then stands in their logs only.
void snapshots_and_restarts(scenario& s);

/// Snapshots come in a few parts each, over slow links, from members that are often started again meanwhile.
void snapshots_in_parts(scenario& s);

/// A node loses its connections over and over: sync, in small pieces, and protocol bring it up to date at the
/// same time, and what its learner says waits for long before its replica.
void overtaken_learners(scenario& s);

/// One member's disk is so slow that the others order its commands, and then it hears nothing for a while:
/// neither that they did, nor what becomes of its own. Its slots are used up all the time.
void lost_receipts(scenario& s);

/// The same, and some messages come so late that who has handed a command over has long tried, and failed, to
/// order it itself.
void late_hand_offs(scenario& s);

/// Every node stands still for a moment, early on.
void all_frozen_once(scenario& s);

}  // namespace quorate::testing
