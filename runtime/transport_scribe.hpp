// One guarded connection between nodes.
#pragma once

#include "runtime/incoming_frame.hpp"
#include "runtime/send_queue.hpp"
#include "runtime/transport_frame.hpp"
#include "runtime/transport_guard.hpp"
#include "runtime/transport_rules.hpp"

#include <caf/byte_buffer.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/scribe_impl.hpp>

#include <memory>

namespace quorate {

/// One connection between nodes, on its way into CAF's broker.
/// Invariant: the broker sees a frame only when all of it is here and has been judged, so it never waits for a
/// payload, and never acts on one that `fault_of` or `judge` refuses.
/// Invariant: no two connections of a process ever have the same handle. CAF takes the socket's number, which
/// the kernel gives to the next connection as soon as this one is closed, while the broker may forget a
/// closed connection only later: then its table of routes keeps the new node under the old handle for ever,
/// and what is meant for that node goes to whoever gets the number next.
/// Invariant: no two connections speak for the same node id. CAF would ignore the second one's handshake, and
/// take what it says all the same.
/// Invariant: what CAF writes waits in the queue, except for what the socket is about to take: a short frame is
/// never behind more than that and the queue's window.
class guarded_scribe final : public caf::io::network::scribe_impl {
public:
  enum class origin : std::uint8_t { dialled, accepted };

  guarded_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
                 std::shared_ptr<transport_guard> guard, origin from);

  bool consume(caf::execution_unit* context, const void* bytes, std::size_t size) override;

  caf::byte_buffer& wr_buf() override { return staged_; }
  /// Puts what CAF has written into the queue.
  void flush() override;
  void data_transferred(caf::execution_unit* context, std::size_t written, std::size_t remaining) override;
  void graceful_shutdown() override;

  [[nodiscard]] std::string address() const;
  /// Ends the connection, as if the other side had.
  void end();
  [[nodiscard]] transport_guard::clock::time_point since() const { return since_; }

  enum class admission : std::uint8_t { silent, admitted, gone };
  admission state = admission::gone;  ///< of an accepted one; the guard's

protected:
  void detach_from(caf::io::abstract_broker* broker) override;

private:
  [[nodiscard]] frame_place place() const;
  [[nodiscard]] peer_standing standing() const;
  [[nodiscard]] std::optional<std::string> decide(incoming_frame& frame);
  [[nodiscard]] std::optional<std::string> begin(std::string_view handshake);
  bool consume_head(caf::execution_unit* context, std::string_view bytes);
  bool consume_payload(caf::execution_unit* context, std::size_t size);
  bool consume_piece(caf::execution_unit* context, std::string_view bytes);
  [[nodiscard]] std::optional<std::string> fill(incoming_frame& frame, std::string_view bytes);
  bool finish(incoming_frame& frame, caf::execution_unit* context);
  bool hand_over(incoming_frame& frame, caf::execution_unit* context);
  bool sign_of_life(caf::execution_unit* context);
  void read_on(std::size_t bytes);
  void read_head();
  void write_taken();
  void pump();
  void publish_account();
  bool refuse(const std::string& why);

  const std::shared_ptr<transport_guard> guard_;
  const origin from_;
  const transport_guard::clock::time_point since_ = transport_guard::clock::now();
  frame_parties parties_;
  std::shared_ptr<transport_guard::speaker> speaker_;  ///< once it has shaken hands
  incoming_frame direct_;                              ///< what comes without pieces
  std::array<incoming_frame, 2> pieced_;               ///< bulk, background
  std::optional<frame_head> piece_;                    ///< whose payload is coming
  std::size_t piece_left_ = 0;
  std::string piece_frame_;      ///< the head of the frame of which it is the first piece
  std::uint64_t pieces_in_ = 0;  ///< bytes of them
  caf::byte_buffer staged_;      ///< what CAF is writing
  send_queue queue_;
  std::size_t unwritten_ = 0;  ///< handed to the socket's writer, not yet taken by the system
  transport_guard::clock::time_point alive_{};
};

}  // namespace quorate
