// What a save costs: the group commit of the journal's actor over RocksDB, for 1, 16 and 256 that save at the
// same time, and the journal in memory. The disk decides about the first: compare with its own time for one
// sync.
#include "runtime/journal_actor.hpp"
#include "runtime/local_cluster.hpp"
#include "runtime/rocks_journal.hpp"
#include "runtime/segment_journal.hpp"

#include <benchmark/benchmark.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

using namespace quorate;

namespace {

constexpr std::uint64_t saves_per_round = 512;
constexpr std::size_t value_bytes = 200;

/// A directory of its own that goes away with the object.
class scratch {
public:
  scratch() {
    auto name = (std::filesystem::temp_directory_path() / "quorate-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      std::abort();
    path_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

void end(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

journal_op save(std::uint64_t writer, std::uint64_t number) {
  journal_space space{group_id{0}, epoch_id{0}, port::acceptor};
  return {space.prefix() + std::to_string(writer) + "-" + std::to_string(number % 1'000),
          std::string(value_bytes, static_cast<char>('a' + number % 26)), std::nullopt, false};
}

/// Savers that save again as soon as their last save is durable, and the actors of a journal.
class saving_node {
public:
  saving_node(std::shared_ptr<journal> target, std::uint64_t savers) {
    config_.set("caf.scheduler.policy", "sharing");
    config_.set("caf.scheduler.max-threads", 1);
    system_ = std::make_unique<caf::actor_system>(config_);
    journal_ = spawn_journal(*system_, {std::move(target), end});
    for (std::uint64_t i = 0; i < savers; ++i)
      savers_.push_back(system_->spawn(saver, journal_, i, saves_per_round / savers, left_));
  }
  saving_node(const saving_node&) = delete;
  saving_node& operator=(const saving_node&) = delete;
  ~saving_node() {
    for (const auto& s : savers_)
      caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(journal_, caf::exit_reason::user_shutdown);
  }

  /// `saves_per_round` saves, shared by all savers.
  void round() {
    left_->store(savers_.size());
    for (const auto& s : savers_)
      caf::anon_send(s, start_role{});
    for (auto left = left_->load(); left > 0; left = left_->load())
      left_->wait(left);
  }

private:
  static caf::behavior saver(caf::event_based_actor* self, const journal_actor& journal, std::uint64_t number,
                             std::uint64_t saves, const std::shared_ptr<std::atomic<std::uint64_t>>& left) {
    const auto next = [=](std::uint64_t ticket) {
      self->send(
          journal,
          journal_write{{save(number, ticket)}, true, ticket, caf::actor_cast<caf::strong_actor_ptr>(self)});
    };
    return {[=](const start_role&) { next(1); },
            [=](const journal_done& done) {
              if (done.ticket < saves) {
                next(done.ticket + 1);
              } else if (--*left == 0) {
                left->notify_one();
              }
            }};
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  journal_actor journal_;
  std::vector<caf::actor> savers_;
  std::shared_ptr<std::atomic<std::uint64_t>> left_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

void run(benchmark::State& state, std::shared_ptr<journal> target) {
  quorate::initialize();
  saving_node node{std::move(target), static_cast<std::uint64_t>(state.range(0))};
  for (auto _ : state)
    node.round();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(saves_per_round));
}

/// Items are saves of 200 bytes, each durable before its writer goes on.
void rocks_group_commit(benchmark::State& state) {
  const scratch place;
  auto opened = rocks_journal::open(place.path() / "journal");
  if (const auto* failed = std::get_if<failure>(&opened))
    return state.SkipWithError(failed->message.c_str());
  run(state, std::move(std::get<std::unique_ptr<rocks_journal>>(opened)));
}

void segment_group_commit(benchmark::State& state) {
  const scratch place;
  auto opened = segment_journal::open(place.path() / "journal");
  if (const auto* failed = std::get_if<failure>(&opened))
    return state.SkipWithError(failed->message.c_str());
  run(state, std::move(std::get<std::unique_ptr<segment_journal>>(opened)));
}

void memory_group_commit(benchmark::State& state) {
  run(state, std::make_shared<memory_journal>());
}

/// The measure for the above: what the disk takes for the same bytes and one sync, without a database.
void bare_append_and_sync(benchmark::State& state) {
  const scratch place;
  const auto path = place.path() / "file";
  const auto file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string bytes(value_bytes, 'x');
  for (auto _ : state)
    if (::write(file, bytes.data(), bytes.size()) < 0 || ::fdatasync(file) != 0)
      state.SkipWithError("the disk has failed");
  ::close(file);
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

BENCHMARK(segment_group_commit)->ArgName("writers")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();
BENCHMARK(rocks_group_commit)->ArgName("writers")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();
BENCHMARK(memory_group_commit)->ArgName("writers")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();
BENCHMARK(bare_append_and_sync)->UseRealTime();
BENCHMARK_MAIN();
