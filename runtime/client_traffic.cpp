#include "runtime/client_traffic.hpp"

namespace quorate {

std::string text(const client_submission& m) {
  return "client_submission{" + std::to_string(m.commands.size()) + "}";
}
std::size_t wire_size(const client_submission& m) {
  return 64 * m.commands.size();
}

std::string text(const client_outcomes& m) {
  return "client_outcomes{" + std::to_string(m.list.size()) + "}";
}
std::size_t wire_size(const client_outcomes& m) {
  return 64 * m.list.size();
}

}  // namespace quorate
