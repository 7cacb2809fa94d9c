// One running role of a simulated node.
#pragma once

#include "actors/gate.hpp"
#include "actors/role.hpp"
#include "tests/harness/check.hpp"

#include <deque>
#include <map>

namespace quorate::testing {

/// Where a role is found within a node; roles that outlive epochs have epoch 0.
struct role_address {
  group_id group;
  epoch_id epoch;
  port role = port::node;
  friend constexpr auto operator<=>(const role_address&, const role_address&) = default;
};

/// Where messages of this type go, when a role of this space sends them.
[[nodiscard]] inline role_address address_of(port to, const journal_space& sender) {
  const auto epochal = to == port::proposer || to == port::acceptor || to == port::learner;
  return {sender.group, epochal ? sender.epoch : epoch_id{}, to};
}

class sim_role;

/// What a role needs of its node.
class role_home {
public:
  virtual ~role_home() = default;
  virtual void write(sim_role& by, std::vector<journal_op> ops, bool sync, std::uint64_t ticket) = 0;
  virtual void send(sim_role& by, send_effect&& effect) = 0;
  virtual void set_timer(sim_role& by, timer_tag tag, duration after, std::uint64_t generation) = 0;
  virtual void read(sim_role& by, read_effect&& effect) = 0;
  virtual void note(sim_role& by, note_effect&& effect) = 0;
  virtual void trace(sim_role& by, const std::string& what) = 0;
  [[nodiscard]] virtual bool tracing() const = 0;
  /// How many writes of this node would survive a crash, and how many there are.
  [[nodiscard]] virtual std::uint64_t durable_writes() const = 0;
  [[nodiscard]] virtual std::uint64_t all_writes() const = 0;
  virtual void broken(std::string_view check, const std::string& why) = 0;
  [[nodiscard]] virtual time_point clock() const = 0;
};

/// A role, its gate and its timers. Knows, apart from the gate, which sends must wait for which writes: what
/// the gate lets out too early is a failure.
class sim_role : public effect_driver {
public:
  sim_role(std::unique_ptr<any_role> role, const role_identity& identity, boot_id boot, std::uint64_t serial,
           role_home& home, prng& random);

  [[nodiscard]] const role_identity& identity() const { return identity_; }
  [[nodiscard]] const place& where() const { return where_; }
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  [[nodiscard]] bool counts(const origin& from) {
    return filter_.check(from) == origin_filter::verdict::pass;
  }

  void start();
  void adopt(const role_identity& identity) {
    identity_ = identity;
    filter_ = origin_filter{identity.self, identity.members};
  }
  void take(node_id from, const box& message);
  /// A timer of this generation is due; nothing where it was set again or cancelled since.
  void fire(timer_tag tag, std::uint64_t generation);
  void rows(journal_rows found);
  void durable(std::uint64_t ticket) { gate_.durable(ticket, *this); }

  void write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) override;
  void send(send_effect&& effect) override;
  void set_timer(const timer_effect& effect) override;
  void cancel_timer(const cancel_effect& effect) override { timers_.erase(effect.tag); }
  void read(read_effect&& effect) override { home_.read(*this, std::move(effect)); }
  void note(note_effect&& effect) override { home_.note(*this, std::move(effect)); }

private:
  void before();
  void after();
  void expect_sends();

  std::unique_ptr<any_role> role_;
  role_identity identity_;
  place where_;
  std::uint64_t serial_;
  role_home& home_;
  gate gate_;
  origin_filter filter_;
  std::map<timer_tag, std::uint64_t> timers_;
  std::uint64_t generations_ = 0;
  /// For every send that has not left: the number of the node's write that must be durable first.
  std::deque<std::uint64_t> waits_for_;
  std::uint64_t last_save_ = 0;  ///< number of the newest write of this role that holds sends back
};

}  // namespace quorate::testing
