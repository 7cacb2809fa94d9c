// The key-value store as clients see it.
#include "runtime/key_value.hpp"
#include "tests/harness/linearizability.hpp"
#include "tests/harness/models.hpp"
#include "tests/harness/workload.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

constexpr std::uint64_t search_steps_max = 1'000'000;

/// What can be said of a map in which every value is put once and none is erased, without searching for an
/// order: a read finds a value that somebody put, not one that was certainly replaced before the read began,
/// nor nothing where something certainly stood; and what was refused is never found. Judged at the end, when
/// all is known.
class key_value_check : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "key value"; }

  void ended(const run_outcome& outcome) override {
    for (const auto& op : outcome.operations->list())
      if (op.kind == request_kind::write)
        puts_[op.key].emplace(op.argument, &op);
    for (const auto& op : outcome.operations->list())
      if (op.kind != request_kind::write && op.code == errc::ok)
        judge(op);
    for (const auto& [key, puts] : puts_)
      search(outcome.operations->list(), key);
  }

private:
  /// Is there an order of the operations on this key that explains all answers at once?
  void search(const std::vector<operation>& list, const std::string& key) {
    std::vector<timed<key_model::operation>> timeline;
    std::vector<std::uint64_t> numbers;
    for (const auto& op : list) {
      if (op.key != key)
        continue;
      timed<key_model::operation> one{{}, op.invoked.count(), std::nullopt};
      if (op.code == errc::ok)
        one.returned = op.returned->count();
      if (op.kind == request_kind::write) {
        // What was refused never happened, and what is unknown and was never read may as well not have.
        if (op.fate() == fate::refused || (op.fate() == fate::unknown && !read_.contains(op.argument)))
          continue;
        one.what.what = key_model::kind::put;
        one.what.value = op.argument;
        // Puts and gets are all there is here, and every put's value is unlike all others.
        one.what.unseen = !read_.contains(op.argument);
      } else {
        const auto found = key_value::value_in(op.result);
        if (op.kind != request_kind::read || op.code != errc::ok || !found)
          continue;
        if (found->value)
          one.what.read = key_value::put(*found->value);
      }
      timeline.push_back(std::move(one));
      numbers.push_back(op.number);
    }
    const auto found = linearizability_checker<key_model>{{}, search_steps_max}.check(timeline);
    searched(found.what == linearizability_result::verdict::gave_up);
    if (found.what == linearizability_result::verdict::not_linearizable)
      fail("no order explains the history of " + key + " beyond " + std::to_string(found.explained) +
           " operations, nor gets past operation " + std::to_string(numbers.at(found.stuck_at)));
  }

  void judge(const operation& read) {
    const auto found = key_value::value_in(read.result);
    const auto who =
        "read " + std::to_string(read.number) + " on " + quorate::text(read.at) + " of " + read.key;
    if (!found) {
      fail(who + " has an answer that is none");
      return;
    }
    const auto& puts = puts_[read.key];
    const operation* source = nullptr;
    if (found->value) {
      const auto put = puts.find(key_value::put(*found->value));
      if (put == puts.end() || put->second->invoked > *read.returned) {
        fail(who + " finds what nobody has put");
        return;
      }
      source = put->second;
      read_.insert(put->first);
      if (source->fate() == fate::refused)
        fail(who + " finds what operation " + std::to_string(source->number) + " was refused");
    }
    if (read.kind != request_kind::read)
      return;
    for (const auto& [body, other] : puts) {
      const auto before_read = other->fate() == fate::done && *other->returned < read.invoked;
      const auto behind_source = source == nullptr || (source->returned && source->fate() == fate::done &&
                                                       *source->returned < other->invoked);
      if (other != source && before_read && behind_source)
        fail(who + " does not see operation " + std::to_string(other->number));
    }
  }

  std::set<std::string> read_;                                           ///< commands whose value was found
  std::map<std::string, std::map<std::string, const operation*>> puts_;  ///< key -> command -> operation
};

class puts_and_gets : public workload {
public:
  [[nodiscard]] machine_factory make_machine() const override {
    return [] { return std::make_unique<key_value>(); };
  }
  [[nodiscard]] std::string machine() const override { return "key_value"; }

  [[nodiscard]] client_call write(prng& random, std::uint64_t number, std::uint64_t bytes_max) override {
    auto value = std::to_string(number) + ".";
    value.append(random.between(0, bytes_max), 'x');
    return {request_kind::write, draw_key(random), key_value::put(value)};
  }
  [[nodiscard]] client_call read(prng& random) override {
    const auto key = draw_key(random);
    return {request_kind::read, key, key_value::get(key)};
  }
  [[nodiscard]] client_call read_all() override { return {request_kind::read, "k0", key_value::get("k0")}; }
  [[nodiscard]] std::unique_ptr<check> make_check(verdict& result) override {
    return std::make_unique<key_value_check>(result);
  }

private:
  static std::string draw_key(prng& random) { return "k" + std::to_string(random.below(4)); }
};

}  // namespace

std::unique_ptr<workload> key_value_workload() {
  return std::make_unique<puts_and_gets>();
}

}  // namespace quorate::testing
