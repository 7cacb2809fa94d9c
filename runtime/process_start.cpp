#include "runtime/process_start.hpp"

#include "runtime/last_line.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace quorate {

void occupy_standard_descriptors() noexcept {
  for (const auto standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) != -1 || errno != EBADF)
      continue;
    // The lowest free number is this one. Where there is no /dev, a descriptor that nothing can be written to.
    if (::open("/dev/null", O_RDWR) < 0 && ::open("/", O_PATH | O_DIRECTORY) < 0)
      ::_exit(1);
  }
}

void begin_process() noexcept {
  occupy_standard_descriptors();
  ::umask(S_IRWXG | S_IRWXO);
  sigset_t waiting;
  sigemptyset(&waiting);
  for (const auto signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&waiting, signal);
  // All threads inherit this.
  ::pthread_sigmask(SIG_BLOCK, &waiting, nullptr);
  for (const auto signal : {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2})
    std::signal(signal, SIG_IGN);
  install_endings();
}

}  // namespace quorate
