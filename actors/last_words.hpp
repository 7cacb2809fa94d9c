// The end of a process that has nothing to stand on.
#pragma once

#include <string>

namespace quorate {

/// Called with what cannot be read or written. A program that installs one says so in its own way and ends.
using last_words_handler = void (*)(const std::string& why);
void set_last_words_handler(last_words_handler handler);

/// Ends the process since storage does not give back what was saved there: not a broken invariant of ours,
/// and as final. Without a handler it is a failed ENSURE.
[[noreturn]] void end_for(const std::string& why);

}  // namespace quorate
