#include "runtime/founding.hpp"

#include "actors/ensure.hpp"
#include "actors/hash.hpp"
#include "actors/last_words.hpp"
#include "actors/wording.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace quorate {

namespace {

constexpr timer_tag hello_timer{1};
constexpr std::string_view key = "f";
constexpr std::string_view address_prefix = "a";  // + name: where the node was at the last start
constexpr std::string_view address_end = "b";

std::string bytes_of(const wire::Founding& list) {
  return list.SerializeAsString();
}

std::string options_text(const wire::Founding& f) {
  std::string out;
  for (const auto& option : f.options())
    out += (out.empty() ? "" : ", ") + option.name() + " = " + option.value();
  return out.empty() ? "none" : out;
}

std::string names_text(const wire::Founding& f) {
  std::vector<std::string> names;
  for (const auto& m : f.members())
    names.push_back(m.name());
  std::sort(names.begin(), names.end());
  return listed(names);
}

bool numbered_alike(const wire::Founding& a, const wire::Founding& b) {
  return std::all_of(a.members().begin(), a.members().end(), [&](const auto& m) {
    return std::any_of(b.members().begin(), b.members().end(),
                       [&](const auto& n) { return n.name() == m.name() && n.id() == m.id(); });
  });
}

/// The member of that name, or null.
const wire::Member* find(const wire::Founding& list, const std::string& name) {
  const auto found = std::find_if(list.members().begin(), list.members().end(),
                                  [&](const auto& m) { return m.name() == name; });
  return found == list.members().end() ? nullptr : &*found;
}

}  // namespace

std::string text(const founded& m) {
  return "founded{" + std::to_string(m.members.size()) + "}";
}
std::size_t wire_size(const founded&) {
  return 64;
}
std::string text(const not_founded& m) {
  return "not_founded{" + m.reason + "}";
}
std::size_t wire_size(const not_founded&) {
  return 64;
}

std::uint64_t cluster_hash(std::string_view name) {
  return hash_bytes(1, name);
}

std::string founding_difference(const wire::Founding& ours, const wire::Founding& theirs) {
  auto differ = [](std::string_view what, const std::string& a, const std::string& b) {
    return std::string{what} + " differs: here " + a + ", there " + b;
  };
  if (ours.cluster() != theirs.cluster())
    return differ("cluster.name", ours.cluster(), theirs.cluster());
  if (names_text(ours) != names_text(theirs))
    return differ("cluster.nodes", names_text(ours), names_text(theirs));
  if (!numbered_alike(ours, theirs))
    return "cluster.nodes differs: the same names, but under other numbers";
  if (ours.protocol() != theirs.protocol())
    return differ("cluster.protocol", ours.protocol(), theirs.protocol());
  if (options_text(ours) != options_text(theirs))
    return differ("cluster." + ours.protocol(), options_text(ours), options_text(theirs));
  if (ours.machine() != theirs.machine())
    return differ("cluster.machine", ours.machine(), theirs.machine());
  return {};
}

founding::founding(founding_setup setup) : setup_(std::move(setup)) {
  auto* members = setup_.spec.mutable_members();
  std::sort(members->begin(), members->end(), [](const auto& a, const auto& b) { return a.id() < b.id(); });
  disks_[setup_.self] = setup_.disk;
}

std::optional<wire::Hello> founding::saved_in(const journal_view& saved) {
  wire::Hello state;
  const auto row = saved.get(key);
  if (row && (!state.ParseFromString(*row) || state.phase() == wire::Hello::BLANK))
    return std::nullopt;
  return state;
}

void founding::recover(const journal_view& saved) {
  const auto state = saved_in(saved);
  ENSURE(state, text(setup_.self) + " founding: what was saved cannot be read");
  phase_ = state->phase();
  list_ = state->founding();
  saved.scan(address_prefix, address_end, [&](journal_row&& row) {
    addresses_[row.key.substr(address_prefix.size())] = row.value;
    return true;
  });
}

void founding::mind_addresses(out& o) {
  std::string moved;
  for (const auto& [name, address] : setup_.addresses) {
    const auto before = std::exchange(addresses_[name], address);
    if (before == address)
      continue;
    if (!before.empty())
      moved += (moved.empty() ? "" : ", ") + name + " at " + address + " (it was " + before + ")";
    o.save_lazy(std::string{address_prefix} + name, address);
  }
  if (!moved.empty())
    o.note(severity::info, "since the last start the spec has other addresses, which count: " + moved);
}

void founding::start(out& o) {
  // Whoever makes a node settles what it runs with first; to run with anything else would tear the state
  // apart.
  if (phase_ != wire::Hello::BLANK)
    if (const auto difference = founding_difference(setup_.spec, list_); !difference.empty())
      end_for("this node does not run with what was founded: " + difference);
  mind_addresses(o);
  if (phase_ == wire::Hello::FOUNDED) {
    announce(o);
  } else {
    tell_why(setup_.self, "waits for all members of the spec to be heard once", severity::info, o);
    confirm_when_complete(o);
    say_hello(others(), o);
    o.set_timer(hello_timer, setup_.hello_every);
  }
}

std::vector<node_id> founding::others() const {
  std::vector<node_id> out;
  for (const auto& m : setup_.spec.members())
    if (m.id() != setup_.self.value)
      out.push_back(node_id{m.id()});
  return out;
}

std::string founding::name_of_node(node_id id) const {
  for (const auto& m : setup_.spec.members())
    if (m.id() == id.value)
      return m.name();
  return text(id);
}

void founding::say_hello(std::span<const node_id> to, out& o) {
  wire::Hello msg;
  msg.set_cluster(setup_.spec.cluster());
  msg.set_name(name_of_node(setup_.self));
  msg.set_phase(phase_);
  msg.set_disk(setup_.disk.value);
  *msg.mutable_founding() = phase_ == wire::Hello::BLANK ? setup_.spec : list_;
  if (!to.empty())
    o.send(to, std::move(msg));
}

void founding::on(timer_tag, out& o) {
  if (phase_ == wire::Hello::FOUNDED)
    return;
  say_hello(others(), o);
  o.set_timer(hello_timer, setup_.hello_every);
}

std::optional<node_id> founding::number_of(const std::string& name) const {
  if (const auto* m = find(setup_.spec, name); m != nullptr && m->id() != setup_.self.value)
    return node_id{m->id()};
  for (const auto& s : setup_.strangers)
    if (s.name == name)
      return s.id;
  return std::nullopt;
}

void founding::answer(node_id node, const wire::Hello& msg, out& o) {
  if (msg.phase() == wire::Hello::FOUNDED)
    return;
  // Once per disk: it says hello for as long as it runs.
  if (const auto* m = find(list_, msg.name());
      m != nullptr && m->disk() != msg.disk() &&
      std::exchange(strangers_[node], disk_id{msg.disk()}) != disk_id{msg.disk()})
    o.note(severity::warning,
           msg.name() + " has come with a disk that is not a member's (was it wiped?): it has no vote "
                        "until it is replaced");
  const std::array to{node};
  say_hello(to, o);
}

void founding::hear_of_founded(const std::string& who, const wire::Founding& list, out& o) {
  const auto self = name_of_node(setup_.self);
  const auto* us = find(list, self);
  if (us == nullptr) {
    tell_why(setup_.self,
             "the cluster was founded without " + self + " (its members: " + names_text(list) +
                 "): this node has no vote, and this version adds no members",
             severity::error, o);
  } else if (us->disk() != setup_.disk.value) {
    tell_why(setup_.self,
             "the cluster was founded with another disk of " + self +
                 " (was this one wiped?): this node has no vote until it is replaced",
             severity::error, o);
  } else if (const auto difference = founding_difference(setup_.spec, list); !difference.empty()) {
    tell_why(*number_of(who), who + " has another spec: " + difference, severity::error, o);
  } else {
    found(list, o);
  }
}

// By name, not by the number in the message's origin: a node whose spec differs may have another one for
// itself.
void founding::on(node_id, const wire::Hello& msg, out& o) {
  const auto from = number_of(msg.name());
  if (!from)
    return;
  if (phase_ == wire::Hello::FOUNDED)
    return answer(*from, msg, o);
  if (msg.phase() == wire::Hello::FOUNDED && msg.founding().cluster() == setup_.spec.cluster())
    return hear_of_founded(msg.name(), msg.founding(), o);
  if (const auto difference = founding_difference(setup_.spec, msg.founding()); !difference.empty()) {
    tell_why(*from, msg.name() + " has another spec: " + difference, severity::error, o);
    return;
  }
  disks_[*from] = disk_id{msg.disk()};
  if (msg.phase() == wire::Hello::CONFIRMED)
    confirmed_[*from] = bytes_of(msg.founding());
  confirm_when_complete(o);
  found_when_agreed(o);
}

void founding::confirm_when_complete(out& o) {
  if (phase_ != wire::Hello::BLANK || disks_.size() < static_cast<std::size_t>(setup_.spec.members_size()))
    return;
  auto list = setup_.spec;
  for (auto& m : *list.mutable_members())
    m.set_disk(disks_.at(node_id{m.id()}).value);
  for (const auto& [node, theirs] : confirmed_)
    if (!stands_by(node, list, o))
      return;
  list_ = std::move(list);
  phase_ = wire::Hello::CONFIRMED;
  save(o);
  say_hello(others(), o);
  found_when_agreed(o);
}

bool founding::stands_by(node_id node, const wire::Founding& list, out& o) {
  if (confirmed_.at(node) == bytes_of(list))
    return true;
  tell_why(node,
           name_of_node(node) +
               " stands by other disks than those heard here: a data directory was wiped while the "
               "cluster was being founded; empty all data directories and start again",
           severity::error, o);
  return false;
}

void founding::found_when_agreed(out& o) {
  if (phase_ != wire::Hello::CONFIRMED)
    return;
  for (const auto n : others())
    if (!confirmed_.contains(n) || !stands_by(n, list_, o))
      return;
  found(wire::Founding{list_}, o);
}

void founding::found(const wire::Founding& list, out& o) {
  ENSURE(phase_ != wire::Hello::CONFIRMED || bytes_of(list) == bytes_of(list_),
         text(setup_.self) +
             " founding: the cluster was founded with a list that this node has not confirmed");
  list_ = list;
  phase_ = wire::Hello::FOUNDED;
  save(o);
  o.cancel_timer(hello_timer);
  say_hello(others(), o);
  o.note(severity::info, "the cluster \"" + list_.cluster() + "\" is founded: " + names_text(list_) +
                             ", protocol " + list_.protocol());
  announce(o);
}

void founding::save(out& o) {
  wire::Hello state;
  state.set_phase(phase_);
  *state.mutable_founding() = list_;
  o.save(std::string{key}, state.SerializeAsString());
}

void founding::announce(out& o) {
  founded msg;
  for (const auto& m : list_.members())
    msg.members.push_back({node_id{m.id()}, m.name(), disk_id{m.disk()}});
  // Messages of a cluster of the same name that was founded otherwise must not count.
  msg.cluster = hash_bytes(cluster_hash(list_.cluster()), bytes_of(list_));
  msg.protocol = list_.protocol();
  for (const auto& option : list_.options())
    msg.options[option.name()] = option.value();
  msg.machine = list_.machine();
  o.send(setup_.self, std::move(msg));
}

void founding::tell_why(node_id because_of, const std::string& reason, severity level, out& o) {
  // Once: each of them says hello for as long as it runs.
  if (std::exchange(told_[because_of], reason) == reason)
    return;
  o.note(level, reason);
  o.send(setup_.self, not_founded{reason});
}

}  // namespace quorate
