// What libraries print to stderr.
#pragma once

#include <cstddef>

namespace quorate {

/// From now on what anybody prints to descriptor 2 comes as warnings of the log, a moment later. \pre the log has
/// been started: it has a descriptor of its own. Where there is no room for two more descriptors, nothing changes.
void capture_library_output();

/// Moves what has been printed and not been logged yet to `into`, its end where it is more than `size`. Returns
/// how much that is. May be called by a signal handler.
[[nodiscard]] std::size_t take_library_output(char* into, std::size_t size) noexcept;

}  // namespace quorate
