#include "runtime/transport_scribe.hpp"

#include "actors/bytes.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/send.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <limits>

namespace quorate {

namespace network = caf::io::network;

namespace {

// What is read of a long payload at once.
constexpr std::size_t read_bytes_max = 64 * 1024;
// So much is handed to the socket's writer, and may wait unsent in the system.
constexpr std::size_t write_bytes_max = 64 * 1024;
// CAF counts whole frames as signs of life; a long one counts for each of these times in which some of it came.
constexpr std::chrono::milliseconds alive_every{50};
// Who is closed takes what still waits for it within this, or not at all: CAF closes a connection also because its
// other side is silent, and neither such a connection nor the process may live on for it.
constexpr std::chrono::milliseconds last_words_within{1'000};

/// Above all numbers of sockets.
caf::io::connection_handle next_handle() {
  static std::atomic<std::int64_t> last{std::int64_t{1} << 32};
  return caf::io::connection_handle::from_int(++last);
}

std::string_view text_of(const caf::byte_buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

time_point now() {
  return account_now();
}

}  // namespace

guarded_scribe::guarded_scribe(network::default_multiplexer& multiplexer, int socket,
                               std::shared_ptr<transport_guard> guard, origin from)
    : scribe_impl(multiplexer, socket), guard_(std::move(guard)), from_(from), direct_(guard_->budget_),
      pieced_{incoming_frame{guard_->budget_}, incoming_frame{guard_->budget_}} {
  hdl_ = next_handle();
  msg().handle = hdl_;
  stream_.ack_writes(true);
  // Otherwise megabytes would wait in the system, in front of whatever is urgent.
  const auto unsent = static_cast<int>(write_bytes_max);
  ::setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

bool guarded_scribe::consume(caf::execution_unit* context, const void* bytes, std::size_t size) {
  if (detached())
    return false;
  const std::string_view text{static_cast<const char*>(bytes), size};
  if (piece_)
    return consume_piece(context, text);
  return direct_.head() ? consume_payload(context, size) : consume_head(context, text);
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

peer_standing guarded_scribe::standing() const {
  if (!speaker_)
    return peer_standing::stranger;
  // A client has chosen itself to whom it listens.
  return parties_.side == transport_side::client ? peer_standing::member : speaker_->standing.load();
}

// --- what comes in
// -----------------------------------------------------------------------------------------------

bool guarded_scribe::consume_head(caf::execution_unit* context, std::string_view bytes) {
  if (bytes.size() != frame_head_bytes)
    return refuse("its frames are out of step");
  const auto head = read_frame_head(bytes);
  if (const auto fault = fault_of(head, place()))
    return refuse(*fault);
  switch (head.operation) {
  case operation::taken:
    if (!queue_.acknowledged(head.data, now()))
      return refuse("it acknowledges what it was not sent");
    publish_account();
    pump();
    return sign_of_life(context);
  case operation::heartbeat:
    return scribe_impl::consume(context, bytes.data(), bytes.size());
  case operation::piece:
    // All that a stranger may say is short.
    if (standing() == peer_standing::stranger)
      return refuse("it sends a long message before it has introduced itself");
    piece_ = head;
    piece_left_ = head.payload_bytes;
    read_on(piece_left_);
    return true;
  default:
    direct_.begin(head, bytes);
    read_on(direct_.missing());
    return true;
  }
}

bool guarded_scribe::consume_payload(caf::execution_unit* context, std::size_t size) {
  std::optional<std::string> fault;
  if (size == direct_.head()->payload_bytes) {
    rd_buf().resize(size);
    direct_.take_whole(rd_buf());
    fault = decide(direct_);
  } else {
    fault = fill(direct_, text_of(rd_buf()).substr(0, size));
  }
  if (fault)
    return refuse(*fault);
  if (direct_.missing() == 0)
    return finish(direct_, context);
  if (!sign_of_life(context))
    return false;
  read_on(direct_.missing());
  return true;
}

bool guarded_scribe::consume_piece(caf::execution_unit* context, std::string_view bytes) {
  auto& frame = pieced_[piece_->data - static_cast<std::uint64_t>(urgency::bulk)];
  piece_left_ -= bytes.size();
  pieces_in_ += bytes.size();
  if (!frame.head()) {
    const auto some = bytes.substr(0, frame_head_bytes - piece_frame_.size());
    piece_frame_ += some;
    bytes.remove_prefix(some.size());
    if (piece_frame_.size() == frame_head_bytes) {
      const auto head = read_frame_head(piece_frame_);
      if (const auto fault = fault_of(head, frame_place::later))
        return refuse(*fault);
      if (head.operation != operation::direct_message)
        return refuse("its frames are out of step");
      frame.begin(head, piece_frame_);
      piece_frame_.clear();
    }
  }
  if (bytes.size() > frame.missing())
    return refuse("its frames are out of step");
  if (!bytes.empty())
    if (const auto fault = fill(frame, bytes))
      return refuse(*fault);
  if (speaker_ && frame.head()) {
    auto& account = *speaker_->account;
    (&frame == pieced_.data() ? account.bulk : account.background)
        .came(now(), frame.missing() == 0, frame.missing() > 0 || (piece_->flags & more_pieces_flag) != 0);
  }
  if (piece_left_ > 0) {
    read_on(piece_left_);
    return sign_of_life(context);
  }
  const auto last = (piece_->flags & last_piece_flag) != 0;
  piece_.reset();
  if (!frame.head() || last != (frame.missing() == 0))
    return refuse("its frames are out of step");
  write_taken();
  read_head();
  publish_account();
  return last ? finish(frame, context) : sign_of_life(context);
}

std::optional<std::string> guarded_scribe::fill(incoming_frame& frame, std::string_view bytes) {
  if (!frame.add(bytes, standing()))
    return "all frames that are being received take as much memory as they may";
  if (frame.what == incoming_frame::plan::undecided &&
      (frame.missing() == 0 || frame.payload().size() >= frame_prefix_bytes))
    return decide(frame);
  return std::nullopt;
}

std::optional<std::string> guarded_scribe::decide(incoming_frame& frame) {
  if (!speaker_) {
    frame.what = incoming_frame::plan::pass;
    return begin(frame.payload());
  }
  parties_.handshake = guard_->handshake_.load();
  const auto verdict = judge(*frame.head(), frame.payload(), parties_, standing());
  if (verdict.what == frame_verdict::fate::refuse)
    return verdict.why;
  if (verdict.what == frame_verdict::fate::pass)
    frame.what = incoming_frame::plan::pass;
  else
    frame.swallow();
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

bool guarded_scribe::finish(incoming_frame& frame, caf::execution_unit* context) {
  if (frame.what == incoming_frame::plan::swallow) {
    frame.done();
    read_head();
    return true;
  }
  const auto from = speaker_ ? std::string{} : address();
  if (!speaker_)
    speaker_ = guard_->speaks(parties_.peer);
  const auto ok = hand_over(frame, context);
  // The one that dialled ends a second connection to a node by itself.
  if (!from.empty() && from_ == origin::accepted && detached())
    guard_->complain(from, "its handshake cannot be read");
  return ok;
}

bool guarded_scribe::hand_over(incoming_frame& frame, caf::execution_unit* context) {
  rd_buf().swap(frame.head_bytes());
  auto ok = scribe_impl::consume(context, rd_buf().data(), rd_buf().size()) && !detached();
  rd_buf().swap(frame.head_bytes());
  if (ok) {
    rd_buf().swap(frame.payload_bytes());
    ok = scribe_impl::consume(context, rd_buf().data(), rd_buf().size());
    rd_buf().swap(frame.payload_bytes());
  }
  frame.done();
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

void guarded_scribe::read_on(std::size_t bytes) {
  configure_read(caf::io::receive_policy::at_most(std::min(bytes, read_bytes_max)));
}

void guarded_scribe::read_head() {
  configure_read(caf::io::receive_policy::exactly(frame_head_bytes));
}

// --- what goes out
// -----------------------------------------------------------------------------------------------

void guarded_scribe::flush() {
  // External clients want all messages in the order in which they were sent: a short one goes behind long
  // ones that still wait, and never as a piece where none does, since strangers may not send any.
  const auto in_order =
      speaker_ && (parties_.side == transport_side::client || standing() == peer_standing::client);
  std::size_t at = 0;
  while (staged_.size() - at >= frame_head_bytes) {
    const auto rest = text_of(staged_).substr(at);
    const auto head = read_frame_head(rest.substr(0, frame_head_bytes));
    const auto size = frame_head_bytes + head.payload_bytes;
    if (size > rest.size())
      break;  // CAF could not write a message: nothing of it is of use
    auto how = urgency_of(rest.substr(0, size));
    if (in_order && how == urgency::now && queue_.waits(urgency::bulk) &&
        head.operation == operation::direct_message)
      how = urgency::bulk;
    const auto begin = staged_.begin() + static_cast<std::ptrdiff_t>(at);
    at += size;
    if (how == urgency::now && queue_.empty() && unwritten_ < write_bytes_max) {
      stream_.wr_buf().insert(stream_.wr_buf().end(), begin, begin + static_cast<std::ptrdiff_t>(size));
      unwritten_ += size;
    } else if (size == staged_.size()) {
      queue_.push(how, std::move(staged_));
      staged_ = {};
      break;
    } else {
      queue_.push(how, {begin, begin + static_cast<std::ptrdiff_t>(size)});
    }
  }
  staged_.clear();
  publish_account();
  pump();
}

void guarded_scribe::pump() {
  auto& out = stream_.wr_buf();
  for (auto size = out.size(); unwritten_ < write_bytes_max && queue_.take(now(), out); size = out.size())
    unwritten_ += out.size() - size;
  if (!out.empty())
    scribe_impl::flush();
}

void guarded_scribe::data_transferred(caf::execution_unit*, std::size_t, std::size_t remaining) {
  unwritten_ = remaining;
  if (!detached())
    pump();
}

void guarded_scribe::graceful_shutdown() {
  // The system takes what it can, and ends the connection where the other side does not.
  const auto fd = stream_.fd();
  const auto unsent = std::numeric_limits<int>::max();
  const auto within = static_cast<unsigned>(last_words_within.count());
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &within, sizeof(within));
  queue_.take_all(now(), stream_.wr_buf());
  scribe_impl::flush();
  scribe_impl::graceful_shutdown();
}

void guarded_scribe::write_taken() {
  const auto head = head_text({.operation = operation::taken, .data = pieces_in_});
  for (const auto c : head)
    staged_.push_back(static_cast<caf::byte>(c));
  flush();
}

void guarded_scribe::publish_account() {
  if (!speaker_)
    return;
  auto& account = *speaker_->account;
  account.handed = queue_.handed(urgency::bulk);
  account.taken = queue_.taken(urgency::bulk);
  account.background_on_its_way = queue_.handed(urgency::background) != queue_.taken(urgency::background);
}

bool guarded_scribe::refuse(const std::string& why) {
  guard_->complain(address(), why);
  end();
  return false;
}

}  // namespace quorate
