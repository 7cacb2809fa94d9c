#include "runtime/executor.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/hash.hpp"
#include "runtime/machine_view.hpp"
#include "runtime/store_keys.hpp"

namespace quorate {

std::string encode(const applied_point& point) {
  std::string out;
  put_little(out, point.next.value);
  put_little(out, point.epoch.value);
  put_little(out, point.at.value);
  put_little(out, point.state_hash);
  return out;
}

std::optional<applied_point> decode_applied_point(std::string_view bytes) {
  byte_reader in{bytes};
  applied_point point;
  point.next = log_index{in.little<std::uint64_t>()};
  point.epoch = epoch_id{in.little<std::uint64_t>()};
  point.at = cursor{in.little<std::uint64_t>()};
  point.state_hash = in.little<std::uint64_t>();
  if (!in.ok() || !in.at_end())
    return std::nullopt;
  return point;
}

status executor::load() {
  point_ = {};
  if (const auto saved = store_.get(store_keys::applied)) {
    const auto point = decode_applied_point(*saved);
    if (!point)
      return failure{errc::corrupt, "the store does not say where it stands"};
    point_ = *point;
  }
  return sessions_.load(store_);
}

std::vector<outcome> executor::apply(std::string_view body, epoch_id epoch, cursor at) {
  const auto commands = decode_commands(body);
  ENSURE(commands, "batch " + std::to_string(point_.next.value) + " cannot be read");
  const auto index = point_.next;

  std::vector<outcome> results(commands->size());
  std::vector<command_view> fresh;
  std::vector<std::size_t> places;  // of the fresh ones
  std::vector<std::size_t> running;
  for (std::size_t i = 0; i < commands->size(); ++i) {
    const auto& c = (*commands)[i];
    results[i].id = c.id;
    if (c.kind == command_kind::open_session) {
      std::string id;
      put_little(id, sessions_.open(index, i).value);
      results[i].body = payload{std::move(id)};
      continue;
    }
    switch (sessions_.check(c, index)) {
    case sessions::verdict::execute:
      fresh.push_back(c);
      places.push_back(i);
      break;
    case sessions::verdict::running:
      running.push_back(i);
      break;
    case sessions::verdict::repeat: {
      const auto* known = sessions_.find(c.id);
      results[i].code = known->code;
      results[i].body = payload{known->body};
      break;
    }
    case sessions::verdict::refuse:
      results[i].code = errc::session_expired;
      break;
    }
  }

  store_batch writes;
  if (!fresh.empty()) {
    batch_state state{store_};
    std::vector<machine_answer> answers;
    answers.reserve(fresh.size());
    machine_.apply(index, fresh, state, answers);
    ENSURE(answers.size() == fresh.size(), "a state machine must answer every command");
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      auto& answer = answers[i];
      ENSURE(answer.body.size() <= limits::outcome_bytes_max, "a state machine's answer is too large");
      auto& result = results[places[i]];
      result.code = answer.code;
      result.body = payload{answer.body};
      sessions_.record(result.id, index, {answer.code, std::move(answer.body)});
    }
    state.move_to(writes);
  }
  for (const auto i : running) {
    // Twice in one batch: both get the one outcome.
    if (const auto* known = sessions_.find(results[i].id)) {
      results[i].code = known->code;
      results[i].body = payload{known->body};
    } else {
      results[i].code = errc::session_expired;
    }
  }
  sessions_.save(index, writes);

  auto hash = hash_bytes(point_.state_hash, body);
  for (const auto& op : writes.ops())
    hash = hash_bytes(hash_bytes(hash, op.key), op.value);
  point_ = {index.next(), epoch, at, hash};
  writes.put(std::string{store_keys::applied}, encode(point_));
  const auto failed = store_.write(writes, point_.next);
  ENSURE(!failed, "the state cannot be written: " + failed->message);
  return results;
}

}  // namespace quorate
