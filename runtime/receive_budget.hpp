// How much memory the frames take that have not come in whole yet.
#pragma once

#include "runtime/transport_rules.hpp"

#include <array>
#include <cstddef>

namespace quorate {

namespace limits {

/// All frames that a process is receiving, over all connections; of these for strangers, and for external
/// clients. The rest is for members, whatever the others do.
inline constexpr std::size_t receive_bytes_max = 512 * 1024 * 1024;
inline constexpr std::size_t receive_strangers_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t receive_clients_bytes_max = 128 * 1024 * 1024;

}  // namespace limits

/// One limit for all connections, in shares: whoever is not known cannot use up what members need.
/// Invariant: no share is exceeded, and the shares add up to `limits::receive_bytes_max`.
class receive_budget {
public:
  /// False where the share does not have that much left.
  [[nodiscard]] bool take(peer_standing who, std::size_t bytes) {
    auto& used = used_[static_cast<std::size_t>(who)];
    if (bytes > share(who) - used)
      return false;
    used += bytes;
    return true;
  }
  /// \pre taken before
  void give_back(peer_standing who, std::size_t bytes) { used_[static_cast<std::size_t>(who)] -= bytes; }

  [[nodiscard]] static constexpr std::size_t share(peer_standing who) {
    switch (who) {
    case peer_standing::stranger:
      return limits::receive_strangers_bytes_max;
    case peer_standing::client:
      return limits::receive_clients_bytes_max;
    case peer_standing::member:
      return limits::receive_bytes_max - limits::receive_strangers_bytes_max -
             limits::receive_clients_bytes_max;
    }
    return 0;
  }

private:
  std::array<std::size_t, peer_standings> used_{};
};

}  // namespace quorate
