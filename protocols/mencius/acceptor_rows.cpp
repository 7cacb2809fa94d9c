#include "protocols/mencius/acceptor_rows.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"

namespace quorate::mencius::rows {

namespace {

void put_ballot(std::string& out, const ballot& b) {
  put_little(out, b.round);
  put_little(out, b.node.value);
}

ballot take_ballot(byte_reader& in) {
  const auto round = in.little<std::uint64_t>();
  return {round, node_id{in.little<std::uint32_t>()}};
}

}  // namespace

std::string vote_key(slot s) {
  return vote_kind + ordered_key(s);
}

std::string range_key(char kind, lane l, std::uint64_t begin) {
  std::string out(1, kind);
  put_big(out, l);
  put_big(out, begin);
  return out;
}

std::string end_of(char kind) {
  return std::string(1, static_cast<char>(kind + 1));
}

std::string bytes(slot floor) {
  std::string out;
  put_little(out, floor);
  return out;
}

std::string bytes(const slot_vote& v) {
  std::string out;
  put_ballot(out, v.at);
  put_little(out, v.id.node.value);
  put_little(out, v.id.boot.value);
  put_little(out, v.id.number);
  put_little(out, v.since);
  return out;
}

std::string bytes(std::uint64_t end, const ballot& at) {
  std::string out;
  put_little(out, end);
  put_ballot(out, at);
  return out;
}

slot floor(const std::string& value) {
  byte_reader in{value};
  const auto result = in.little<slot>();
  ENSURE(in.ok() && in.at_end(), "mencius acceptor: the saved floor cannot be read");
  return result;
}

slot slot_of(const journal_row& row) {
  byte_reader in{std::string_view{row.key}.substr(1)};
  const auto s = in.big<slot>();
  ENSURE(in.ok() && in.at_end(), "mencius acceptor: a saved key is not a slot's");
  return s;
}

slot_vote vote(const journal_row& row) {
  byte_reader in{row.value};
  slot_vote v;
  v.at = take_ballot(in);
  v.id.node = node_id{in.little<std::uint32_t>()};
  v.id.boot = boot_id{in.little<std::uint64_t>()};
  v.id.number = in.little<std::uint64_t>();
  v.since = in.little<slot>();
  ENSURE(in.ok() && in.at_end(), "mencius acceptor: a saved vote cannot be read");
  ENSURE(row.batch && row.batch->id == v.id && !row.batch->body.empty(),
         "mencius acceptor: the batch of a saved vote is missing");
  return v;
}

saved_range range(const journal_row& row) {
  byte_reader key{std::string_view{row.key}.substr(1)};
  saved_range r{};
  r.which = key.big<lane>();
  r.begin = key.big<std::uint64_t>();
  byte_reader in{row.value};
  r.end = in.little<std::uint64_t>();
  r.at = take_ballot(in);
  ENSURE(key.ok() && key.at_end() && in.ok() && in.at_end() && r.begin < r.end,
         "mencius acceptor: a saved range cannot be read");
  return r;
}

}  // namespace quorate::mencius::rows
