#include "runtime/admission.hpp"

namespace quorate {

std::string_view to_string(disk_level level) {
  switch (level) {
  case disk_level::roomy:
    return "ok";
  case disk_level::low:
    return "low";
  case disk_level::full:
    return "full";
  case disk_level::spent:
    return "spent";
  }
  return "unknown";
}

std::string text(const admission& m) {
  std::string out = "admission{";
  out += m.majority_lost ? "no majority" : "majority";
  out += m.room_to_grow ? "" : ", no room to grow";
  out += m.room_to_free ? "" : ", no room to free";
  return out + "}";
}
std::size_t wire_size(const admission&) {
  return 16;
}

}  // namespace quorate
