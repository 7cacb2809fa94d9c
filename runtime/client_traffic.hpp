// Commands of clients that are no nodes: see runtime/docs/2026-11-24-clients.md.
#pragma once

#include "actors/traffic.hpp"

namespace quorate {

namespace limits {

inline constexpr std::size_t client_commands_max = 65'536;  ///< waiting at one node; beyond: overloaded
inline constexpr std::size_t client_bytes_max = 64ULL * 1024 * 1024;  ///< of their keys and bodies
inline constexpr std::size_t clients_max = 64;                        ///< connected to one node

}  // namespace limits

/// desk -> replica: like `submission`, and the outcomes go back to the desk.
struct client_submission {
  static constexpr std::string_view name = "client_submission";
  std::vector<command> commands;
};

/// replica -> desk.
struct client_outcomes {
  static constexpr std::string_view name = "client_outcomes";
  std::vector<outcome> list;
};

QUORATE_LOCAL_MESSAGE(client_submission, replica)
QUORATE_LOCAL_MESSAGE(client_outcomes, desk)

}  // namespace quorate
