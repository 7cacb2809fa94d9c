#include "runtime/journal_actor.hpp"

#include "actors/actor_exceptions.hpp"

namespace quorate {

namespace {

// Beyond this a commit is worth its sync whatever still waits.
constexpr std::size_t ops_per_commit = 4'096;

struct writer {
  static inline const char* name = "journal";

  writer(journal_actor::pointer self, journal_actor_setup setup) : self_(self), setup_(std::move(setup)) {}

  journal_actor::behavior_type make_behavior() {
    end_with_exceptions(self_, setup_.fatal, name);
    return {[this](journal_write& msg) {
      std::move(msg.ops.begin(), msg.ops.end(), std::back_inserter(ops_));
      if (msg.sync) {
        sync_ = true;
        waiting_.emplace_back(msg.role, msg.ticket);
      }
      // Whatever waits in the mailbox shares the sync: that is the group commit.
      if (self_->mailbox().empty() || ops_.size() >= ops_per_commit)
        commit();
    }};
  }

  void commit() {
    if (const auto failed = setup_.target->commit(std::move(ops_), sync_)) {
      setup_.fatal("the journal cannot be written: " + failed->message);
      self_->quit(caf::sec::runtime_error);
      return;
    }
    ops_.clear();
    sync_ = false;
    for (const auto& [role, ticket] : waiting_)
      role->enqueue(self_->ctrl(), caf::make_message_id(), caf::make_message(journal_done{ticket}),
                    self_->context());
    waiting_.clear();
  }

private:
  journal_actor::pointer self_;
  journal_actor_setup setup_;
  std::vector<journal_op> ops_;
  std::vector<std::pair<caf::strong_actor_ptr, std::uint64_t>> waiting_;
  bool sync_ = false;
};

struct row_reader {
  static inline const char* name = "row_reader";

  row_reader(row_reader_actor::pointer self, journal_actor_setup setup)
      : self_(self), setup_(std::move(setup)) {}

  row_reader_actor::behavior_type make_behavior() {
    end_with_exceptions(self_, setup_.fatal, name);
    return {[this](const journal_fetch& msg) {
      journal_rows answer{msg.what.id, {}, true};
      const auto prefix = msg.space.prefix();
      std::size_t bytes = 0;
      const auto failed =
          setup_.target->scan(prefix + msg.what.from, prefix + msg.what.to, [&](journal_row&& row) {
            row.key.erase(0, prefix.size());
            bytes += row.key.size() + row.value.size() + (row.batch ? row.batch->body.size() : 0);
            if (!answer.rows.empty() && bytes > msg.what.bytes_max) {
              answer.complete = false;
              return false;
            }
            answer.rows.push_back(std::move(row));
            return true;
          });
      if (failed) {
        setup_.fatal("the journal cannot be read: " + failed->message);
        return;
      }
      msg.role->enqueue(self_->ctrl(), caf::make_message_id(), caf::make_message(std::move(answer)),
                        self_->context());
    }};
  }

private:
  row_reader_actor::pointer self_;
  journal_actor_setup setup_;
};

template <class Actor, class State, class Setup>
Actor spawn_with(caf::actor_system& system, Setup setup) {
  using impl = typename Actor::template stateful_impl<State>;
  return setup.detached ? system.spawn<impl, caf::detached>(std::move(setup))
                        : system.spawn<impl>(std::move(setup));
}

}  // namespace

journal_actor spawn_journal(caf::actor_system& system, journal_actor_setup setup) {
  return spawn_with<journal_actor, writer>(system, std::move(setup));
}

row_reader_actor spawn_row_reader(caf::actor_system& system, journal_actor_setup setup) {
  return spawn_with<row_reader_actor, row_reader>(system, std::move(setup));
}

}  // namespace quorate
