#include "balancers/messages.hpp"

namespace quorate {

namespace {

template <class List>
std::string listed(const List& list) {
  std::string out;
  for (const auto& x : list)
    out += (out.empty() ? "" : ", ") + x;
  return out;
}

std::vector<std::string> texts(const std::vector<command>& list) {
  std::vector<std::string> out;
  for (const auto& c : list)
    out.push_back(text(c.id) + "+" + std::to_string(c.body.size()));
  return out;
}

std::vector<std::string> texts(const std::vector<command_id>& list) {
  std::vector<std::string> out;
  for (const auto& id : list)
    out.push_back(text(id));
  return out;
}

std::vector<std::string> texts(const std::vector<node_id>& list) {
  std::vector<std::string> out;
  for (const auto n : list)
    out.push_back(text(n));
  return out;
}

}  // namespace

std::string text(const route& m) {
  return "route{" + listed(texts(m.commands)) + (m.avoid.empty() ? "" : " not " + listed(texts(m.avoid))) +
         "}";
}
std::size_t wire_size(const route&) {
  return 64;
}

std::string text(const routed& m) {
  std::vector<std::string> parts;
  for (const auto& g : m.list)
    parts.push_back(text(g.node) + ": " + listed(texts(g.ids)));
  if (!m.nowhere.empty())
    parts.push_back("nowhere: " + listed(texts(m.nowhere)));
  std::string out = "routed{";
  for (std::size_t i = 0; i < parts.size(); ++i)
    out += (i > 0 ? "; " : "") + parts[i];
  return out + "}";
}
std::size_t wire_size(const routed&) {
  return 64;
}

std::string text(const handover& m) {
  return "handover{" + listed(texts(m.commands)) + "}";
}
std::size_t wire_size(const handover& m) {
  // What the submission that it becomes is counted as: the replica acknowledges that.
  return submission_bytes(m.commands);
}

std::string text(const feedback& m) {
  std::vector<std::string> parts;
  for (const auto& [node, e] : m.of) {
    auto part = text(node);
    for (const auto& [word, n] : {std::pair{" took ", e.taken},
                                  {" answered ", e.answered},
                                  {" failed ", e.failed},
                                  {" released ", e.released}})
      part += n > 0 ? word + std::to_string(n) : "";
    parts.push_back(std::move(part));
  }
  return "feedback{" + listed(parts) + "}";
}

std::string text(const nodes_seen& m) {
  std::vector<std::string> parts;
  for (const auto& [node, s] : m.of)
    parts.push_back(text(node) + (s.reachable ? " " + std::to_string(s.fill_percent) + "%" : " silent"));
  return "nodes_seen{" + listed(parts) + "}";
}

#define QUORATE_TEXT_OF(type, expression)                                                                    \
  std::string text(const type& m) {                                                                          \
    static_cast<void>(m);                                                                                    \
    return std::string{type::name} + "{" + (expression) + "}";                                               \
  }                                                                                                          \
  std::size_t wire_size(const type&) {                                                                       \
    return 64;                                                                                               \
  }

QUORATE_TEXT_OF(route_mode, std::string{m.direct ? "direct" : "ask"})
QUORATE_TEXT_OF(route_again, "")
QUORATE_TEXT_OF(nodes_lost, listed(texts(m.list)))
QUORATE_TEXT_OF(policy_change, m.chosen.name)
QUORATE_TEXT_OF(balancer_figures, m.policy)

std::size_t wire_size(const feedback&) {
  return 64;
}
std::size_t wire_size(const nodes_seen&) {
  return 64;
}

}  // namespace quorate
