#include "actors/errors.hpp"

namespace quorate {

std::string_view to_string(errc code) {
  switch (code) {
  case errc::ok:
    return "ok";
  case errc::no_quorum:
    return "no_quorum";
  case errc::unknown_outcome:
    return "unknown_outcome";
  case errc::session_expired:
    return "session_expired";
  case errc::overloaded:
    return "overloaded";
  case errc::too_large:
    return "too_large";
  case errc::invalid_command:
    return "invalid_command";
  case errc::not_founded:
    return "not_founded";
  case errc::moved:
    return "moved";
  case errc::bad_config:
    return "bad_config";
  case errc::io_failed:
    return "io_failed";
  case errc::corrupt:
    return "corrupt";
  case errc::in_use:
    return "in_use";
  case errc::shutting_down:
    return "shutting_down";
  case errc::disk_full:
    return "disk_full";
  case errc::state_differs:
    return "state_differs";
  }
  return "unknown";
}

}  // namespace quorate
