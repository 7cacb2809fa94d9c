#include "actors/outbox.hpp"

#include <cctype>

namespace quorate {

namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
// Clang 14 does not deduce this by itself.
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

// Keys are bytes; a transcript needs something that a person can read and a diff can show.
std::string readable(const std::string& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const auto c : bytes) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '/') {
      out.push_back(c);
    } else {
      out.push_back('\\');
      out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(digits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

std::string recipients(const std::vector<node_id>& to) {
  std::string out;
  for (const auto n : to)
    out += (out.empty() ? "" : ",") + text(n);
  return out;
}

}  // namespace

std::string text(const effect& e) {
  return std::visit(
      overloaded{
          [](const save_effect& x) {
            return std::string{x.lazy ? "save_lazy " : "save "} + readable(x.key) +
                   (x.batch ? " batch " + text(x.batch->id) : "");
          },
          [](const erase_effect& x) { return "erase " + readable(x.from) + ".." + readable(x.to); },
          [](const send_effect& x) {
            return std::string{x.now ? "send_now " : "send "} + recipients(x.to) + " " + x.message.text();
          },
          [](const timer_effect& x) {
            return "set_timer " + std::to_string(x.tag.value) + " " + std::to_string(x.after.count() / 1000) +
                   "us";
          },
          [](const cancel_effect& x) { return "cancel_timer " + std::to_string(x.tag.value); },
          [](const read_effect& x) { return "read " + readable(x.from) + ".." + readable(x.to); },
          [](const note_effect& x) { return "note " + x.text; },
      },
      e);
}

std::string text(const effects& e) {
  std::string out;
  for (const auto& item : e.list())
    out += (out.empty() ? "" : "\n") + text(item);
  return out;
}

}  // namespace quorate
