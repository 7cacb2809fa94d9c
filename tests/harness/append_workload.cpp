// The append log as clients see it.
#include "runtime/append_log.hpp"
#include "runtime/append_log_format.hpp"
#include "tests/harness/linearizability.hpp"
#include "tests/harness/models.hpp"
#include "tests/harness/workload.hpp"

#include <limits>
#include <map>

namespace quorate::testing {

namespace {

constexpr std::uint64_t search_steps_max = 1'000'000;

/// What the cluster promises about an append log:
/// every acknowledged value stands at the index that was answered, and stays there; no value stands twice;
/// nothing stands there that nobody appended, or whose append was refused; indices respect real time; a
/// linearizable read sees everything that was acknowledged, or seen by such a read, before it began.
class append_check : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "append log"; }

  void invoked(const operation& op) override {
    floors_[op.number] = floor_;
    if (op.kind != request_kind::write)
      return;
    appends_.emplace(op.argument, op.number);
    // A page may end before one that nobody has read yet.
    largest_ = std::max(largest_, op.argument.size() + 64);
  }

  void returned(const operation& op) override {
    if (op.code != errc::ok)
      return;
    if (op.kind == request_kind::write)
      appended(op);
    else
      read(op);
  }

  void ended(const run_outcome& outcome) override {
    for (const auto& op : outcome.operations->list()) {
      if (op.kind != request_kind::write)
        continue;
      const auto found = places_.find(op.argument);
      if (op.fate() == fate::refused && found != places_.end())
        fail("operation " + std::to_string(op.number) + " was refused with " +
             std::string{to_string(op.code)} + ", but stands at " + std::to_string(found->second));
      if (op.fate() == fate::done && decode_index(op.result) >= last_end_)
        fail("operation " + std::to_string(op.number) + " was acknowledged, but is missing at the end");
    }
    search(outcome.operations->list());
  }

private:
  /// Is there an order that explains all answers at once?
  void search(const std::vector<operation>& list) {
    std::vector<timed<append_log_model::operation>> timeline;
    std::vector<std::uint64_t> numbers;
    for (const auto& op : list) {
      timed<append_log_model::operation> one{{}, op.invoked.count(), std::nullopt};
      if (op.code == errc::ok)
        one.returned = op.returned->count();
      if (op.kind == request_kind::write) {
        // What was refused never happened; nor has, at the end, what is not in the log, where we saw all of
        // it.
        if (op.fate() == fate::refused || (log_.size() == last_end_ && !places_.contains(op.argument)))
          continue;
        one.what = {true, op.argument, decode_index(op.result).value_or(0), {}, 0};
        // Nobody was told its index, but it was seen there: it took effect at some time before the end.
        if (const auto place = places_.find(op.argument); !one.returned && place != places_.end()) {
          one.what.index = place->second;
          one.returned = std::numeric_limits<std::int64_t>::max();
        }
      } else {
        const auto page = decode_log_page(op.result);
        const auto wanted = decode_log_query(op.argument);
        if (op.kind != request_kind::read || op.code != errc::ok || !page || !wanted)
          continue;
        one.what = {false, {}, wanted->from, {}, page->end};
        for (const auto& entry : page->entries)
          one.what.read.emplace_back(entry.value);
      }
      timeline.push_back(std::move(one));
      numbers.push_back(op.number);
    }
    const auto found = linearizability_checker<append_log_model>{{&log_}, search_steps_max}.check(timeline);
    searched(found.what == linearizability_result::verdict::gave_up);
    if (found.what == linearizability_result::verdict::not_linearizable)
      fail("no order explains the history beyond " + std::to_string(found.explained) +
           " operations, nor gets past operation " + std::to_string(numbers.at(found.stuck_at)));
  }

  void stands(std::uint64_t index, const std::string& value, const std::string& who) {
    const auto [at, first_time] = log_.emplace(index, value);
    if (!first_time && at->second != value)
      fail(who + " has \"" + value + "\" at " + std::to_string(index) + ", where \"" + at->second +
           "\" stood");
    const auto [place, fresh] = places_.emplace(value, index);
    if (!fresh && place->second != index)
      fail(who + " has \"" + value + "\" at " + std::to_string(index) + ", which stood at " +
           std::to_string(place->second));
    if (!appends_.contains(value))
      fail(who + " has \"" + value + "\", which nobody appended");
  }

  void appended(const operation& op) {
    const auto index = decode_index(op.result);
    const auto who = "operation " + std::to_string(op.number) + " on " + quorate::text(op.at);
    if (!index) {
      fail(who + " has an answer that is no index");
      return;
    }
    stands(*index, op.argument, who);
    if (*index < floors_[op.number])
      fail(who + " got index " + std::to_string(*index) + ", but " + std::to_string(floors_[op.number]) +
           " were there before it began");
    floor_ = std::max(floor_, *index + 1);
  }

  void read(const operation& op) {
    const auto who = "read " + std::to_string(op.number) + " on " + quorate::text(op.at);
    const auto page = decode_log_page(op.result);
    const auto wanted = decode_log_query(op.argument);
    if (!page || !wanted) {
      fail(who + " has an answer that is no page");
      return;
    }
    auto next = wanted->from;
    std::size_t bytes = 0;
    for (const auto& entry : page->entries) {
      if (entry.index != next++)
        fail(who + " has a gap before " + std::to_string(entry.index));
      stands(entry.index, std::string{entry.value}, who);
      bytes += entry.key.size() + entry.value.size() + 32;
    }
    const auto there = page->end > wanted->from ? page->end - wanted->from : 0;
    const auto full = bytes + 2 * largest_ >= limits::log_page_bytes_max;
    if (page->entries.size() != std::min<std::uint64_t>(there, wanted->limit) && !full)
      fail(who + " has " + std::to_string(page->entries.size()) + " of " + std::to_string(there) +
           " entries");
    if (page->next != next && there > 0)
      fail(who + " ends at " + std::to_string(next) + " and says " + std::to_string(page->next));
    if (op.kind != request_kind::read)
      return;
    if (page->end < floors_[op.number])
      fail(who + " saw " + std::to_string(page->end) + " entries, but " + std::to_string(floors_[op.number]) +
           " were there before it began");
    floor_ = std::max(floor_, page->end);
    last_end_ = page->end;
  }

  std::map<std::string, std::uint64_t> appends_;  ///< value -> operation
  std::map<std::uint64_t, std::string> log_;      ///< what was ever seen where
  std::map<std::string, std::uint64_t> places_;
  std::map<std::uint64_t, std::uint64_t>
      floors_;  ///< operation -> entries that were there for sure when it began
  std::uint64_t floor_ = 0;
  std::size_t largest_ = 64;    ///< about the largest entry so far
  std::uint64_t last_end_ = 0;  ///< entries that the last linearizable read saw
};

class appends : public workload {
public:
  [[nodiscard]] machine_factory make_machine() const override {
    return [] { return std::make_unique<append_log>(); };
  }
  [[nodiscard]] std::string machine() const override { return "append_log"; }

  [[nodiscard]] client_call write(prng& random, std::uint64_t number, std::uint64_t bytes_max) override {
    client_call call;
    call.key = "k" + std::to_string(random.below(4));
    call.body = "v" + std::to_string(number) + ".";
    call.body.append(random.between(0, bytes_max), 'x');
    return call;
  }

  [[nodiscard]] client_call read(prng& random) override {
    log_query query;
    if (random.chance(50)) {
      query.from = random.below(20);
      query.limit = static_cast<std::uint32_t>(random.between(1, 20));
    } else {
      query.limit = limits::log_page_entries_max;
    }
    return {request_kind::read, {}, encode(query)};
  }

  [[nodiscard]] client_call read_all() override {
    log_query query;
    query.limit = limits::log_page_entries_max;
    return {request_kind::read, {}, encode(query)};
  }

  [[nodiscard]] std::unique_ptr<check> make_check(verdict& result) override {
    return std::make_unique<append_check>(result);
  }
};

}  // namespace

std::unique_ptr<workload> append_workload() {
  return std::make_unique<appends>();
}

}  // namespace quorate::testing
