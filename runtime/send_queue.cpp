#include "runtime/send_queue.hpp"

#include <algorithm>
#include <chrono>

namespace quorate {

namespace {

// So many bytes of short frames may go before a piece that waits: who floods a connection with short ones must not
// keep the long ones off it for ever.
constexpr std::size_t short_run_max = 2 * piece_bytes_max;
// And so many pieces of batches before one of what others catch up from: it goes on, slowly, so that nobody
// takes it for lost and asks for it again.
constexpr std::size_t bulk_run_max = 8;
// The way may have become longer since.
constexpr duration round_trip_holds = std::chrono::seconds{10};

}  // namespace

void send_queue::push(urgency how, caf::byte_buffer frame) {
  if (how != urgency::now)
    handed_[index(how)] += frame.size();
  waiting_[index(how)].push_back(std::move(frame));
}

std::size_t send_queue::window() const {
  const auto seconds = std::chrono::duration<double>{round_trip_}.count();
  const auto held = *std::ranges::max_element(rates_) * seconds;
  return static_cast<std::size_t>(
      std::clamp(2 * held, static_cast<double>(window_min), static_cast<double>(window_max)));
}

bool send_queue::take(time_point now, caf::byte_buffer& out) {
  auto& soon = waiting_[index(urgency::now)];
  const auto may = on_its_way() + piece_bytes_max <= window();
  const auto turn = waits(urgency::background) && bulk_run_ >= bulk_run_max;
  const auto longest = waits(urgency::bulk) && !turn ? urgency::bulk : urgency::background;
  const auto piece_waits = may && !waiting_[index(longest)].empty();
  if (!soon.empty() && (!piece_waits || short_run_ < short_run_max)) {
    short_run_ += soon.front().size();
    out.insert(out.end(), soon.front().begin(), soon.front().end());
    soon.pop_front();
    return true;
  }
  if (!piece_waits)
    return false;
  short_run_ = 0;
  bulk_run_ = longest == urgency::bulk ? bulk_run_ + 1 : 0;
  take_piece(longest, now, out);
  return true;
}

void send_queue::take_all(time_point now, caf::byte_buffer& out) {
  for (const auto how : {urgency::now, urgency::bulk, urgency::background})
    while (!waiting_[index(how)].empty()) {
      if (how != urgency::now) {
        take_piece(how, now, out);
        continue;
      }
      const auto& frame = waiting_[index(how)].front();
      out.insert(out.end(), frame.begin(), frame.end());
      waiting_[index(how)].pop_front();
    }
}

bool send_queue::empty() const {
  return std::ranges::all_of(waiting_, [](const auto& queue) { return queue.empty(); });
}

void send_queue::take_piece(urgency how, time_point now, caf::byte_buffer& out) {
  auto& queue = waiting_[index(how)];
  auto& gone = gone_[index(how)];
  const auto& frame = queue.front();
  const auto size = std::min(piece_bytes_max, frame.size() - gone);
  const auto last = gone + size == frame.size();
  const auto flags = (last ? last_piece_flag : 0) | (last && queue.size() > 1 ? more_pieces_flag : 0);
  const auto head = head_text({.operation = operation::piece,
                               .flags = static_cast<std::uint8_t>(flags),
                               .payload_bytes = static_cast<std::uint32_t>(size),
                               .data = static_cast<std::uint64_t>(how)});
  for (const auto c : head)
    out.push_back(static_cast<caf::byte>(c));
  const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(gone);
  out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  const auto alone = pieces_.empty();
  if (alone)
    acknowledged_at_ = now;
  sent_ += size;
  pieces_.push_back({how, sent_, now, acknowledged_, acknowledged_at_, alone});
  gone += size;
  if (last) {
    queue.pop_front();
    gone = 0;
  }
}

bool send_queue::acknowledged(std::uint64_t bytes, time_point now) {
  if (bytes > sent_)
    return false;
  while (!pieces_.empty() && pieces_.front().end <= bytes) {
    const auto p = pieces_.front();
    pieces_.pop_front();
    taken_[index(p.how)] += p.end - acknowledged_;
    acknowledged_ = p.end;
    acknowledged_at_ = now;
    measure(p, now);
  }
  return true;
}

void send_queue::measure(const piece& p, time_point now) {
  const auto trip = std::max(now - p.at, duration{1});
  // The shortest of late. Also one that met nothing of this connection may have met what others send over the
  // same line, and a window that followed these would grow with the queue that it makes.
  if (trip <= round_trip_ || round_trip_ == duration{} ||
      (p.alone && now - round_trip_at_ > round_trip_holds)) {
    round_trip_ = trip;
    round_trip_at_ = now;
  }
  const auto over = std::chrono::duration<double>{std::max(now - p.since, duration{1})}.count();
  rates_[next_rate_] = static_cast<double>(p.end - p.acknowledged) / over;
  next_rate_ = (next_rate_ + 1) % rates_.size();
}

}  // namespace quorate
