// A slow disk: loaded into a node before the C library, it makes each sync take as many milliseconds longer
// as the file says that QUORATE_SLOW_SYNC names. Not part of the product.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

namespace {

long milliseconds_now() {
  const auto* path = std::getenv("QUORATE_SLOW_SYNC");
  const auto file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  std::array<char, 16> digits{};
  const auto n = ::read(file, digits.data(), digits.size() - 1);
  ::close(file);
  return n > 0 ? std::strtol(digits.data(), nullptr, 10) : 0;
}

int delayed(const char* name, int descriptor) {
  if (const auto wait = milliseconds_now(); wait > 0) {
    const timespec span{wait / 1000, (wait % 1000) * 1'000'000};
    ::nanosleep(&span, nullptr);
  }
  const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name));
  return real(descriptor);
}

}  // namespace

extern "C" int fsync(int descriptor) {
  return delayed("fsync", descriptor);
}

extern "C" int fdatasync(int descriptor) {
  return delayed("fdatasync", descriptor);
}
