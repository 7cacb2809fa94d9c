// A role of any class behind one face: what the shell and the simulator drive. See role_host.hpp for making
// one.
#pragma once

#include "actors/journal.hpp"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"

#include <caf/fwd.hpp>

#include <concepts>
#include <memory>

namespace quorate {

class shell_environment;
struct role_identity;

/// A role is a plain class: no clock, thread, file or randomness of its own (DESIGN.md section 4).
///   using out = outbox<messages it sends...>;
///   using handles = messages<messages it takes...>;
///   static constexpr port place;
///   void on(node_id from, const M& message, out& o);      // one per handled message
///   void on(timer_tag tag, out& o);                       // where it sets timers
///   void on(journal_rows rows, out& o);                   // where it reads
///   void recover(const journal_view& saved);              // before anything else; may find nothing
///   void start(out& o);                                   // after recover, before the first message
template <class R>
concept role_class = requires {
  typename R::out;
  typename R::handles;
  { R::place } -> std::convertible_to<port>;
};

/// A role of any class.
class any_role {
public:
  virtual ~any_role() = default;
  [[nodiscard]] virtual port place() const = 0;
  virtual void recover(const journal_view& saved) = 0;
  virtual void start() = 0;
  /// False where the role does not handle this type of message.
  [[nodiscard]] virtual bool on(node_id from, const box& message) = 0;
  virtual void on_timer(timer_tag tag) = 0;
  virtual void on_rows(journal_rows rows) = 0;
  /// What the calls above asked for; the driver runs and empties it after each of them.
  [[nodiscard]] virtual effects& out() = 0;

  /// Moves `self` (this very role, recovered and not yet started) into a typed CAF actor of its own, which
  /// starts it. Not used by the simulator. \pre self.get() == this
  [[nodiscard]] virtual caf::strong_actor_ptr spawn(std::unique_ptr<any_role> self, caf::actor_system& system,
                                                    std::shared_ptr<shell_environment> environment,
                                                    const role_identity& identity) = 0;
};

/// Who a running role is: stamped on what it sends, compared with what it receives.
struct role_identity {
  journal_space space;
  origin self;
  std::vector<member> members;  ///< empty before founding: any node's messages pass
};

/// Runs roles: as CAF actors in a process, as plain objects in the simulator. One per node.
class role_runner {
public:
  virtual ~role_runner() = default;
  /// Takes the role over: calls start, then hands it its messages, timers and rows until the process ends.
  /// \pre it has recovered.
  virtual void run(std::unique_ptr<any_role> role, const role_identity& identity) = 0;
  /// A role that has been running since before the cluster was founded is one of its members now: from here
  /// on it takes what other members send it.
  virtual void adopt(const role_identity& identity) = 0;
};

}  // namespace quorate
