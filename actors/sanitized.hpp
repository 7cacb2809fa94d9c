// Whether a sanitizer of the compiler watches this program.
#pragma once

namespace quorate {

/// It takes crashes and the memory for itself, prints what it finds, and a program takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace quorate
