#include "runtime/incoming_frame.hpp"

#include <algorithm>

namespace quorate {

namespace {

void append(caf::byte_buffer& to, std::string_view bytes) {
  const auto* begin = reinterpret_cast<const caf::byte*>(bytes.data());
  to.insert(to.end(), begin, begin + bytes.size());
}

}  // namespace

void incoming_frame::begin(const frame_head& head, std::string_view bytes) {
  head_ = head;
  head_bytes_.clear();
  append(head_bytes_, bytes);
  what = plan::undecided;
  missing_ = head.payload_bytes;
}

bool incoming_frame::add(std::string_view bytes, peer_standing from) {
  missing_ -= bytes.size();
  if (what == plan::swallow)
    return true;
  const auto size = whole_.size() + bytes.size();
  if (size > taken_) {
    const auto wanted = std::min<std::size_t>(head_->payload_bytes, 2 * size);
    if (taken_ == 0)
      taken_as_ = from;
    if (!budget_.take(taken_as_, wanted - taken_))
      return false;
    taken_ = wanted;
    whole_.reserve(wanted);
  }
  append(whole_, bytes);
  return true;
}

void incoming_frame::take_whole(caf::byte_buffer& payload) {
  missing_ = 0;
  whole_.swap(payload);
}

void incoming_frame::swallow() {
  what = plan::swallow;
  drop();
}

void incoming_frame::done() {
  head_.reset();
  drop();
}

void incoming_frame::drop() {
  budget_.give_back(taken_as_, taken_);
  if (taken_ > 0)
    caf::byte_buffer{}.swap(whole_);
  whole_.clear();
  taken_ = 0;
}

}  // namespace quorate
