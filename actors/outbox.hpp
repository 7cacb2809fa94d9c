// A role's ordered effects.
#pragma once

#include "actors/message.hpp"
#include "actors/prng.hpp"

#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace quorate {

/// A save that refers to a batch: its bytes are stored once per node, under the batch's id, as long as any
/// saved key refers to it.
struct batch_ref {
  batch_id id;
  payload body;
};

/// Store `value` under `key` of the role's own key space.
struct save_effect {
  std::string key;
  std::string value;
  std::optional<batch_ref> batch;
  bool lazy = false;  ///< holds nothing back; rides with the next sync
};

/// Drop every key in [from, to).
struct erase_effect {
  std::string from;
  std::string to;
};

/// Send `message` to a role of each node in `to`.
struct send_effect {
  std::vector<node_id> to;
  box message;
  bool now = false;  ///< does not wait for earlier saves
};

struct timer_effect {
  timer_tag tag;
  duration after;
};

struct cancel_effect {
  timer_tag tag;
};

/// Read saved rows of the role's own key space without blocking it: answered by `journal_rows`.
struct read_effect {
  token id;
  std::string from;
  std::string to;  ///< exclusive
  std::size_t bytes_max = 0;
};

enum class severity : std::uint8_t { debug, info, warning, error };

struct note_effect {
  severity level;
  std::string text;
};

using effect = std::variant<save_effect, erase_effect, send_effect, timer_effect, cancel_effect, read_effect,
                            note_effect>;

[[nodiscard]] std::string text(const effect& e);

/// A saved row, read back.
struct journal_row {
  std::string key;
  std::string value;
  std::optional<batch_ref> batch;
};

/// The answer to `outbox::read`, handed to the role that asked.
struct journal_rows {
  token id;
  std::vector<journal_row> rows;
  bool complete = true;  ///< false: cut at bytes_max, there is more
};

/// What a role wants to happen, in order. The driver (shell or simulator) runs it after each call of the
/// role. Not for direct use: a role sees it as `outbox<Messages it may send...>`.
class effects {
public:
  /// Store under the role's own key space. Everything sent or delivered later waits until this is durable.
  void save(std::string key, std::string value) {
    list_.emplace_back(save_effect{std::move(key), std::move(value), std::nullopt, false});
  }
  void save(std::string key, std::string value, batch_ref batch) {
    list_.emplace_back(save_effect{std::move(key), std::move(value), std::move(batch), false});
  }
  /// Store with the next sync; holds nothing back. Its loss must be re-derivable.
  void save_lazy(std::string key, std::string value) {
    list_.emplace_back(save_effect{std::move(key), std::move(value), std::nullopt, true});
  }
  void save_lazy(std::string key, std::string value, batch_ref batch) {
    list_.emplace_back(save_effect{std::move(key), std::move(value), std::move(batch), true});
  }
  /// Drop all keys in [from, to).
  void erase(std::string from, std::string to) {
    list_.emplace_back(erase_effect{std::move(from), std::move(to)});
  }
  /// Answered by a `journal_rows` with the same token, at most `bytes_max` bytes but at least one row.
  void read(token id, std::string from, std::string to, std::size_t bytes_max) {
    list_.emplace_back(read_effect{id, std::move(from), std::move(to), bytes_max});
  }
  /// Fires once, `after` from now; setting a tag again replaces the earlier one.
  void set_timer(timer_tag tag, duration after) { list_.emplace_back(timer_effect{tag, after}); }
  void cancel_timer(timer_tag tag) { list_.emplace_back(cancel_effect{tag}); }
  /// One line per change of state; debug on the hot path.
  void note(severity level, std::string text) { list_.emplace_back(note_effect{level, std::move(text)}); }

  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] quorate::prng& prng() { return *prng_; }

  // For drivers.
  [[nodiscard]] std::vector<effect>& list() { return list_; }
  [[nodiscard]] const std::vector<effect>& list() const { return list_; }
  void clear() { list_.clear(); }
  void set_now(time_point now) { now_ = now; }
  void set_prng(quorate::prng& source) { prng_ = &source; }

  void send_box(std::vector<node_id> to, box message, bool now) {
    list_.emplace_back(send_effect{std::move(to), std::move(message), now});
  }

protected:
  effects() = default;
  ~effects() = default;
  effects(const effects&) = default;
  effects& operator=(const effects&) = default;

private:
  std::vector<effect> list_;
  time_point now_{};
  quorate::prng own_{};
  quorate::prng* prng_ = &own_;
};

template <class M, class... Ms>
concept one_of = (std::same_as<M, Ms> || ...);

/// The effects of a role that may send the messages `Ms`. Where a message goes within a node is decided by
/// its type: `destination_of`.
template <class... Ms>
class outbox : public effects {
public:
  using sends = messages<Ms...>;

  outbox() = default;
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;

  /// Sends once every earlier save of this role is durable; loss is silence.
  template <class M>
  requires one_of<M, Ms...>
  void send(node_id to, M message) { send_box({to}, box::of(std::move(message)), false); }
  template <class M>
  requires one_of<M, Ms...>
  void send(std::span<const node_id> to, M message) {
    send_box({to.begin(), to.end()}, box::of(std::move(message)), false);
  }
  /// Sends at once. Each use says why the message reveals nothing that is not durable.
  template <class M>
  requires one_of<M, Ms...>
  void send_now(node_id to, M message) { send_box({to}, box::of(std::move(message)), true); }
  template <class M>
  requires one_of<M, Ms...>
  void send_now(std::span<const node_id> to, M message) {
    send_box({to.begin(), to.end()}, box::of(std::move(message)), true);
  }
};

/// The effects as text, one per line: what tests compare and transcripts hold.
[[nodiscard]] std::string text(const effects& e);

}  // namespace quorate
