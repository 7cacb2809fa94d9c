#include "tests/harness/process/append_clients.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

constexpr auto patience_beyond_timeout = std::chrono::milliseconds{5'000};  // nodes may be frozen for seconds
constexpr auto pause_after_failure = std::chrono::milliseconds{20};
constexpr std::uint64_t page_entries = 50;

std::chrono::nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// One client: a connection and what it saw.
class one_client {
public:
  one_client(std::size_t node, const endpoint& at, const client_habits& habits, append_history& seen)
      : node_(node), http_(at, habits.timeout + patience_beyond_timeout),
        timeout_("timeout_ms=" + std::to_string(habits.timeout.count())), seen_(seen) {}

  /// Whether it was acknowledged; nothing where the node cannot be reached.
  bool append(std::string key, std::string value) {
    append_record a{node_, std::move(key), std::move(value), now(), {}, append_fate::unknown, 0};
    const auto reply = http_.post("/append_log?" + timeout_, append_text(a.key, a.value));
    a.returned = now();
    if (!reply && !http_.sent())
      return false;
    if (reply)
      judge(*reply, a);
    seen_.appends.push_back(a);
    return a.fate == append_fate::acknowledged;
  }

  bool read() {
    read_record r{node_, now(), {}, from_, {}};
    const auto reply = http_.get("/log?from=" + std::to_string(from_) +
                                 "&limit=" + std::to_string(page_entries) + "&" + timeout_);
    r.returned = now();
    if (!reply)
      return false;
    if (reply->status != 200) {
      if (reply->status != 503 || parse_error(reply->body).empty())
        seen_.odd.push_back("GET /log: " + std::to_string(reply->status) + " " + reply->body);
      return false;
    }
    auto page = parse_log_page(reply->body);
    if (!page) {
      seen_.odd.push_back("GET /log: not a page: " + reply->body.substr(0, 200));
      return false;
    }
    r.page = std::move(*page);
    // The next read is of the log's end as it is now.
    from_ = r.page.end > page_entries ? r.page.end - page_entries : 0;
    seen_.reads.push_back(std::move(r));
    return true;
  }

private:
  void judge(const http_reply& reply, append_record& a) {
    const auto error = reply.status == 200 ? std::string{} : parse_error(reply.body);
    const auto index = reply.status == 200 ? parse_append_answer(reply.body) : std::nullopt;
    if (index) {
      a.fate = append_fate::acknowledged;
      a.index = *index;
    } else if (error == "disk_full" ||
               ((reply.status == 503 || reply.status == 429) && !error.empty() && reply.has_field("Retry-After"))) {
      a.fate = append_fate::refused;
    } else if (reply.status != 504 || error != "unknown_outcome") {
      seen_.odd.push_back("POST /append_log: " + std::to_string(reply.status) + " " +
                          reply.body.substr(0, 200));
    }
  }

  std::size_t node_;
  http_client http_;
  std::string timeout_;
  append_history& seen_;
  std::uint64_t from_ = 0;
};

std::vector<endpoint> on_loopback(const std::vector<std::uint16_t>& ports) {
  std::vector<endpoint> nodes;
  for (const auto port : ports)
    nodes.push_back({"127.0.0.1", port});
  return nodes;
}

}  // namespace

append_clients::append_clients(std::string name, const std::vector<std::uint16_t>& ports,
                               client_habits habits)
    : append_clients(on_loopback(ports), std::move(name), habits) {}

append_clients::append_clients(const std::vector<endpoint>& nodes, std::string name, client_habits habits)
    : name_(std::move(name)), habits_(habits), seen_(nodes.size() * habits.per_node) {
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const auto node = i % nodes.size() + 1;
    threads_.emplace_back([this, i, node, at = nodes[node - 1]] { run(i, node, at); });
  }
}

void append_clients::run(std::size_t number, std::size_t node, const endpoint& at) {
  one_client client{node, at, habits_, seen_[number]};
  const auto key = name_ + std::to_string(number);
  for (std::uint64_t n = 1; !stopping_; ++n) {
    auto answered = false;
    if (habits_.read_every != 0 && n % habits_.read_every == 0) {
      answered = client.read();
    } else {
      auto value = key + "-" + std::to_string(n);
      value.resize(std::max(value.size(), habits_.value_bytes), '.');
      answered = client.append(key, std::move(value));
      acknowledged_ += answered ? 1 : 0;
    }
    if (const auto pause = answered ? habits_.think : pause_after_failure; pause.count() > 0)
      std::this_thread::sleep_for(pause);
  }
}

append_history append_clients::stop() {
  stopping_ = true;
  for (auto& t : threads_)
    if (t.joinable())
      t.join();
  append_history all;
  for (auto& seen : seen_)
    all.add(std::move(seen));
  seen_.clear();
  return all;
}

}  // namespace quorate::testing
