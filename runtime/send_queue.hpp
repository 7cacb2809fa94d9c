// What waits to be written to one connection between nodes.
#pragma once

#include "actors/ids.hpp"
#include "runtime/transport_frame.hpp"

#include <caf/byte_buffer.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

namespace quorate {

/// Chooses what is written next. Short frames go first, long ones in pieces, of which so many are on their way
/// as the connection holds without a queue of its own: the receiver acknowledges each, and from these
/// acknowledgements follow the rate of the connection and its shortest round trip.
/// Invariant: frames of one urgency are written in the order in which they came, and long frames never keep
/// short ones waiting for more than `window()` bytes.
/// Source: N. Cardwell et al., "BBR: Congestion-Based Congestion Control" (2016), for the window.
class send_queue {
public:
  static constexpr std::size_t window_min = 2 * piece_bytes_max;
  static constexpr std::size_t window_max = 8 * 1024 * 1024;

  void push(urgency how, caf::byte_buffer frame);
  /// Appends what is to be written now to `out`: a whole frame, or one piece with a head of its own. False
  /// where nothing waits, or only what has to wait for an acknowledgement.
  bool take(time_point now, caf::byte_buffer& out);
  /// The same for all that still waits, acknowledged or not: the connection is about to end.
  void take_all(time_point now, caf::byte_buffer& out);
  /// Nothing waits.
  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool waits(urgency how) const { return !waiting_[index(how)].empty(); }
  /// The receiver has all of the first `bytes` of pieces. False where so many were never sent.
  [[nodiscard]] bool acknowledged(std::uint64_t bytes, time_point now);

  [[nodiscard]] std::size_t window() const;
  [[nodiscard]] std::uint64_t on_its_way() const { return sent_ - acknowledged_; }
  /// Bytes of long frames of this urgency that have ever come in here, and that the receiver has.
  [[nodiscard]] std::uint64_t handed(urgency how) const { return handed_[index(how)]; }
  [[nodiscard]] std::uint64_t taken(urgency how) const { return taken_[index(how)]; }

private:
  static constexpr std::size_t index(urgency how) { return static_cast<std::size_t>(how); }
  struct piece {
    urgency how = urgency::bulk;
    std::uint64_t end = 0;  ///< of all pieces, with this one
    time_point at{};
    std::uint64_t acknowledged = 0;  ///< when it was sent
    time_point since{};              ///< of the last acknowledgement by then
    bool alone = false;              ///< nothing else was on its way
  };

  void take_piece(urgency how, time_point now, caf::byte_buffer& out);
  void measure(const piece& p, time_point now);

  std::array<std::deque<caf::byte_buffer>, urgencies> waiting_;
  std::array<std::size_t, urgencies> gone_{};  ///< of the first one
  std::array<std::uint64_t, urgencies> handed_{};
  std::array<std::uint64_t, urgencies> taken_{};
  std::size_t short_run_ = 0;  ///< bytes of short frames since the last piece
  std::size_t bulk_run_ = 0;   ///< pieces of batches since the last one of the background
  std::deque<piece> pieces_;   ///< on their way
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  time_point acknowledged_at_{};
  duration round_trip_{};  ///< the shortest that was measured of late; 0: none yet
  time_point round_trip_at_{};
  std::array<double, 8> rates_{};   ///< bytes per second, the latest
  std::size_t next_rate_ = 0;
};

}  // namespace quorate
