// One guarded connection between nodes.
#pragma once

#include "runtime/receive_budget.hpp"
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
class guarded_scribe final : public caf::io::network::scribe_impl {
public:
  enum class origin : std::uint8_t { dialled, accepted };

  guarded_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
                 std::shared_ptr<transport_guard> guard, origin from);

  bool consume(caf::execution_unit* context, const void* bytes, std::size_t size) override;

  [[nodiscard]] std::string address() const;
  /// Ends the connection, as if the other side had.
  void end();
  [[nodiscard]] transport_guard::clock::time_point since() const { return since_; }

  enum class admission : std::uint8_t { silent, admitted, gone };
  admission state = admission::gone;  ///< of an accepted one; the guard's

protected:
  void detach_from(caf::io::abstract_broker* broker) override;

private:
  enum class plan : std::uint8_t { undecided, pass, swallow };

  [[nodiscard]] frame_place place() const;
  [[nodiscard]] std::optional<std::string> decide(std::string_view prefix);
  [[nodiscard]] std::optional<std::string> begin(std::string_view handshake);
  bool consume_head(caf::execution_unit* context, std::string_view bytes);
  bool consume_piece(caf::execution_unit* context, std::size_t size);
  bool keep(std::size_t size);
  bool finish(caf::execution_unit* context);
  bool hand_over(caf::execution_unit* context);
  bool sign_of_life(caf::execution_unit* context);
  void read_on();
  void read_head();
  void drop_kept();
  bool refuse(const std::string& why);

  const std::shared_ptr<transport_guard> guard_;
  const origin from_;
  const transport_guard::clock::time_point since_ = transport_guard::clock::now();
  frame_parties parties_;
  std::shared_ptr<transport_guard::speaker> speaker_;  ///< once it has shaken hands
  std::optional<frame_head> head_;                     ///< of the frame that is coming
  caf::byte_buffer head_bytes_;
  plan plan_ = plan::undecided;
  std::size_t missing_ = 0;  ///< of its payload
  caf::byte_buffer whole_;   ///< what has come of it
  std::size_t taken_ = 0;    ///< from the budget
  peer_standing taken_as_ = peer_standing::stranger;
  transport_guard::clock::time_point alive_{};
};

}  // namespace quorate
