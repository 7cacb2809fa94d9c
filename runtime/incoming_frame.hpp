// A frame between nodes while it is coming in.
#pragma once

#include "runtime/receive_budget.hpp"
#include "runtime/transport_frame.hpp"

#include <caf/byte_buffer.hpp>

#include <optional>
#include <string_view>

namespace quorate {

/// What has come of a frame.
/// Invariant: memory follows what has come, never more than twice as much, and all of it that is not short is
/// taken from the budget.
class incoming_frame {
public:
  explicit incoming_frame(receive_budget& budget) : budget_(budget) {}
  ~incoming_frame() { drop(); }
  incoming_frame(const incoming_frame&) = delete;
  incoming_frame& operator=(const incoming_frame&) = delete;

  /// \pre nothing is coming in; `bytes` are the head's
  void begin(const frame_head& head, std::string_view bytes);
  [[nodiscard]] const std::optional<frame_head>& head() const { return head_; }
  /// Of the payload.
  [[nodiscard]] std::size_t missing() const { return missing_; }

  /// More of the payload has come. False where there is no memory for it. \pre no more than is missing
  [[nodiscard]] bool add(std::string_view bytes, peer_standing from);
  /// All of the payload has come, in this buffer. \pre nothing of it has come before
  void take_whole(caf::byte_buffer& payload);

  /// Whether it is known what to do with it.
  enum class plan : std::uint8_t { undecided, pass, swallow };
  plan what = plan::undecided;
  void swallow();

  [[nodiscard]] std::string_view payload() const {
    return {reinterpret_cast<const char*>(whole_.data()), whole_.size()};
  }
  /// For whoever passes them on, and gives them back.
  caf::byte_buffer& head_bytes() { return head_bytes_; }
  caf::byte_buffer& payload_bytes() { return whole_; }
  /// It has been dealt with: the next one may begin.
  void done();

private:
  void drop();

  receive_budget& budget_;
  std::optional<frame_head> head_;
  caf::byte_buffer head_bytes_;
  caf::byte_buffer whole_;
  std::size_t missing_ = 0;
  std::size_t taken_ = 0;
  peer_standing taken_as_ = peer_standing::stranger;
};

}  // namespace quorate
