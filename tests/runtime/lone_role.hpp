// One role by itself: told what a test tells it, asked what it wants.
#pragma once

#include "actors/journal.hpp"
#include "actors/outbox.hpp"
#include "actors/prng.hpp"
#include "tests/runtime/wanted_text.hpp"

#include <concepts>
#include <utility>

namespace quorate::testing {

/// Drives a role class by hand. Each call returns the role's effects as text and keeps them for `sent` until
/// the next call.
template <class R>
class lone_role {
public:
  template <class... Args>
  requires std::constructible_from<R, Args...>
  explicit lone_role(Args&&... args) : role(std::forward<Args>(args)...) { out_.set_prng(random_); }

  template <class M>
  std::string on(node_id from, const M& message) {
    out_.clear();
    role.on(from, message, out_);
    return wanted_text(out_);
  }
  std::string start() {
    out_.clear();
    role.start(out_);
    return wanted_text(out_);
  }
  std::string tick(std::uint64_t tag = 1) {
    out_.clear();
    role.on(timer_tag{tag}, out_);
    return wanted_text(out_);
  }
  std::string rows(journal_rows found) {
    out_.clear();
    role.on(std::move(found), out_);
    return wanted_text(out_);
  }
  /// What the role draws from now on.
  void seed(std::uint64_t s) { random_ = prng{s}; }
  void pass(duration time) { out_.set_now(out_.now() + time); }
  [[nodiscard]] time_point now() const { return out_.now(); }

  /// Every message of this type that the last call sent, in order.
  template <class M>
  [[nodiscard]] std::vector<M> sent() const {
    std::vector<M> found;
    for (const auto& e : out_.list())
      if (const auto* send = std::get_if<send_effect>(&e))
        if (const auto* m = send->message.template get<M>())
          found.push_back(*m);
    return found;
  }
  /// To whom the first message of this type went.
  template <class M>
  [[nodiscard]] std::vector<node_id> sent_to() const {
    for (const auto& e : out_.list())
      if (const auto* send = std::get_if<send_effect>(&e))
        if (send->message.template get<M>())
          return send->to;
    return {};
  }
  template <class E>
  [[nodiscard]] std::vector<E> wanted() const {
    std::vector<E> found;
    for (const auto& e : out_.list())
      if (const auto* x = std::get_if<E>(&e))
        found.push_back(*x);
    return found;
  }
  /// What the last call noted, one per line.
  [[nodiscard]] std::string notes() const {
    std::string found;
    for (const auto& n : wanted<note_effect>())
      found += (found.empty() ? "" : "\n") + n.text;
    return found;
  }
  /// The saves and erasures of the last call, as a journal takes them.
  [[nodiscard]] std::vector<journal_op> ops(const journal_space& space) const {
    std::vector<journal_op> found;
    for (const auto& e : out_.list()) {
      if (const auto* save = std::get_if<save_effect>(&e))
        found.push_back({space.prefix() + save->key, save->value, save->batch, false});
      else if (const auto* erase = std::get_if<erase_effect>(&e))
        found.push_back({space.prefix() + erase->from, space.prefix() + erase->to, std::nullopt, true});
    }
    return found;
  }
  [[nodiscard]] const std::vector<effect>& effects() const { return out_.list(); }

private:
  prng random_{7};
  typename R::out out_;

public:
  R role;
};

[[nodiscard]] inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace quorate::testing
