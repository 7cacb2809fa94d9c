#include "runtime/transport_guard.hpp"

#include "runtime/transport_frame.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/abstract_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/scribe_impl.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace quorate {

namespace network = caf::io::network;

namespace {

constexpr std::size_t complaints_max = 256;  // different ones remembered, so that nobody fills our memory

network::default_multiplexer& multiplexer_of(caf::actor_system& system) {
  return dynamic_cast<network::default_multiplexer&>(system.middleman().backend());
}

caf::actor basp_of(caf::actor_system& system) {
  return system.middleman().get_named_broker("BASP");
}

}  // namespace

/// One connection between nodes, on its way into CAF's broker.
/// Invariant: a frame's head is looked at before the broker sees it, so the broker never waits for a payload
/// that `fault_of` refuses.
/// Invariant: no two connections of a process ever have the same handle. CAF takes the socket's number, which
/// the kernel gives to the next connection as soon as this one is closed, while the broker may forget a
/// closed connection only later: then its table of routes keeps the new node under the old handle for ever,
/// and what is meant for that node goes to whoever gets the number next.
class guarded_scribe final : public network::scribe_impl {
public:
  enum class origin : std::uint8_t { dialled, accepted };

  guarded_scribe(network::default_multiplexer& multiplexer, int socket,
                 std::shared_ptr<transport_guard> guard, origin from)
      : scribe_impl(multiplexer, socket), guard_(std::move(guard)), from_(from) {
    hdl_ = next_handle();
    msg().handle = hdl_;
  }

  bool consume(caf::execution_unit* context, const void* bytes, std::size_t size) override {
    if (detached())
      return false;
    if (missing_ > 0)
      return consume_piece(context, size);
    if (in_payload_) {
      in_payload_ = false;
      return pass_on(context, bytes, size);
    }
    if (size != frame_head_bytes)
      return refuse("its frames are out of step");
    const auto head = read_frame_head({static_cast<const char*>(bytes), size});
    if (const auto fault = fault_of(head, place()))
      return refuse(*fault);
    in_payload_ = head.payload_bytes > 0;
    return scribe_impl::consume(context, bytes, size);
  }

  /// Called by the broker with the payload's size; what is long comes in pieces, so that memory follows
  /// bytes.
  void configure_read(caf::io::receive_policy::config config) override {
    missing_ = config.second > frame_bytes_trusted ? config.second : 0;
    read_on(config.second);
  }

  [[nodiscard]] std::string address() const {
    const auto host = addr();
    return host.empty() ? "a closed connection" : host;
  }

  /// Ends the connection, as if the other side had.
  void end() {
    ::shutdown(stream_.fd(), SHUT_RDWR);
    io_failure(&stream_.backend(), network::operation::read);
  }

  [[nodiscard]] transport_guard::clock::time_point since() const { return since_; }

  enum class standing : std::uint8_t { silent, admitted, gone };
  standing state = standing::gone;  ///< of an accepted one; the guard's

protected:
  void detach_from(caf::io::abstract_broker* broker) override {
    guard_->forget(*this);
    scribe_impl::detach_from(broker);
  }

private:
  /// Above all numbers of sockets.
  [[nodiscard]] static caf::io::connection_handle next_handle() {
    static std::atomic<std::int64_t> last{std::int64_t{1} << 32};
    return caf::io::connection_handle::from_int(++last);
  }

  [[nodiscard]] frame_place place() const {
    if (shaken_)
      return frame_place::later;
    return from_ == origin::accepted ? frame_place::first_of_dialler : frame_place::first_of_listener;
  }

  void read_on(std::size_t bytes) {
    scribe_impl::configure_read(
        caf::io::receive_policy::exactly(std::min<std::size_t>(bytes, frame_bytes_trusted)));
  }

  bool consume_piece(caf::execution_unit* context, std::size_t size) {
    const auto& piece = rd_buf();
    whole_.insert(whole_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
    missing_ -= size;
    if (missing_ > 0) {
      read_on(missing_);
      return true;
    }
    in_payload_ = false;
    rd_buf().swap(whole_);
    whole_ = {};
    const auto ok = pass_on(context, rd_buf().data(), rd_buf().size());
    // The next one is probably short.
    caf::byte_buffer{}.swap(rd_buf());
    return ok;
  }

  bool pass_on(caf::execution_unit* context, const void* bytes, std::size_t size) {
    const auto first = !shaken_;
    shaken_ = true;
    if (first && from_ == origin::accepted && !guard_->admit(*this))
      return refuse("as many nodes are connected as this node takes");
    const auto from = first ? address() : std::string{};
    const auto ok = scribe_impl::consume(context, bytes, size);
    // The one that dialled ends a second connection to a node by itself.
    if (first && from_ == origin::accepted && detached())
      guard_->complain(from, "its handshake cannot be read");
    return ok;
  }

  bool refuse(const std::string& why) {
    guard_->complain(address(), why);
    end();
    return false;
  }

  const std::shared_ptr<transport_guard> guard_;
  const origin from_;
  const transport_guard::clock::time_point since_ = transport_guard::clock::now();
  bool shaken_ = false;      ///< the first frame was a handshake
  bool in_payload_ = false;  ///< what comes next is not a head
  std::size_t missing_ = 0;  ///< of a long payload
  caf::byte_buffer whole_;   ///< what has come of it
};

/// Accepts connections of other nodes.
class guarded_doorman final : public network::doorman_impl {
public:
  guarded_doorman(network::default_multiplexer& multiplexer, int socket,
                  std::shared_ptr<transport_guard> guard)
      : doorman_impl(multiplexer, socket), guard_(std::move(guard)) {}

  bool new_connection() override {
    if (detached())
      return false;
    auto& multiplexer = acceptor_.backend();
    const auto socket = acceptor_.accepted_socket();
    static_cast<void>(network::keepalive(socket, true));
    auto scribe =
        caf::make_counted<guarded_scribe>(multiplexer, socket, guard_, guarded_scribe::origin::accepted);
    guard_->arrived(scribe);
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&multiplexer, handle);
  }

private:
  const std::shared_ptr<transport_guard> guard_;
};

transport_guard::transport_guard(caf::actor_system& system, std::size_t connections_max, log_function log)
    : system_(system), connections_max_(connections_max), log_(std::move(log)) {}

transport_guard::~transport_guard() = default;

std::uint16_t transport_guard::publish(const caf::strong_actor_ptr& door,
                                       const std::set<std::string>& signatures, const std::string& host,
                                       std::uint16_t port) {
  // Binding may reuse the address of a killed process; a second listener is still refused.
  const auto socket = network::new_tcp_acceptor_impl(port, host.c_str(), true);
  if (!socket)
    return 0;
  caf::io::doorman_ptr doorman =
      caf::make_counted<guarded_doorman>(multiplexer_of(system_), *socket, shared_from_this());
  const auto bound = doorman->port();
  caf::anon_send(basp_of(system_), caf::publish_atom_v, std::move(doorman), bound, door, signatures);
  return bound;
}

caf::strong_actor_ptr transport_guard::shake_hands(int socket, std::uint16_t port,
                                                   std::chrono::milliseconds within,
                                                   std::set<std::string>& interface) {
  static_cast<void>(network::keepalive(socket, true));
  caf::io::scribe_ptr scribe = caf::make_counted<guarded_scribe>(
      multiplexer_of(system_), socket, shared_from_this(), guarded_scribe::origin::dialled);
  caf::strong_actor_ptr result;
  caf::scoped_actor self{system_};
  // CAF's own way to dial waits for ever; a frozen peer must not hold up our stopping.
  self->request(basp_of(system_), within, caf::connect_atom_v, std::move(scribe), port)
      .receive(
          [&](const caf::node_id&, caf::strong_actor_ptr& door, std::set<std::string>& signatures) {
            result = std::move(door);
            interface = std::move(signatures);
          },
          [](const caf::error&) {});
  return result;
}

void transport_guard::sweep() {
  if (silent_count_ == 0)
    return;
  system_.middleman().backend().post(
      [self = shared_from_this()] { self->drop_silent(clock::now() - handshake_within); });
}

void transport_guard::arrived(scribe_handle scribe) {
  if (silent_.size() >= silent_max) {
    const auto oldest = silent_.front();
    complain(oldest->address(), "too many connections have not shaken hands, and it was the first of them");
    forget(*oldest);
    oldest->end();
  }
  scribe->state = guarded_scribe::standing::silent;
  silent_.push_back(std::move(scribe));
  silent_count_ = silent_.size();
}

void transport_guard::forget(guarded_scribe& scribe) {
  if (scribe.state == guarded_scribe::standing::silent) {
    silent_.remove_if([&](const auto& s) { return s.get() == &scribe; });
    silent_count_ = silent_.size();
  } else if (scribe.state == guarded_scribe::standing::admitted) {
    --admitted_;
  }
  scribe.state = guarded_scribe::standing::gone;
}

bool transport_guard::admit(guarded_scribe& scribe) {
  if (admitted_ >= connections_max_)
    return false;
  forget(scribe);
  scribe.state = guarded_scribe::standing::admitted;
  ++admitted_;
  return true;
}

void transport_guard::drop_silent(clock::time_point before) {
  while (!silent_.empty() && silent_.front()->since() < before) {
    const auto oldest = silent_.front();
    complain(oldest->address(), "it has not shaken hands in time");
    forget(*oldest);
    oldest->end();
  }
}

void transport_guard::complain(const std::string& address, const std::string& why) {
  const auto line = "refuses a connection of " + address + ": " + why;
  const auto now = clock::now();
  auto found = complaints_.find(line);
  if (found == complaints_.end()) {
    if (complaints_.size() >= complaints_max)
      std::erase_if(complaints_, [&](const auto& c) { return c.second.said + repeat_after < now; });
    if (complaints_.size() >= complaints_max)
      return;
    complaints_.emplace(line, complaint{now, 0});
    log_(severity::warning, line);
  } else if (now < found->second.said + repeat_after) {
    ++found->second.unsaid;
  } else {
    const auto like = found->second.unsaid;
    found->second = {now, 0};
    log_(severity::warning, like == 0 ? line : line + " (and " + std::to_string(like) + " more like it)");
  }
}

}  // namespace quorate
