#include "tests/harness/process/append_history.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace quorate::testing {

namespace {

constexpr std::size_t lines_max = 5;  // of each kind

/// The lines of one kind of violation.
class finding {
public:
  explicit finding(std::string what) : what_(std::move(what)) {}
  void add(const std::string& line) {
    if (++count_ <= lines_max)
      lines_ += "  " + line + "\n";
  }
  [[nodiscard]] std::string text() const {
    return count_ == 0 ? std::string{} : what_ + " (" + std::to_string(count_) + " times):\n" + lines_;
  }

private:
  std::string what_;
  std::string lines_;
  std::size_t count_ = 0;
};

std::string text(const append_record& a) {
  return "n" + std::to_string(a.node) + " " + a.value +
         (a.fate == append_fate::acknowledged ? " 200 " : " ") + std::to_string(a.index) + ", from " +
         std::to_string(a.invoked.count() / 1000) + " to " + std::to_string(a.returned.count() / 1000) +
         " us";
}

std::string text(const log_entry& e) {
  return std::to_string(e.index) + ": " + e.key + " = " + e.value;
}

std::string check_equal(const final_logs& logs) {
  finding lengths{"the logs differ in length"};
  finding entries{"the logs differ"};
  const auto& [first_node, first] = *logs.begin();
  for (const auto& [node, log] : logs) {
    const auto names = "n" + std::to_string(first_node) + " and n" + std::to_string(node) + ": ";
    if (log.size() != first.size())
      lengths.add(names + std::to_string(first.size()) + " and " + std::to_string(log.size()));
    for (std::size_t i = 0; i < std::min(log.size(), first.size()); ++i)
      if (!(log[i] == first[i]))
        entries.add(names + text(first[i]) + " and " + text(log[i]));
  }
  return lengths.text() + entries.text();
}

std::string check_gaps(const final_logs& logs) {
  finding gaps{"the log has gaps"};
  for (const auto& [node, log] : logs)
    for (std::size_t i = 0; i < log.size(); ++i)
      if (log[i].index != i)
        gaps.add("n" + std::to_string(node) + " has index " + std::to_string(log[i].index) + " at place " +
                 std::to_string(i));
  return gaps.text();
}

/// Where each value stands first.
using places = std::unordered_map<std::string, std::uint64_t>;

std::string check_values(const append_history& history, const std::vector<log_entry>& log, places& where) {
  finding twice{"a value stands twice"};
  finding lost{"an acknowledged append does not stand at its index"};
  finding refused{"a refused append stands in the log"};
  finding foreign{"a value stands in the log that nobody has appended"};
  std::unordered_map<std::string, const append_record*> by_value;
  for (const auto& a : history.appends)
    by_value.emplace(a.value, &a);
  for (std::size_t i = 0; i < log.size(); ++i) {
    const auto& e = log[i];
    if (const auto [at, is_new] = where.emplace(e.value, i); !is_new)
      twice.add(text(e) + ", and at " + std::to_string(at->second));
    const auto found = by_value.find(e.value);
    if (found == by_value.end() || found->second->key != e.key)
      foreign.add(text(e));
    else if (found->second->fate == append_fate::refused)
      refused.add(text(*found->second) + ", at " + std::to_string(i));
  }
  for (const auto& a : history.appends)
    if (a.fate == append_fate::acknowledged &&
        (a.index >= log.size() || log[a.index].value != a.value || log[a.index].key != a.key))
      lost.add(text(a) + (a.index >= log.size() ? ", the log ends at " + std::to_string(log.size())
                                                : ", but there is " + text(log[a.index])));
  return twice.text() + lost.text() + refused.text() + foreign.text();
}

/// One sweep over time. An operation that has returned sets a floor: the length that the log had by then at
/// least. One that is invoked later stands, or sees the end, no lower than that.
std::string check_real_time(const append_history& history, const places& where) {
  struct moment {
    std::chrono::nanoseconds at{};
    bool returns = false;
    std::uint64_t length = 0;
    const append_record* append = nullptr;
    const read_record* read = nullptr;
  };
  std::vector<moment> moments;
  moments.reserve(2 * (history.appends.size() + history.reads.size()));
  for (const auto& a : history.appends) {
    // Also one of unknown fate cannot stand below what was acknowledged before it was sent.
    const auto found = where.find(a.value);
    if (found != where.end())
      moments.push_back({a.invoked, false, found->second, &a, nullptr});
    if (a.fate == append_fate::acknowledged)
      moments.push_back({a.returned, true, a.index + 1, &a, nullptr});
  }
  for (const auto& r : history.reads) {
    moments.push_back({r.invoked, false, r.page.end, nullptr, &r});
    moments.push_back({r.returned, true, r.page.end, nullptr, &r});
  }
  // At equal times nothing is before the other: invocations first.
  std::stable_sort(moments.begin(), moments.end(), [](const moment& a, const moment& b) {
    return a.at != b.at ? a.at < b.at : a.returns < b.returns;
  });
  finding appends{
      "an append stands below one that was acknowledged, or an end that was read, before it began"};
  finding reads{"a linearizable read does not see what was acknowledged or read before it began"};
  std::uint64_t floor = 0;
  for (const auto& m : moments) {
    if (m.returns)
      floor = std::max(floor, m.length);
    else if (m.length < floor && m.append != nullptr)
      appends.add(text(*m.append) + ", at " + std::to_string(m.length) + ", floor " + std::to_string(floor));
    else if (m.length < floor)
      reads.add("n" + std::to_string(m.read->node) + " end " + std::to_string(m.length) + ", floor " +
                std::to_string(floor) + ", at " + std::to_string(m.at.count() / 1000) + " us");
  }
  return appends.text() + reads.text();
}

std::string check_reads(const append_history& history, const std::vector<log_entry>& log) {
  finding wrong{"a read has shown what does not stand in the log"};
  finding gaps{"a read has left something out"};
  for (const auto& r : history.reads) {
    auto expected = r.from;
    for (const auto& e : r.page.entries) {
      if (e.index >= log.size() || !(log[e.index] == e))
        wrong.add("n" + std::to_string(r.node) + " " + text(e));
      if (e.index != expected++)
        gaps.add("n" + std::to_string(r.node) + " " + text(e) + ", expected " + std::to_string(expected - 1));
    }
    if (r.page.next != expected || (r.page.entries.empty() && r.from < r.page.end))
      gaps.add("n" + std::to_string(r.node) + " from " + std::to_string(r.from) + " has next " +
               std::to_string(r.page.next) + " behind " + std::to_string(expected));
  }
  return wrong.text() + gaps.text();
}

}  // namespace

void append_history::add(append_history&& other) {
  std::move(other.appends.begin(), other.appends.end(), std::back_inserter(appends));
  std::move(other.reads.begin(), other.reads.end(), std::back_inserter(reads));
  std::move(other.odd.begin(), other.odd.end(), std::back_inserter(odd));
}

std::size_t append_history::count(append_fate fate) const {
  return static_cast<std::size_t>(std::ranges::count(appends, fate, &append_record::fate));
}

std::chrono::nanoseconds append_history::longest_gap() const {
  std::vector<std::chrono::nanoseconds> times;
  for (const auto& a : appends)
    if (a.fate == append_fate::acknowledged)
      times.push_back(a.returned);
  std::ranges::sort(times);
  std::chrono::nanoseconds longest{};
  for (std::size_t i = 1; i < times.size(); ++i)
    longest = std::max(longest, times[i] - times[i - 1]);
  return longest;
}

std::string violations(const append_history& history, const final_logs& logs) {
  finding odd{"an answer that nobody should get"};
  for (const auto& line : history.odd)
    odd.add(line);
  if (logs.empty())
    return odd.text() + "no log could be read\n";
  const auto& log = logs.begin()->second;
  places where;
  auto out = odd.text() + check_equal(logs) + check_gaps(logs) + check_values(history, log, where);
  return out + check_real_time(history, where) + check_reads(history, log);
}

}  // namespace quorate::testing
