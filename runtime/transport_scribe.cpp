#include "runtime/transport_scribe.hpp"

#include "actors/bytes.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/send.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <atomic>

namespace quorate {

namespace network = caf::io::network;

namespace {

// What comes of a long payload at once.
constexpr std::size_t piece_bytes = 64 * 1024;
// CAF counts whole frames as signs of life; a long one counts for each of these times in which some of it came.
constexpr std::chrono::milliseconds alive_every{50};

/// Above all numbers of sockets.
caf::io::connection_handle next_handle() {
  static std::atomic<std::int64_t> last{std::int64_t{1} << 32};
  return caf::io::connection_handle::from_int(++last);
}

std::string_view text_of(const caf::byte_buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

guarded_scribe::guarded_scribe(network::default_multiplexer& multiplexer, int socket,
                               std::shared_ptr<transport_guard> guard, origin from)
    : scribe_impl(multiplexer, socket), guard_(std::move(guard)), from_(from) {
  hdl_ = next_handle();
  msg().handle = hdl_;
}

bool guarded_scribe::consume(caf::execution_unit* context, const void* bytes, std::size_t size) {
  if (detached())
    return false;
  return head_ ? consume_piece(context, size)
               : consume_head(context, {static_cast<const char*>(bytes), size});
}

std::string guarded_scribe::address() const {
  const auto host = addr();
  return host.empty() ? "a closed connection" : host;
}

void guarded_scribe::end() {
  ::shutdown(stream_.fd(), SHUT_RDWR);
  io_failure(&stream_.backend(), network::operation::read);
}

void guarded_scribe::detach_from(caf::io::abstract_broker* broker) {
  drop_kept();
  guard_->forget(*this);
  if (speaker_) {
    guard_->silence(parties_.peer, *speaker_);
    // CAF keeps an actor for each node id that it has ever seen, for minutes, and a line in a table for ever.
    if (auto* basp = dynamic_cast<caf::io::basp_broker*>(broker)) {
      const auto asks = basp->spawn_servers.find(speaker_->node);
      if (asks != basp->spawn_servers.end()) {
        caf::anon_send_exit(asks->second, caf::exit_reason::user_shutdown);
        basp->spawn_servers.erase(asks);
      }
    }
  }
  scribe_impl::detach_from(broker);
}

frame_place guarded_scribe::place() const {
  if (speaker_)
    return frame_place::later;
  return from_ == origin::accepted ? frame_place::first_of_dialler : frame_place::first_of_listener;
}

bool guarded_scribe::consume_head(caf::execution_unit* context, std::string_view bytes) {
  if (bytes.size() != frame_head_bytes)
    return refuse("its frames are out of step");
  const auto head = read_frame_head(bytes);
  if (const auto fault = fault_of(head, place()))
    return refuse(*fault);
  if (head.payload_bytes == 0)
    return scribe_impl::consume(context, bytes.data(), bytes.size());
  head_ = head;
  head_bytes_.assign(rd_buf().begin(), rd_buf().begin() + frame_head_bytes);
  plan_ = plan::undecided;
  missing_ = head.payload_bytes;
  read_on();
  return true;
}

bool guarded_scribe::consume_piece(caf::execution_unit* context, std::size_t size) {
  missing_ -= size;
  if (missing_ == 0 && whole_.empty() && plan_ == plan::undecided) {
    rd_buf().resize(size);
    whole_.swap(rd_buf());
  } else if (plan_ != plan::swallow && !keep(size)) {
    return refuse("all frames that are being received take as much memory as they may");
  }
  if (plan_ == plan::undecided && (missing_ == 0 || whole_.size() >= frame_prefix_bytes)) {
    if (const auto fault = decide(text_of(whole_)))
      return refuse(*fault);
    if (plan_ == plan::swallow)
      drop_kept();
  }
  if (missing_ == 0)
    return finish(context);
  if (!sign_of_life(context))
    return false;
  read_on();
  return true;
}

/// Memory follows what has come: never more than twice as much.
bool guarded_scribe::keep(std::size_t size) {
  if (whole_.size() + size > taken_) {
    const auto wanted = std::min<std::size_t>(head_->payload_bytes, 2 * (whole_.size() + size));
    if (taken_ == 0)
      taken_as_ = speaker_ ? speaker_->standing.load() : peer_standing::stranger;
    if (!guard_->budget_.take(taken_as_, wanted - taken_))
      return false;
    taken_ = wanted;
    whole_.reserve(wanted);
  }
  const auto& piece = rd_buf();
  whole_.insert(whole_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
  return true;
}

void guarded_scribe::drop_kept() {
  guard_->budget_.give_back(taken_as_, taken_);
  if (taken_ > 0)
    caf::byte_buffer{}.swap(whole_);
  whole_.clear();
  taken_ = 0;
}

std::optional<std::string> guarded_scribe::decide(std::string_view prefix) {
  if (!speaker_) {
    plan_ = plan::pass;
    return begin(prefix);
  }
  parties_.handshake = guard_->handshake_.load();
  const auto verdict = judge(*head_, prefix, parties_, speaker_->standing.load());
  if (verdict.what == frame_verdict::fate::refuse)
    return verdict.why;
  plan_ = verdict.what == frame_verdict::fate::pass ? plan::pass : plan::swallow;
  return std::nullopt;
}

std::optional<std::string> guarded_scribe::begin(std::string_view handshake) {
  const auto node = handshake_node(handshake, place());
  if (!node)
    return "its handshake cannot be read";
  parties_.side = guard_->side_;
  parties_.self = guard_->self_;
  parties_.peer = *node;
  const auto accepted = from_ == origin::accepted;
  if (accepted && (*node == parties_.self || guard_->is_connected(parent(), *node)))
    return "it says that it is a node that is connected already";
  if (accepted && !guard_->admit(*this))
    return "as many nodes are connected as this node takes";
  return std::nullopt;
}

bool guarded_scribe::finish(caf::execution_unit* context) {
  if (plan_ == plan::swallow) {
    head_.reset();
    read_head();
    return true;
  }
  const auto from = speaker_ ? std::string{} : address();
  if (!speaker_)
    speaker_ = guard_->speaks(parties_.peer);
  const auto ok = hand_over(context);
  // The one that dialled ends a second connection to a node by itself.
  if (!from.empty() && from_ == origin::accepted && detached())
    guard_->complain(from, "its handshake cannot be read");
  return ok;
}

bool guarded_scribe::hand_over(caf::execution_unit* context) {
  head_.reset();
  rd_buf().swap(head_bytes_);
  auto ok = scribe_impl::consume(context, rd_buf().data(), rd_buf().size()) && !detached();
  rd_buf().swap(head_bytes_);
  if (ok) {
    rd_buf().swap(whole_);
    ok = scribe_impl::consume(context, rd_buf().data(), rd_buf().size());
    rd_buf().swap(whole_);
  }
  drop_kept();
  return ok;
}

bool guarded_scribe::sign_of_life(caf::execution_unit* context) {
  const auto now = transport_guard::clock::now();
  if (!speaker_ || now < alive_ + alive_every)
    return true;
  alive_ = now;
  caf::byte_buffer beat(frame_head_bytes);
  beat[0] = static_cast<caf::byte>(operation::heartbeat);
  rd_buf().swap(beat);
  return scribe_impl::consume(context, rd_buf().data(), rd_buf().size()) && !detached();
}

void guarded_scribe::read_on() {
  configure_read(caf::io::receive_policy::at_most(std::min(missing_, piece_bytes)));
}

void guarded_scribe::read_head() {
  configure_read(caf::io::receive_policy::exactly(frame_head_bytes));
}

bool guarded_scribe::refuse(const std::string& why) {
  guard_->complain(address(), why);
  end();
  return false;
}

}  // namespace quorate
