#include "tests/harness/client.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

// How much longer than its own deadline a client waits for the node to keep it.
constexpr duration patience = std::chrono::seconds(1);

duration up_to(prng& random, duration low, duration high) {
  return duration{
      random.between(static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()))};
}

}  // namespace

client::client(node_id at, surroundings& around, history& operations, workload& work,
               std::function<bool(const box&)> ask, std::function<duration()> stood_still, std::uint64_t seed)
    : at_(at), around_(around), operations_(operations), work_(work), ask_(std::move(ask)),
      stood_still_(std::move(stood_still)), prng_(seed) {}

void client::begin() {
  running_ = true;
  turn();
}

client_call client::draw_call(std::uint64_t number) {
  const auto& plan = around_.plan.clients;
  const auto local = prng_.chance(plan.local_reads);
  const auto read = local || prng_.chance(plan.reads);
  auto call = read ? work_.read(prng_) : work_.write(prng_, number, plan.value_bytes_max);
  if (local)
    call.kind = request_kind::read_local;
  return call;
}

void client::turn() {
  if (!running_ || asked_ >= around_.plan.clients.operations_max)
    return;
  const auto& plan = around_.plan.clients;
  if (open_.size() < plan.window) {
    std::vector<client_call> calls;
    for (auto left = std::min(plan.window - open_.size(), prng_.between(1, plan.burst)); left > 0; --left)
      calls.push_back(draw_call(operations_.list().size() + calls.size()));
    const auto count = calls.size();
    if (ask(std::move(calls), up_to(prng_, plan.timeout_min, plan.timeout_max)))
      asked_ += count;
  }
  // Not at once, even where it is to be at once: a node that refuses must not stop the time.
  const auto wait =
      up_to(prng_, std::chrono::microseconds(200), plan.think_max + std::chrono::microseconds(200));
  around_.events.after(wait, [this] { turn(); });
}

bool client::ask(std::vector<client_call> calls, duration timeout) {
  client_requests message;
  auto number = operations_.list().size();
  for (const auto& call : calls) {
    const auto waits = waits_without_majority(number);
    ++number;
    message.list.push_back({token{number}, call.kind, call.key, payload{call.body}, timeout, waits});
  }
  if (!ask_(box::of(std::move(message))))
    return false;
  for (auto& call : calls) {
    number =
        operations_.invoke(at_, call.kind, std::move(call.key), std::move(call.body), around_.events.now());
    ++around_.count.operations;
    open_.insert(number);
    around_.checks.tell(&check::invoked, operations_[number]);
    around_.events.after(timeout + patience,
                         [this, number, still = stood_still_()] { give_up(number, still, duration{0}); });
  }
  return true;
}

void client::flood(std::uint64_t count) {
  const auto& plan = around_.plan.clients;
  std::vector<client_call> calls;
  while (calls.size() < count)
    calls.push_back(work_.write(prng_, operations_.list().size() + calls.size(), plan.flood_bytes));
  ask(std::move(calls), up_to(prng_, plan.timeout_min, plan.timeout_max));
}

bool client::probe(duration timeout, bool read_all) {
  const auto number = operations_.list().size();
  if (!ask({read_all ? work_.read_all() : work_.write(prng_, number, 16)}, timeout))
    return false;
  last_probe_ = number;
  return true;
}

void client::give_up(std::uint64_t number, duration frozen_at_ask, duration waited) {
  if (!open_.contains(number))
    return;
  if (const auto still = stood_still_() - frozen_at_ask; still > waited) {
    around_.events.after(still - waited, [this, number, frozen_at_ask, still] {
      give_up(number, frozen_at_ask, still);
    });
    return;
  }
  open_.erase(number);
  given_up_.insert(number);
  if (!around_.without.contains("deadline"))
    around_.result.fail("deadline", quorate::text(at_) + " has not answered operation " +
                                        std::to_string(number) + ", and its deadline is long over");
  around_.checks.tell(&check::returned, operations_[number]);
}

void client::disconnected() {
  const auto open = std::move(open_);
  open_.clear();
  for (const auto number : open) {
    given_up_.insert(number);
    around_.checks.tell(&check::returned, operations_[number]);
  }
}

void client::on(const client_replies& message) {
  for (const auto& reply : message.list) {
    const auto number = reply.id.value - 1;
    if (open_.erase(number) == 0) {
      if (given_up_.erase(number) == 0)
        around_.result.fail("client", "an answer to operation " + std::to_string(number) +
                                          ", which is not open, from " + quorate::text(at_));
      continue;
    }
    if (reply.code == errc::ok)
      ++around_.count.acknowledged;
    const auto& op =
        operations_.answer(number, reply.code, std::string{reply.body.view()}, around_.events.now());
    if (around_.log.tracing())
      around_.log.line(around_.events.now(), "client " + quorate::text(at_),
                       "operation " + std::to_string(number) + " " + std::string{to_string(reply.code)});
    around_.checks.tell(&check::returned, op);
  }
}

}  // namespace quorate::testing
