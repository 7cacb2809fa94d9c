// A replica by itself, with a journal and a store that survive its restarts.
#pragma once

#include "actors/bytes.hpp"
#include "runtime/replica.hpp"
#include "runtime/store_keys.hpp"
#include "tests/runtime/lone_role.hpp"
#include "tests/runtime/slow_account.hpp"
#include "tests/runtime/tally_machine.hpp"

#include <memory>

namespace quorate::testing {

inline constexpr node_id n1{1};
inline constexpr node_id n2{2};
inline constexpr node_id n3{3};

/// Node 1 of three. Saves reach the journal at once, lazy ones unsynced; the test flushes the store.
class replica_desk {
public:
  explicit replica_desk(log_limits limits = {}) : limits_(limits) { restart(); }

  /// A new process on the same disk.
  std::string restart() {
    replica_setup setup;
    setup.members = {{n1, "n1", disk_id{1}}, {n2, "n2", disk_id{2}}, {n3, "n3", disk_id{3}}};
    setup.self = n1;
    setup.machine = std::make_shared<tally>();
    setup.state = &state;
    setup.limits = limits_;
    setup.account = account;
    role_ = std::make_unique<lone_role<replica>>(std::move(setup));
    role_->role.recover(*journal.view(space));
    return done(role_->start());
  }
  /// The process dies: `keep` of the unsynced commits survive, the store falls back to its last flush.
  std::string crash(std::size_t keep) {
    journal.crash(keep);
    state.crash();
    return restart();
  }

  template <class M>
  std::string on(node_id from, const M& m) {
    return done(role_->on(from, m));
  }
  std::string tick() { return done(role_->tick()); }
  std::string pass_and_tick(duration time = 100ms) {
    role_->pass(time);
    return tick();
  }
  /// Hands the replica what it last wanted to read.
  std::string read() {
    const auto wanted = role_->wanted<read_effect>();
    journal_rows found{wanted.at(0).id, {}, true};
    journal.view(space)->scan(wanted.at(0).from, wanted.at(0).to, [&](journal_row&& row) {
      found.rows.push_back(std::move(row));
      return true;
    });
    return done(role_->rows(std::move(found)));
  }
  std::string rows(journal_rows found) { return done(role_->rows(std::move(found))); }

  /// The next batch as the learner would deliver it.
  [[nodiscard]] delivered batch_of(const std::vector<command>& commands, std::uint64_t generation = 0) {
    ++batches_;
    return {{{n2, boot_id{1}, batches_}, encode_commands(commands)}, cursor{batches_}, generation};
  }
  std::string deliver(const std::vector<command>& commands, std::uint64_t generation = 0) {
    return on(n1, batch_of(commands, generation));
  }
  /// Batch 0: opens a session.
  session_id open() {
    deliver({open_command(1)});
    return session_id{limits::batch_commands_max};
  }
  /// Batches that count "x", from sequence `from` on.
  void count(session_id session, std::uint64_t from, std::uint64_t to, std::uint64_t generation = 0) {
    for (auto n = from; n < to; ++n)
      deliver({count_command(session, n, "x")}, generation);
  }

  template <class M>
  [[nodiscard]] std::vector<M> sent() const {
    return role_->sent<M>();
  }
  template <class M>
  [[nodiscard]] std::vector<node_id> sent_to() const {
    return role_->sent_to<M>();
  }
  [[nodiscard]] const lone_role<replica>& role() const { return *role_; }
  [[nodiscard]] std::uint64_t next() {
    tick();
    return role_->sent<replica_figures>().at(0).next;
  }
  [[nodiscard]] std::string value_of(std::string_view key) const {
    return state.get(std::string{store_keys::machine} + std::string{key}).value_or("none");
  }
  /// Rows of the log in the journal.
  [[nodiscard]] std::size_t log_rows() const {
    std::size_t out = 0;
    journal.view(space)->scan("l", "m", [&](journal_row&&) { return ++out > 0; });
    return out;
  }
  /// "first..next" of the log that it reports.
  [[nodiscard]] std::string log_range() {
    tick();
    const auto figures = role_->sent<replica_figures>().at(0);
    return std::to_string(figures.log_first) + ".." + std::to_string(figures.next);
  }

  memory_journal journal;
  std::shared_ptr<slow_account> account = std::make_shared<slow_account>();
  memory_store state;
  const journal_space space{group_id{0}, epoch_id{0}, port::replica};

private:
  std::string done(std::string said) {
    auto ops = role_->ops(space);
    bool sync = false;
    for (const auto& save : role_->wanted<save_effect>())
      sync = sync || !save.lazy;
    if (!ops.empty())
      static_cast<void>(journal.commit(std::move(ops), sync));
    return said;
  }

  log_limits limits_;
  std::unique_ptr<lone_role<replica>> role_;
  std::uint64_t batches_ = 0;
};

[[nodiscard]] inline wire::Applied applied(std::uint64_t next, std::uint64_t durable,
                                           std::uint64_t hash = 0) {
  wire::Applied msg;
  msg.set_next(next);
  msg.set_durable(durable);
  msg.set_state_hash(hash);
  return msg;
}

/// The pairs of a whole store, as a snapshot carries them.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> pairs_of(const store_view& view) {
  std::vector<std::pair<std::string, std::string>> out;
  view.scan("", "", [&](std::string_view key, std::string_view value) {
    out.emplace_back(key, value);
    return true;
  });
  return out;
}

}  // namespace quorate::testing
