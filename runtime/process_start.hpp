// What a process of ours does before anything else.
#pragma once

namespace quorate {

/// Opens /dev/null on those of the descriptors 0 to 2 that are closed. Otherwise the first files that are opened
/// get these numbers, and whatever anybody prints to stderr, or a library before it aborts, goes into them.
void occupy_standard_descriptors() noexcept;

/// The first statement of main, while there is one thread and no file is open:
/// - descriptors 0 to 2 are occupied;
/// - what is created from now on belongs to this user alone (umask 077): it holds what clients have stored;
/// - SIGTERM, SIGINT and SIGHUP wait until somebody takes them with sigwait; signals with which a reader that has
///   gone, a limit of file sizes or an operator who thinks of another program would end this one are ignored.
void begin_process() noexcept;

}  // namespace quorate
