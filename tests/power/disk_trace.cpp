#include "tests/power/disk_trace.hpp"

#include "tests/power/disk_image.hpp"

#include <cstring>

namespace quorate::testing {

disk_trace::disk_trace(const std::filesystem::path& file) : bytes_(bytes_of(file)) {
  std::string_view rest{bytes_};
  const auto take = [&](std::size_t n) {
    const auto part = rest.substr(0, n);
    rest.remove_prefix(part.size());
    return part;
  };
  while (!rest.empty()) {
    disk_event_head h;
    if (rest.size() < sizeof(h)) {
      trouble_ = "the trace ends in the middle of a head";
      return;
    }
    std::memcpy(&h, take(sizeof(h)).data(), sizeof(h));
    if (h.mark != disk_event_head::right_mark || rest.size() < h.name_bytes + h.other_bytes + h.data_bytes) {
      trouble_ =
          "the trace cannot be read at byte " + std::to_string(bytes_.size() - rest.size() - sizeof(h));
      return;
    }
    disk_event e{static_cast<disk_event_kind>(h.kind),
                 h.began,
                 h.ended,
                 h.descriptor,
                 h.flags,
                 h.offset,
                 h.size,
                 h.sync,
                 {},
                 {},
                 {}};
    e.name = take(h.name_bytes);
    e.other = take(h.other_bytes);
    e.data = take(h.data_bytes);
    if (e.kind == disk_event_kind::not_known)
      trouble_ = "a call that the model does not know: " + std::string{e.name};
    events_.push_back(e);
  }
}

}  // namespace quorate::testing
