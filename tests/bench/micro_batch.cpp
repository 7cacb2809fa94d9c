// What a batch costs on its way: encoding and decoding its commands, the message that carries it, and
// applying it.
#include "actors/command.hpp"
#include "protocols/paxos/ports.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "runtime/append_log.hpp"
#include "runtime/executor.hpp"

#include <benchmark/benchmark.h>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

using namespace quorate;

namespace {

std::vector<command> commands_of(session_id session, std::uint64_t first, std::uint64_t count) {
  const payload value{"\"" + std::string(98, 'x') + "\""};
  std::vector<command> commands(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    commands[i].id = {session, sequence{first + i}};
    commands[i].done_below = first;
    commands[i].key = "k";
    commands[i].body = value;
  }
  return commands;
}

/// Items are commands of 100 bytes, here and below.
void encode_batch(benchmark::State& state) {
  const auto commands = commands_of(session_id{1}, 0, static_cast<std::uint64_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(encode_commands(commands));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void decode_batch(benchmark::State& state) {
  const auto bytes =
      encode_commands(commands_of(session_id{1}, 0, static_cast<std::uint64_t>(state.range(0))));
  for (auto _ : state)
    benchmark::DoNotOptimize(decode_commands(bytes.view()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

with_payload<paxos::Accept> accept_of(std::int64_t commands) {
  with_payload<paxos::Accept> message;
  message.head.set_slot(1'000'000);
  message.head.mutable_ballot()->set_round(7);
  message.head.mutable_ballot()->set_node(3);
  message.body = encode_commands(commands_of(session_id{1}, 0, static_cast<std::uint64_t>(commands)));
  return message;
}

void serialize_message(benchmark::State& state) {
  auto message = accept_of(state.range(0));
  caf::byte_buffer buffer;
  for (auto _ : state) {
    buffer.clear();
    caf::binary_serializer sink{nullptr, buffer};
    if (!sink.apply(message))
      state.SkipWithError("not serialized");
    benchmark::DoNotOptimize(buffer.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(buffer.size()));
}

void deserialize_message(benchmark::State& state) {
  auto message = accept_of(state.range(0));
  caf::byte_buffer buffer;
  caf::binary_serializer sink{nullptr, buffer};
  auto ok = sink.apply(message);
  for (auto _ : state) {
    with_payload<paxos::Accept> copy;
    caf::binary_deserializer source{nullptr, buffer};
    ok = ok && source.apply(copy);
    benchmark::DoNotOptimize(copy.body.size());
  }
  if (!ok)
    state.SkipWithError("not deserialized");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(buffer.size()));
}

session_id opened_session(executor& replica) {
  command open;
  open.kind = command_kind::open_session;
  const auto outcome = replica.apply(encode_commands({open}).view(), epoch_id{0}, cursor{1});
  std::uint64_t session = 0;
  for (std::size_t i = 0; i < 8; ++i)
    session |= std::uint64_t{static_cast<std::uint8_t>(outcome.at(0).body.view()[i])} << (8 * i);
  return session_id{session};
}

/// Sessions, the append log and one write into a store in memory. Encoding is not counted.
void apply_batch(benchmark::State& state) {
  memory_store store;
  append_log machine;
  executor replica{machine, store};
  if (replica.load())
    state.SkipWithError("the store does not load");
  const auto session = opened_session(replica);
  const auto count = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t first = 0;
  std::uint64_t at = 2;
  for (auto _ : state) {
    state.PauseTiming();
    const auto bytes = encode_commands(commands_of(session, first, count));
    first += count;
    state.ResumeTiming();
    const auto outcomes = replica.apply(bytes.view(), epoch_id{0}, cursor{at++});
    if (outcomes.back().code != errc::ok)
      state.SkipWithError("a command was not applied");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

BENCHMARK(encode_batch)->ArgName("commands")->Arg(1)->Arg(100)->Arg(1'000);
BENCHMARK(decode_batch)->ArgName("commands")->Arg(1)->Arg(100)->Arg(1'000);
BENCHMARK(serialize_message)->ArgName("commands")->Arg(1)->Arg(100)->Arg(1'000);
BENCHMARK(deserialize_message)->ArgName("commands")->Arg(1)->Arg(100)->Arg(1'000);
// The store keeps what is applied, so that the number of batches has to have an end.
BENCHMARK(apply_batch)->ArgName("commands")->Arg(1)->Arg(100)->Arg(1'000)->Iterations(500);
BENCHMARK_MAIN();
