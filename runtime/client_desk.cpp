#include "runtime/client_desk.hpp"

#include "actors/io_bound.hpp"
#include "actors/limits.hpp"
#include "runtime/opening_nonce.hpp"

#include <caf/actor_system.hpp>
#include <caf/init_global_meta_objects.hpp>

namespace quorate {

namespace {

// A client has one session at a time; old ones of which outcomes may still come are few.
constexpr std::size_t sessions_per_client_max = 16;

template <class... Content>
void enqueue(desk_actor::pointer self, const caf::strong_actor_ptr& to, Content&&... content) {
  to->enqueue(self->ctrl(), caf::make_message_id(), caf::make_message(std::forward<Content>(content)...),
              self->context());
}

/// Why a command cannot be one of a client's; ok where it can.
errc fault_of(const command& c) {
  if (c.key.size() > limits::key_bytes_max || c.key.size() + c.body.size() > limits::command_bytes_max)
    return errc::too_large;
  const auto opens = c.kind == command_kind::open_session;
  if (opens != (c.id.session == session_id{0}) || (opens && !is_client_nonce(c.id.number.value)))
    return errc::invalid_command;
  // A client that leaps ahead would have every replica forget what it has not been told yet.
  if (!opens && (c.done_below > c.id.number.value ||
                 c.id.number.value - c.done_below >= limits::session_window))
    return errc::invalid_command;
  return errc::ok;
}

}  // namespace

client_desk::client_desk(desk_actor::pointer self, client_desk_setup setup)
    : self_(self), setup_(std::move(setup)) {}

desk_actor::behavior_type client_desk::make_behavior() {
  self_->set_down_handler([this](caf::down_msg& msg) { lost(msg.source); });
  return {
      [this](client_hello& msg) { on(msg); },
      [this](client_commands& msg) { on(msg); },
      [this](const origin&, const client_outcomes& msg) { on(msg); },
  };
}

void client_desk::on(client_hello& msg) {
  if (!msg.answerer)
    return;
  const auto known = clients_.find(msg.client);
  std::string why;
  if (msg.version != client_wire_version)
    why = "this node speaks version " + std::to_string(client_wire_version) + " to clients";
  else if (msg.cluster != setup_.cluster)
    why = "this node belongs to cluster \"" + setup_.cluster + "\"";
  else if (known == clients_.end() && clients_.size() >= limits::clients_max)
    why = "this node has as many clients as it may have";
  if (!why.empty()) {
    enqueue(self_, msg.answerer, client_refusal{msg.attempt, why});
    return;
  }
  auto& c = clients_[msg.client];
  if (c.answerer != msg.answerer) {
    c.answerer = msg.answerer;
    self_->monitor(caf::actor_cast<caf::actor>(msg.answerer));
    setup_.log(severity::info, "serves a client of another process");
  }
  enqueue(self_, msg.answerer,
          client_welcome{msg.attempt, setup_.own.node, setup_.own.boot,
                         caf::actor_cast<caf::strong_actor_ptr>(self_)});
}

void client_desk::on(client_commands& msg) {
  const auto known = clients_.find(msg.client);
  // Its connection was lost and came back: it will say hello again.
  if (known == clients_.end())
    return;
  auto& c = known->second;
  const auto replica = setup_.links->own().find({group_id{0}, epoch_id{0}, port::replica});
  client_submission good;
  std::vector<outcome> bad;
  for (auto& one : msg.list) {
    auto code = replica ? fault_of(one) : errc::not_founded;
    if (code == errc::ok && one.kind == command_kind::open_session) {
      if (c.openings.size() >= sessions_per_client_max)
        code = errc::overloaded;
      else
        by_opening_[*c.openings.insert(one.id.number.value).first] = msg.client;
    } else if (code == errc::ok && !c.sessions.contains(one.id.session)) {
      if (c.sessions.size() >= sessions_per_client_max) {
        by_session_.erase(*c.sessions.begin());
        c.sessions.erase(c.sessions.begin());
      }
      c.sessions.insert(one.id.session);
      by_session_[one.id.session] = msg.client;
    }
    if (code == errc::ok)
      good.commands.push_back(std::move(one));
    else
      bad.push_back({one.id, code, {}});
  }
  if (!bad.empty())
    answer(c, std::move(bad));
  if (!good.commands.empty())
    enqueue(self_, replica, setup_.own, std::move(good));
}

void client_desk::on(const client_outcomes& msg) {
  std::map<std::uint64_t, std::vector<outcome>> lists;
  // Neighbours mostly belong to one session.
  session_id last;
  std::vector<outcome>* list = nullptr;
  for (const auto& one : msg.list) {
    if (one.id.session == session_id{0}) {
      const auto opening = by_opening_.find(one.id.number.value);
      if (opening == by_opening_.end())
        continue;
      lists[opening->second].push_back(one);
      clients_[opening->second].openings.erase(opening->first);
      by_opening_.erase(opening);
      continue;
    }
    if (list == nullptr || one.id.session != last) {
      const auto owner = by_session_.find(one.id.session);
      list = owner == by_session_.end() ? nullptr : &lists[owner->second];
      last = one.id.session;
    }
    if (list != nullptr)
      list->push_back(one);
  }
  for (auto& [number, outcomes] : lists)
    if (const auto c = clients_.find(number); c != clients_.end())
      answer(c->second, std::move(outcomes));
}

void client_desk::answer(const client& to, std::vector<outcome> list) {
  enqueue(self_, to.answerer, client_results{setup_.own.node, setup_.own.boot, std::move(list)});
}

void client_desk::lost(const caf::actor_addr& source) {
  for (const auto& [number, c] : clients_)
    if (c.answerer == source) {
      forget(number);
      return;
    }
}

void client_desk::forget(std::uint64_t number) {
  const auto c = clients_.find(number);
  for (const auto session : c->second.sessions)
    by_session_.erase(session);
  for (const auto opening : c->second.openings)
    by_opening_.erase(opening);
  clients_.erase(c);
}

desk_actor spawn_client_desk(caf::actor_system& system, caf::execution_unit* loop, client_desk_setup setup) {
  using impl = desk_actor::stateful_impl<client_desk>;
  return loop != nullptr ? system.spawn<io_bound<impl>>(loop, std::move(setup))
                         : system.spawn<impl>(std::move(setup));
}

void register_client_messages() {
  caf::init_global_meta_objects<caf::id_block::quorate_client>();
}

}  // namespace quorate
