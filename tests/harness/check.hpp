// What is watched while a cluster is simulated. A protocol, or a user's state machine, adds its own.
#pragma once

#include "actors/command.hpp"
#include "actors/journal.hpp"
#include "actors/message.hpp"
#include "actors/origin.hpp"
#include "actors/store.hpp"
#include "tests/harness/history.hpp"

#include <functional>
#include <memory>
#include <span>

namespace quorate::testing {

/// A role of one start of one node.
struct place {
  node_id node;
  disk_id disk;
  boot_id boot;
  port role = port::node;
};

[[nodiscard]] inline std::string text(const place& p) {
  return quorate::text(p.node) + "." + std::to_string(p.boot.value) + " " + std::string{to_string(p.role)};
}

/// The first failure of a run, and how many searches for an order of its history had no verdict.
class verdict {
public:
  void fail(std::string_view check, const std::string& why) {
    if (why_.empty())
      why_ = std::string{check} + ": " + why;
  }
  [[nodiscard]] bool failed() const { return !why_.empty(); }
  [[nodiscard]] const std::string& why() const { return why_; }

  /// A check has searched for an order that explains the history; `gave_up`: without a verdict.
  void searched(bool gave_up) {
    ++searches_;
    gave_up_ += gave_up ? 1 : 0;
  }
  [[nodiscard]] std::uint64_t searches() const { return searches_; }
  [[nodiscard]] std::uint64_t gave_up() const { return gave_up_; }

private:
  std::string why_;
  std::uint64_t searches_ = 0;
  std::uint64_t gave_up_ = 0;
};

/// How a node stands when a run has come to its end.
struct node_outcome {
  node_id node;
  bool wiped = false;
  const store* state = nullptr;
};

/// What is left of a run.
struct run_outcome {
  const history* operations = nullptr;
  std::vector<node_outcome> nodes;
};

/// Watches a run; each hook is called right after what it names has happened.
class check {
public:
  explicit check(verdict& result) : result_(result) {}
  virtual ~check() = default;
  check(const check&) = delete;
  check& operator=(const check&) = delete;

  /// By which failures and tests name it.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// A role starts to run.
  virtual void started(const place&) {}
  /// The process of this node ended.
  virtual void crashed(node_id) {}
  /// The node has lost its disk and will start with this one.
  virtual void wiped(node_id, disk_id /*fresh*/) {}
  /// The message left the role, after everything that it had to wait for.
  virtual void sent(const place& /*from*/, const std::vector<node_id>& /*to*/, const box&) {}
  /// A role is about to handle the message.
  virtual void taken(const place& /*by*/, node_id /*from*/, const box&) {}
  /// The same message, where it came from another node: its origin counted.
  virtual void heard(const place& /*by*/, const origin& /*from*/) {}
  /// A state machine is about to execute these commands, as (a part of) the batch at `index`.
  virtual void executed(node_id, log_index, std::span<const command_view>) {}
  /// A replica has brought its state to `index` by changes with this digest (a snapshot: nothing).
  virtual void stored(const place&, log_index, std::optional<std::uint64_t> /*digest*/) {}
  /// That state as a whole has this digest, whichever way it came to be.
  virtual void stands(const place&, log_index, std::uint64_t /*digest*/) {}
  /// What the node's replica has applied below `index` would survive a crash of the node now.
  virtual void durable(node_id, log_index) {}
  virtual void noted(const place&, severity, const std::string&) {}
  /// A client asked, and got an answer (or gave up: nothing).
  virtual void invoked(const operation&) {}
  virtual void returned(const operation&) {}
  /// The faults are over, and what had to end has ended.
  virtual void ended(const run_outcome&) {}

protected:
  void fail(const std::string& why) { result_.fail(name(), why); }
  void searched(bool gave_up) { result_.searched(gave_up); }

private:
  verdict& result_;
};

using check_factory = std::function<std::unique_ptr<check>(verdict&)>;

/// All checks of one run.
class watchers {
public:
  void add(std::unique_ptr<check> one) { list_.push_back(std::move(one)); }

  template <class... Ps, class... As>
  void tell(void (check::*hook)(Ps...), const As&... arguments) {
    for (auto& one : list_)
      (one.get()->*hook)(arguments...);
  }

private:
  std::vector<std::unique_ptr<check>> list_;
};

}  // namespace quorate::testing
