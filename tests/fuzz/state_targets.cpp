// What lies in logs and stores: batches, the built-in machines' bytes, sessions.

#include "actors/command.hpp"
#include "actors/limits.hpp"
#include "runtime/append_log.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/executor.hpp"
#include "runtime/key_value.hpp"
#include "runtime/log_rows.hpp"
#include "runtime/store_keys.hpp"
#include "tests/fuzz/target.hpp"

namespace quorate::fuzz {

namespace {

/// Cuts bytes into parts, each with its length in front.
class parts {
public:
  explicit parts(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] bool more() const { return !rest_.empty(); }
  std::string next() {
    if (rest_.empty())
      return {};
    const auto size = std::min<std::size_t>(static_cast<std::uint8_t>(rest_[0]), rest_.size() - 1);
    const std::string part{rest_.substr(1, size)};
    rest_.remove_prefix(1 + size);
    return part;
  }

private:
  std::string_view rest_;
};

/// The machine's own keys, without the executor around it.
class plain_state final : public machine_state {
public:
  explicit plain_state(memory_store& below) : below_(below) {}
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override {
    return below_.get(key);
  }
  void put(std::string key, std::string value) override {
    store_batch changes;
    changes.put(std::move(key), std::move(value));
    static_cast<void>(below_.write(changes, {}));
  }
  void erase(std::string key) override {
    store_batch changes;
    changes.erase(std::move(key));
    static_cast<void>(below_.write(changes, {}));
  }

private:
  memory_store& below_;
};

/// Commands with these bodies, then these bytes as a query, then as the answers that clients get.
template <class Machine>
memory_store run_machine(std::string_view bytes) {
  memory_store store;
  Machine machine;
  parts in{bytes};
  for (std::uint64_t i = 0; in.more() && i < 8; ++i) {
    const auto key = in.next();
    const auto body = in.next();
    const command_view one{{session_id{1}, sequence{i}}, 0, command_kind::machine, key, body};
    plain_state state{store};
    std::vector<machine_answer> answers;
    machine.apply(log_index{i}, {&one, 1}, state, answers);
    expect(answers.size() == 1, "every command is answered");
    expect(answers[0].body.size() <= limits::outcome_bytes_max, "no answer is too large");
  }
  static_cast<void>(machine.query(bytes, store));
  return store;
}

}  // namespace

void commands_bytes(std::string_view bytes) {
  const auto read = decode_commands(bytes);
  if (!read)
    return;
  std::vector<command> again;
  const payload whole{std::string{bytes}};
  for (const auto& c : *read)
    again.push_back({c.id, c.done_below, c.kind, std::string{c.key}, payload{std::string{c.body}}});
  expect(encode_commands(again).view() == bytes, "a batch has one form");
}

void append_log_bytes(std::string_view bytes) {
  if (const auto query = decode_log_query(bytes)) {
    expect(query->limit >= 1 && query->limit <= limits::log_page_entries_max, "a limit is in its range");
    expect(decode_log_query(encode(*query)) == query, "a query can be read again");
  }
  if (const auto page = decode_log_page(bytes))
    for (const auto& e : page->entries)
      expect(e.key.data() >= bytes.data() && e.value.data() + e.value.size() <= bytes.data() + bytes.size(),
             "entries lie in the page");
  if (const auto index = decode_index(bytes))
    expect(encode_index(*index) == bytes, "an index has one form");
  const auto store = run_machine<append_log>(bytes);
  const auto page = append_log{}.query(encode(log_query{}), store);
  expect(page.code == errc::ok && decode_log_page(page.body).has_value(), "the log can be read");
}

void key_value_bytes(std::string_view bytes) {
  static_cast<void>(key_value::changed(bytes));
  if (const auto found = key_value::value_in(bytes); found && found->value)
    expect(found->value->data() >= bytes.data() &&
               found->value->data() + found->value->size() <= bytes.data() + bytes.size(),
           "a value lies in the answer");
  const auto store = run_machine<key_value>(bytes);
  const auto answer = key_value{}.query(key_value::get("k"), store);
  expect(answer.code == errc::ok && key_value::value_in(answer.body).has_value(), "a key can be read");
}

void stored_state_bytes(std::string_view bytes) {
  memory_store store;
  store_batch rows;
  parts in{bytes};
  if (const auto point = in.next(); !point.empty())
    rows.put(std::string{store_keys::applied}, point);
  while (in.more()) {
    const auto key = in.next();
    rows.put(key, in.next());
  }
  static_cast<void>(store.write(rows, {}));
  append_log machine;
  executor e{machine, store};
  if (const auto failed = e.load())
    expect(failed->code == errc::corrupt && failed->message.find('\n') == std::string::npos,
           "a store that cannot be read is told in one line");
  journal_row row{log_rows::key(log_index{1}), std::string{bytes}, std::nullopt};
  row.batch.emplace();
  static_cast<void>(log_rows::decode(std::move(row)));
}

}  // namespace quorate::fuzz
