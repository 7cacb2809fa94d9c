#include "actors/gate.hpp"

#include "actors/ensure.hpp"

namespace quorate {

void gate::run(effects& out, effect_driver& driver) {
  // The write is handed over before anything is sent: a local receiver may act at once, and what it asks of
  // the journal must come behind ours.
  std::vector<journal_op> ops;
  bool sync = false;
  for (auto& e : out.list()) {
    if (auto* save = std::get_if<save_effect>(&e)) {
      sync = sync || !save->lazy;
      ops.push_back({prefix_ + save->key, std::move(save->value), std::move(save->batch), false});
    } else if (auto* erase = std::get_if<erase_effect>(&e)) {
      ops.push_back({prefix_ + erase->from, prefix_ + erase->to, std::nullopt, true});
    }
  }
  const auto before = asked_;
  if (sync)
    ++asked_;
  if (!ops.empty())
    driver.write(std::move(ops), sync, asked_);
  auto needed = before;
  for (auto& e : out.list()) {
    if (const auto* save = std::get_if<save_effect>(&e)) {
      if (!save->lazy)
        needed = asked_;
    } else if (auto* send = std::get_if<send_effect>(&e)) {
      if (send->now || (held_.empty() && needed <= durable_))
        driver.send(std::move(*send));
      else
        held_.push_back({needed, std::move(*send)});
    } else if (const auto* timer = std::get_if<timer_effect>(&e)) {
      driver.set_timer(*timer);
    } else if (const auto* cancel = std::get_if<cancel_effect>(&e)) {
      driver.cancel_timer(*cancel);
    } else if (auto* read = std::get_if<read_effect>(&e)) {
      driver.read(std::move(*read));
    } else if (auto* note = std::get_if<note_effect>(&e)) {
      driver.note(std::move(*note));
    }
  }
  out.clear();
}

void gate::durable(std::uint64_t ticket, effect_driver& driver) {
  ENSURE(ticket <= asked_, "a write became durable that nobody asked for");
  if (ticket > durable_)
    durable_ = ticket;
  while (!held_.empty() && held_.front().ticket <= durable_) {
    auto effect = std::move(held_.front().effect);
    held_.pop_front();
    driver.send(std::move(effect));
  }
}

}  // namespace quorate
