#include "tests/harness/models.hpp"

#include "actors/hash.hpp"

#include <functional>

namespace quorate::testing {

std::optional<register_model::state> register_model::apply(const state& s, const operation& op,
                                                           bool known) const {
  if (op.write)
    return op.value;
  if (known && op.value != s)
    return std::nullopt;
  return s;
}

std::uint64_t register_model::hash(const state& s) const {
  return std::hash<std::int64_t>{}(s);
}

std::optional<key_model::state> key_model::apply(const state& s, const operation& op, bool known) const {
  switch (op.what) {
  case kind::put:
    return state{op.value};
  case kind::erase:
    return state{};
  case kind::get:
    if (known && op.read != s)
      return std::nullopt;
    return s;
  case kind::compare_and_set: {
    const auto changes = s == op.expected;
    if (known && changes != op.changed)
      return std::nullopt;
    return changes ? state{op.value} : s;
  }
  }
  return std::nullopt;
}

std::uint64_t key_model::hash(const state& s) const {
  return s ? hash_bytes(1, *s) : 0;
}

bool operator==(const append_log_model::state& a, const append_log_model::state& b) {
  if (a.length() != b.length() || a.hash() != b.hash())
    return false;
  // Equal hashes of equal lengths: compare down to the part that is shared anyway.
  for (auto x = a.last.get(), y = b.last.get(); x != y; x = x->before.get(), y = y->before.get())
    if (x->value != y->value)
      return false;
  return true;
}

std::optional<append_log_model::state> append_log_model::apply(const state& s, const operation& op,
                                                               bool known) const {
  if (op.append) {
    if (known && op.index != s.length())
      return std::nullopt;
    if (!known && seen != nullptr)
      if (const auto there = seen->find(s.length()); there != seen->end() && there->second != op.value)
        return std::nullopt;
    return state{
        std::make_shared<const node>(node{s.last, op.value, s.length() + 1, hash_bytes(s.hash(), op.value)})};
  }
  if (!known)
    return s;
  if (op.end != s.length() || (!op.read.empty() && op.index + op.read.size() > s.length()))
    return std::nullopt;
  auto at = s.last.get();
  for (auto length = s.length(); !op.read.empty() && length > op.index; --length, at = at->before.get())
    if (const auto place = length - 1 - op.index; place < op.read.size() && at->value != op.read[place])
      return std::nullopt;
  return s;
}

}  // namespace quorate::testing
