// The generic CAF shell: runs a role class as a typed actor.
#pragma once

#include "actors/alarm_clock.hpp"
#include "actors/ensure.hpp"
#include "actors/gate.hpp"
#include "actors/links.hpp"
#include "actors/role.hpp"
#include "actors/timers.hpp"
#include "actors/type_ids.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <set>

namespace quorate {

/// The journal's actor: `journal_write` in, `journal_done` back to the role once durable.
using journal_actor = caf::typed_actor<caf::result<void>(journal_write)>;
/// Reads saved rows without blocking the asker: `journal_fetch` in, `journal_rows` back to the role.
using row_reader_actor = caf::typed_actor<caf::result<void>(journal_fetch)>;

/// Lets an actor drop what it does not understand without an answer, and outlive errors that others send.
/// CAF's defaults answer such a message with an error, and an error ends whoever gets it: one message that
/// went astray would leave its sender without that role, and nobody would be told.
void drop_what_is_strange(caf::scheduled_actor* self);

/// What all shells of a node share.
class shell_environment {
public:
  std::shared_ptr<quorate::links> links;
  journal_actor journal;
  row_reader_actor rows;
  /// Null under a deterministic scheduler: then CAF's own clock wakes the roles, and nothing lazy is
  /// gathered.
  std::shared_ptr<alarm_clock> alarms;
  /// One line for the log; `place` is e.g. "acceptor g0 e0".
  std::function<void(severity, std::string_view place, const std::string& line)> log;
  /// A role cannot go on: ends the process with this message. Crash is the only recovery there is.
  std::function<void(const std::string& message)> fatal;
  std::uint64_t seed = 1;   ///< for the roles' randomness
  std::set<port> detached;  ///< roles that may block, and so get a thread of their own
  /// Runs all other roles, where it is set: the network's event loop (io_bound.hpp). Null: CAF's scheduler.
  caf::execution_unit* loop = nullptr;
  /// What the roles point to: it lives as long as any of them. An actor that was told to exit may still
  /// handle what it had fetched from its mailbox before.
  std::vector<std::shared_ptr<const void>> kept;
};

namespace detail {

template <class Handles>
struct interface_of;
template <class... Ms>
struct interface_of<messages<Ms...>> {
  using type = caf::typed_actor<caf::result<void>(origin, Ms)..., caf::result<void>(journal_done),
                                caf::result<void>(journal_rows), caf::result<void>(start_role),
                                caf::result<void>(role_alarm), caf::result<void>(role_identity)>;
};

}  // namespace detail

/// The typed interface of a role class: one signature per message that it handles.
template <class R>
using actor_of = typename detail::interface_of<typename R::handles>::type;

/// The part of a shell that does not depend on the role: runs effects, keeps timers.
class shell_core : public effect_driver {
public:
  shell_core(caf::scheduled_actor* self, std::unique_ptr<any_role> role,
             std::shared_ptr<shell_environment> environment, const role_identity& identity);

  /// Before anything else; does nothing the second time. A role starts with `start_role`, or with a message
  /// of a neighbour that was told earlier.
  void start();
  /// See `role_runner::adopt`.
  void adopt(const role_identity& identity);
  /// True where a message of this origin counts.
  [[nodiscard]] bool accepts(const origin& from, std::size_t wire_size);
  /// Before and after each call of the role.
  void before();
  void after();
  void durable(const journal_done& done);
  void alarmed(time_point at);

  void write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) override;
  void send(send_effect&& effect) override;
  void set_timer(const timer_effect& effect) override;
  void cancel_timer(const cancel_effect& effect) override;
  void read(read_effect&& effect) override;
  void note(note_effect&& effect) override;

  /// Turns a box into a CAF message with our origin in front; set by the typed shell.
  virtual caf::message to_message(box& message) = 0;

protected:
  any_role& role() { return *role_; }
  const origin& stamp() const { return identity_.self; }

private:
  [[nodiscard]] time_point now() const;
  void wake_up();
  void schedule();
  void hand_over(std::vector<journal_op> ops, bool sync, std::uint64_t ticket);

  caf::scheduled_actor* self_;
  std::unique_ptr<any_role> role_;
  std::shared_ptr<shell_environment> environment_;
  role_identity identity_;
  std::string place_;
  quorate::gate gate_;
  origin_filter filter_;
  quorate::prng prng_;
  timers timers_;
  std::optional<time_point> scheduled_;
  std::vector<journal_op> lazy_;  ///< that rides with the next sync
  std::size_t lazy_bytes_ = 0;
  std::optional<time_point> lazy_until_;
  bool started_ = false;
};

/// The state of a role's actor.
template <class R, class Host>
class shell : public shell_core {
public:
  using interface = actor_of<R>;
  static inline const char* name = "role";

  shell(typename interface::pointer self, std::unique_ptr<any_role> role,
        std::shared_ptr<shell_environment> environment, const role_identity& identity)
      : shell_core(self, std::move(role), std::move(environment), identity) {}

  typename interface::behavior_type make_behavior() {
    return behavior(static_cast<typename R::handles*>(nullptr));
  }

  caf::message to_message(box& message) override {
    caf::message result;
    convert(message, result, static_cast<typename R::out::sends*>(nullptr));
    return result;
  }

private:
  template <class... Ms>
  typename interface::behavior_type behavior(messages<Ms...>*) {
    return {handler<Ms>()..., [this](const journal_done& done) { durable(done); },
            [this](const journal_rows& rows) {
              before();
              role().on_rows(rows);
              after();
            },
            [this](const start_role&) { start(); }, [this](const role_alarm& alarm) { alarmed(alarm.at); },
            [this](const role_identity& who) { adopt(who); }};
  }

  template <class M>
  auto handler() {
    return [this](const origin& from, const M& message) {
      if (!accepts(from, from.node == stamp().node ? 0 : wire_size(message)))
        return;
      before();
      static_cast<Host&>(role()).role().on(from.node, message, static_cast<Host&>(role()).typed_out());
      after();
    };
  }

  template <class... Ms>
  void convert(box& message, caf::message& result, messages<Ms...>*) {
    const auto done = (convert_one<Ms>(message, result) || ...);
    ENSURE(done, "a role sends a message that it does not name");
  }
  template <class M>
  bool convert_one(box& message, caf::message& result) {
    if (!message.get<M>())
      return false;
    result = caf::make_message(stamp(), message.take<M>());
    return true;
  }
};

}  // namespace quorate
