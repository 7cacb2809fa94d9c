#include "tests/harness/process/append_search.hpp"

#include "tests/harness/linearizability.hpp"
#include "tests/harness/models.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace quorate::testing {

namespace {

using operation = append_log_model::operation;
using places = std::unordered_map<std::string, std::uint64_t>;

constexpr auto for_ever = std::numeric_limits<std::int64_t>::max();

/// One round, with the log's indexes counted from its beginning.
class round_search {
public:
  round_search(std::uint64_t begin, std::uint64_t end, const std::vector<log_entry>& log)
      : begin_(begin), end_(end), log_(log) {}

  /// Leaves out what took effect in another round or never.
  void add_unknown(const append_record& a, const places& where) {
    const auto found = where.find(a.value);
    if (found != where.end() && found->second >= begin_ && found->second < end_)
      history_.push_back({append(a.value, found->second), a.invoked.count(), for_ever});
  }

  void add(const append_history& seen) {
    for (const auto& a : seen.appends)
      if (a.fate == append_fate::acknowledged)
        history_.push_back({append(a.value, a.index), a.invoked.count(), a.returned.count()});
    for (const auto& r : seen.reads)
      history_.push_back({read(r.from, r.page), r.invoked.count(), r.returned.count()});
  }

  [[nodiscard]] std::string run() {
    // All that stands in the log must have come from somewhere.
    log_page rest{{}, end_, end_};
    rest.entries.assign(log_.begin() + static_cast<std::ptrdiff_t>(begin_),
                        log_.begin() + static_cast<std::ptrdiff_t>(end_));
    history_.push_back({read(begin_, rest), for_ever, for_ever});
    const auto result = linearizability_checker{append_log_model{}}.check(history_);
    if (result)
      return {};
    if (result.what == linearizability_result::verdict::gave_up)
      return "the search gave up after " + std::to_string(result.steps) + " steps\n";
    const auto& stuck = history_[result.stuck_at].what;
    return "no order explains the answers: " + std::to_string(result.explained) + " of " +
           std::to_string(history_.size()) + " operations, not " +
           (stuck.append ? "append " + stuck.value + " at " + std::to_string(stuck.index + begin_)
                         : "a read that ends at " + std::to_string(stuck.end + begin_)) +
           "\n";
  }

private:
  // An index from before the round becomes one that no order can reach.
  [[nodiscard]] operation append(const std::string& value, std::uint64_t index) const {
    return {true, value, index - begin_, {}, 0};
  }

  [[nodiscard]] operation read(std::uint64_t from, const log_page& page) const {
    operation op{false, {}, std::max(from, begin_) - begin_, {}, page.end - begin_};
    for (const auto& e : page.entries)
      if (e.index >= begin_)
        op.read.push_back(e.value);
    return op;
  }

  std::uint64_t begin_;
  std::uint64_t end_;
  const std::vector<log_entry>& log_;
  std::vector<timed<operation>> history_;
};

}  // namespace

std::string search_order(const std::vector<append_round>& rounds, const std::vector<log_entry>& log) {
  places where;
  for (std::size_t i = 0; i < log.size(); ++i)
    where.emplace(log[i].value, i);
  std::string wrong;
  std::vector<const append_record*> unknown;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const auto begin = rounds[i].begins_at;
    const auto end = i + 1 < rounds.size() ? rounds[i + 1].begins_at : std::uint64_t{log.size()};
    for (const auto& a : rounds[i].seen.appends)
      if (a.fate == append_fate::unknown)
        unknown.push_back(&a);
    if (begin > end || end > log.size()) {
      wrong += "round " + std::to_string(i) + " lies beyond the log's end\n";
      continue;
    }
    round_search search{begin, end, log};
    for (const auto* a : unknown)
      search.add_unknown(*a, where);
    search.add(rounds[i].seen);
    if (const auto found = search.run(); !found.empty())
      wrong += "round " + std::to_string(i) + ": " + found;
  }
  return wrong;
}

}  // namespace quorate::testing
