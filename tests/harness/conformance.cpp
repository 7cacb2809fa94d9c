#include "tests/harness/conformance.hpp"

#include "runtime/append_log_format.hpp"
#include "runtime/local_cluster.hpp"
#include "tests/harness/deterministic_system.hpp"
#include "tests/harness/explore.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <set>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

cluster_spec spec_of(const protocol& ordering, std::uint32_t members) {
  cluster_spec spec;
  spec.name = "conformance";
  spec.protocol = ordering.name;
  for (std::uint32_t n = 1; n <= members; ++n)
    spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
  return spec;
}

/// A local cluster under a seed, and what its clients were told.
class local_run {
public:
  local_run(const protocol& ordering, std::uint32_t members, std::uint64_t seed)
      : det_(seed), members_(members), faults_(std::make_shared<link_faults>(link_faults{5, 5, 5ms})) {
    local_options options;
    options.deterministic = true;
    options.seed = seed;
    options.ordering = &ordering;
    options.between = [this](node_id, node_id, const role_address&, const caf::strong_actor_ptr& handle) {
      links_.push_back(spawn_faulty_link(det_, handle, faults_));
      return links_.back();
    };
    cluster_ = std::make_unique<local_cluster>(det_.system(), spec_of(ordering, members), options);
  }
  ~local_run() {
    cluster_.reset();
    for (const auto& link : links_)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(link), caf::exit_reason::user_shutdown);
    det_.drain();
  }
  local_run(const local_run&) = delete;
  local_run& operator=(const local_run&) = delete;

  /// The first promise that was broken, or nothing.
  std::string failure() {
    append_everywhere(2s);
    det_.run_for(100ms);
    if (members_ > 1)
      cluster_->cut_off(node_id{members_}, true);
    append_everywhere(2s);
    if (!det_.run_until([&] { return open_ == 0; }, 20s))
      return "clients got no answer";
    cluster_->cut_off(node_id{members_}, false);
    *faults_ = {};
    det_.run_for(3s);
    const auto before = acknowledged_.size();
    append_everywhere(10s);
    if (!det_.run_until([&] { return open_ == 0; }, 20s) || acknowledged_.size() != before + members_)
      return "not every member gets its commands ordered when all are up";
    return compare_logs();
  }

private:
  void append_everywhere(duration timeout) {
    for (std::uint32_t n = 1; n <= members_; ++n) {
      const auto value = "\"v" + std::to_string(++sent_) + "\"";
      ++open_;
      cluster_->submit(node_id{n}, {token{}, request_kind::write, "k", payload{value}, timeout},
                       [this, value](client_reply reply) {
                         --open_;
                         if (reply.code == errc::ok)
                           acknowledged_.insert(value);
                         else if (reply.code != errc::unknown_outcome)
                           refused_.insert(value);
                       });
    }
  }

  std::optional<std::vector<std::string>> log_of(node_id node) {
    std::optional<client_reply> answer;
    cluster_->submit(node, {token{}, request_kind::read, {}, payload{encode(log_query{0, 1000, {}})}, 5s},
                     [&answer](client_reply reply) { answer = std::move(reply); });
    if (!det_.run_until([&] { return answer.has_value(); }, 20s) || answer->code != errc::ok)
      return std::nullopt;
    const auto page = decode_log_page(answer->body.view());
    if (!page)
      return std::nullopt;
    std::vector<std::string> values;
    for (const auto& e : page->entries)
      values.emplace_back(e.value);
    return values;
  }

  std::string compare_logs() {
    std::optional<std::vector<std::string>> first;
    for (std::uint32_t n = 1; n <= members_; ++n) {
      auto log = log_of(node_id{n});
      if (!log)
        return "n" + std::to_string(n) + " answers no read when all are up";
      if (first && *log != *first)
        return "n" + std::to_string(n) + " has another log than n1";
      first = std::move(log);
    }
    const std::set<std::string> values(first->begin(), first->end());
    if (values.size() != first->size())
      return "a command was executed twice";
    if (!std::includes(values.begin(), values.end(), acknowledged_.begin(), acknowledged_.end()))
      return "an acknowledged command is lost";
    for (const auto& value : refused_)
      if (values.contains(value))
        return "a refused command was executed";
    return {};
  }

  deterministic_system det_;
  std::uint32_t members_;
  std::shared_ptr<link_faults> faults_;
  std::unique_ptr<local_cluster> cluster_;
  std::vector<caf::strong_actor_ptr> links_;
  std::uint64_t sent_ = 0;
  std::uint64_t open_ = 0;
  std::set<std::string> acknowledged_;
  std::set<std::string> refused_;
};

}  // namespace

std::vector<std::string> conformance(const protocol& ordering, const conformance_options& how) {
  std::vector<std::string> failures;
  if (!ordering.check_options({{"no such option", "1"}}))
    failures.push_back("options: an unknown option is accepted");
  for (const auto members : how.members) {
    const auto place = std::to_string(members) + " members, seed ";
    exploration what;
    what.first = how.first;
    what.seeds = how.simulated_seeds;
    what.members = members;
    options checked;
    checked.checks = checks_of(ordering.name, members);
    for (const auto& f : explore(what, ordering, checked).failures)
      failures.push_back("simulator, " + place + std::to_string(f.seed) + ": " + f.failure);
    for (auto seed = how.first; seed < how.first + how.local_seeds; ++seed)
      if (const auto why = local_run{ordering, members, seed}.failure(); !why.empty())
        failures.push_back("local cluster, " + place + std::to_string(seed) + ": " + why);
  }
  return failures;
}

}  // namespace quorate::testing
