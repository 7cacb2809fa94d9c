// Drives one role class by hand: what it is told, and what it wants to happen.
#pragma once

#include "actors/journal.hpp"
#include "actors/outbox.hpp"
#include "protocols/contract.hpp"
#include "tests/runtime/wanted_text.hpp"

namespace quorate::testing {

inline constexpr node_id n1{1};
inline constexpr node_id n2{2};
inline constexpr node_id n3{3};

inline protocol_context context_of(std::size_t members, node_id self = n1, std::uint64_t start = 0) {
  protocol_context context{group_id{0}, epoch_id{0}, {}, self, boot_id{1}, cursor{start}, {}};
  for (std::uint32_t i = 1; i <= members; ++i)
    context.members.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
  return context;
}

/// A role and its outbox; saves go to a journal in memory, from which another desk can recover.
template <class R>
class role_desk {
public:
  template <class... Args>
  explicit role_desk(memory_journal& disk, Args&&... args) : disk_(disk), role(std::forward<Args>(args)...) {
    if constexpr (requires { role.recover(*disk.view(space)); })
      role.recover(*disk.view(space));
    out_.set_prng(random_);
  }

  /// What the role wants when told `message`, one effect per line.
  template <class M>
  std::string on(node_id from, const M& message) {
    role.on(from, message, out_);
    return take();
  }
  std::string start() {
    role.start(out_);
    return take();
  }
  std::string tick(std::uint64_t tag = 1) {
    role.on(timer_tag{tag}, out_);
    return take();
  }
  std::string rows(journal_rows found) {
    role.on(std::move(found), out_);
    return take();
  }
  void pass(duration time) { out_.set_now(out_.now() + time); }

  /// The rows that the last `read` wanted.
  [[nodiscard]] journal_rows wanted() const {
    journal_rows found{last_read_.id, {}, true};
    disk_.view(space)->scan(last_read_.from, last_read_.to, [&](journal_row&& row) {
      found.rows.push_back(std::move(row));
      return true;
    });
    return found;
  }

  const journal_space space{group_id{0}, epoch_id{0}, R::place};

private:
  std::string take() {
    std::vector<journal_op> ops;
    for (const auto& e : out_.list()) {
      if (const auto* save = std::get_if<save_effect>(&e))
        ops.push_back({space.prefix() + save->key, save->value, save->batch, false});
      else if (const auto* erase = std::get_if<erase_effect>(&e))
        ops.push_back({space.prefix() + erase->from, space.prefix() + erase->to, std::nullopt, true});
      else if (const auto* read = std::get_if<read_effect>(&e))
        last_read_ = *read;
    }
    static_cast<void>(disk_.commit(std::move(ops), true));
    auto result = wanted_text(out_);
    out_.clear();
    return result;
  }

  memory_journal& disk_;
  prng random_{7};
  typename R::out out_;
  read_effect last_read_;

public:
  R role;
};

}  // namespace quorate::testing
