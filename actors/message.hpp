// A message of any type on its way between roles, and which role it is for.
#pragma once

#include "actors/ids.hpp"
#include "actors/payload.hpp"

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace quorate {

/// The roles of a node. A message type belongs to exactly one: `destination_of`.
enum class port : std::uint8_t {
  node,        ///< assembles and supervises the others
  founding,    ///< agrees on who the members are
  membership,  ///< heartbeats and suspicion
  gateway,     ///< the thin outermost edge (HTTP, an embedding program, a simulated client)
  edge,        ///< sessions, deadlines and limits of this node's clients
  replica,     ///< log, state machine, sessions
  proposer,    ///< gets batches chosen
  acceptor,    ///< votes
  learner,     ///< learns what is chosen and puts it in order
  sync,        ///< brings a lagging replica up to date
  reader,      ///< runs queries on frozen views
  desk,        ///< takes in commands of clients that are no nodes
  balancer,    ///< picks the node that is to take a command
};

[[nodiscard]] std::string_view to_string(port p);

/// The map: which role a message of type `M` is for. Specialised beside every message type.
template <class M>
inline constexpr port destination_of = port::node;

/// A list of message types.
template <class... Ms>
struct messages {};

template <class M>
concept protobuf_message = std::derived_from<M, google::protobuf::Message>;

/// Names and texts for logs, transcripts and tests. Protobuf messages get theirs from the descriptor; plain
/// structs have a static `name` and a free function `text`.
template <class M>
[[nodiscard]] std::string name_of() {
  if constexpr (protobuf_message<M>)
    return M::descriptor()->name();
  else
    return std::string{M::name};
}

template <protobuf_message M>
[[nodiscard]] std::string text(const M& m) {
  return M::descriptor()->name() + "{" + m.ShortDebugString() + "}";
}

template <class M>
[[nodiscard]] std::string text(const with_payload<M>& m) {
  return text(m.head) + "+" + std::to_string(m.body.size());
}

template <class M>
struct head_of {
  using type = M;
};
template <class M>
struct head_of<with_payload<M>> {
  using type = M;
};

/// About how many bytes a message takes on the wire: for flow control only.
template <protobuf_message M>
[[nodiscard]] std::size_t wire_size(const M& m) {
  return m.ByteSizeLong() + 64;
}
template <class M>
[[nodiscard]] std::size_t wire_size(const with_payload<M>& m) {
  return wire_size(m.head) + m.body.size();
}

/// What is known of a message type at run time. One object per type; compared by address.
struct message_type {
  std::string name;
  port to;
  std::string (*text)(const void*);
  std::size_t (*wire_size)(const void*);
};

namespace detail {

template <class M>
std::string text_of(const void* m) {
  return text(*static_cast<const M*>(m));
}
template <class M>
std::size_t wire_size_of(const void* m) {
  return wire_size(*static_cast<const M*>(m));
}

}  // namespace detail

template <class M>
[[nodiscard]] const message_type* type_of() {
  static const message_type type{name_of<typename head_of<M>::type>(), destination_of<M>, &detail::text_of<M>,
                                 &detail::wire_size_of<M>};
  return &type;
}

/// A message of any type, immutable and shared: what an outbox, a simulated network or a transcript holds.
class box {
public:
  box() = default;

  template <class M>
  static box of(M message) {
    box result;
    result.type_ = type_of<M>();
    result.data_ = std::make_shared<M>(std::move(message));
    return result;
  }

  [[nodiscard]] const message_type& type() const { return *type_; }
  [[nodiscard]] port to() const { return type_->to; }
  [[nodiscard]] std::string text() const { return type_->text(data_.get()); }
  [[nodiscard]] std::size_t wire_size() const { return type_->wire_size(data_.get()); }
  [[nodiscard]] explicit operator bool() const { return type_ != nullptr; }

  /// The message, or null where it is of another type.
  template <class M>
  [[nodiscard]] const M* get() const {
    return type_ == type_of<M>() ? static_cast<const M*>(data_.get()) : nullptr;
  }

  /// The message itself, moved out where nobody else shares it. \pre it is of type M.
  template <class M>
  [[nodiscard]] M take() {
    auto* m = static_cast<M*>(data_.get());
    if (data_.use_count() == 1)
      return std::move(*m);
    return *m;
  }

private:
  const message_type* type_ = nullptr;
  std::shared_ptr<void> data_;
};

}  // namespace quorate
