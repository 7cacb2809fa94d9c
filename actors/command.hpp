// Commands, and the batches that protocols order.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "actors/payload.hpp"

#include <optional>
#include <vector>

namespace quorate {

enum class command_kind : std::uint8_t {
  machine = 0,       ///< for the state machine
  open_session = 1,  ///< opens a session; id.number is a nonce by which the opener knows its answer
};

/// A client's operation on its way in.
struct command {
  command_id id;
  std::uint64_t done_below = 0;  ///< the client has the outcomes of all its sequences below this
  command_kind kind = command_kind::machine;
  std::string key;  ///< routing key, at most limits::key_bytes_max
  payload body;     ///< for the state machine

  /// Bytes that it takes in a batch.
  [[nodiscard]] std::size_t size() const { return key.size() + body.size() + 32; }
};

template <class Inspector>
bool inspect(Inspector& f, command_kind& x) {
  auto raw = static_cast<std::uint8_t>(x);
  if (!f.apply(raw))
    return false;
  x = static_cast<command_kind>(raw);
  return true;
}

template <class Inspector>
bool inspect(Inspector& f, command& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("done_below", x.done_below), f.field("kind", x.kind),
                            f.field("key", x.key), f.field("body", x.body));
}

/// A command inside a batch: its texts point into the batch's bytes.
struct command_view {
  command_id id;
  std::uint64_t done_below = 0;
  command_kind kind = command_kind::machine;
  std::string_view key;
  std::string_view body;
};

/// The value that a protocol orders. An empty body is a no-op: it is chosen like any other and never
/// delivered.
struct batch {
  batch_id id;
  payload body;
  [[nodiscard]] bool is_noop() const { return body.empty(); }
};

template <class Inspector>
bool inspect(Inspector& f, batch& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("body", x.body));
}

/// Serializes commands once, for the whole way: version, count, then the commands, little-endian.
/// \pre not empty, at most limits::batch_commands_max.
[[nodiscard]] payload encode_commands(const std::vector<command>& commands);

/// The commands in a batch's bytes, pointing into them; nothing where the bytes are not a batch.
[[nodiscard]] std::optional<std::vector<command_view>> decode_commands(std::string_view bytes);

/// What became of a command, on its way back.
struct outcome {
  command_id id;
  errc code = errc::ok;
  payload body;  ///< the state machine's answer, or a sentence where code is not ok
};

template <class Inspector>
bool inspect(Inspector& f, errc& x) {
  auto raw = static_cast<std::uint8_t>(x);
  if (!f.apply(raw))
    return false;
  x = static_cast<errc>(raw);
  return true;
}

template <class Inspector>
bool inspect(Inspector& f, outcome& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("code", x.code), f.field("body", x.body));
}

}  // namespace quorate
