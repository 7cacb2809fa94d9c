// Does memory grow with the length of the log? Applies entries to an append log on disk, as a replica does,
// and prints the process's resident memory on the way: log_growth [entries, default 10 million].
#include "actors/command.hpp"
#include "runtime/append_log.hpp"
#include "runtime/executor.hpp"
#include "runtime/rocks_store.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace quorate;

namespace {

constexpr std::uint64_t commands_per_batch = 500;

double resident_mib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:"))
      return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

payload batch_of(session_id session, std::uint64_t first) {
  const payload value{"\"" + std::string(98, 'x') + "\""};
  std::vector<command> commands(commands_per_batch);
  for (std::uint64_t i = 0; i < commands_per_batch; ++i) {
    commands[i].id = {session, sequence{first + i}};
    commands[i].done_below = first;
    commands[i].key = "k";
    commands[i].body = value;
  }
  return encode_commands(commands);
}

}  // namespace

int main(int argc, char** argv) {
  const auto entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000ULL;
  auto name = (std::filesystem::temp_directory_path() / "quorate-log-growth-XXXXXX").string();
  if (!::mkdtemp(name.data())) {
    std::perror("log_growth: no temporary directory");
    return 1;
  }
  const struct remover {
    std::filesystem::path path;
    ~remover() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } place{name};
  auto opened = rocks_store::open(place.path / "state");
  if (const auto* failed = std::get_if<failure>(&opened)) {
    std::fprintf(stderr, "%s\n", failed->message.c_str());
    return 1;
  }
  auto& store = *std::get<std::unique_ptr<rocks_store>>(opened);
  append_log machine;
  executor replica{machine, store};
  if (const auto failed = replica.load()) {
    std::fprintf(stderr, "%s\n", failed->message.c_str());
    return 1;
  }
  command open;
  open.kind = command_kind::open_session;
  const auto outcome = replica.apply(encode_commands({open}).view(), epoch_id{0}, cursor{1});
  std::uint64_t session = 0;
  for (std::size_t i = 0; i < 8; ++i)
    session |= std::uint64_t{static_cast<std::uint8_t>(outcome.at(0).body.view()[i])} << (8 * i);

  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t done = 0; done < entries; done += commands_per_batch) {
    static_cast<void>(replica.apply(batch_of(session_id{session}, done).view(), epoch_id{0},
                                    cursor{2 + done / commands_per_batch}));
    if ((done + commands_per_batch) % 1'000'000 == 0)
      std::printf("%llu entries: %.1f MiB resident, %.1f s\n",
                  static_cast<unsigned long long>(done + commands_per_batch), resident_mib(),
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
}
