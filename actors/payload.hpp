// Immutable, shared bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace quorate {

/// Immutable, reference-counted bytes, or a slice of them: from the proposer to journal, peers, learner and
/// replica the same buffer travels, never a copy.
class payload {
public:
  payload() = default;
  explicit payload(std::string bytes)
      : owner_(std::make_shared<const std::string>(std::move(bytes))), view_(*owner_) {}
  /// Bytes that belong to something larger, which lives as long as they do. \pre not null.
  explicit payload(std::shared_ptr<const std::string> bytes) : owner_(std::move(bytes)), view_(*owner_) {}

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }

  /// A part of these bytes that keeps the whole buffer alive. \pre part lies within view().
  [[nodiscard]] payload slice(std::string_view part) const {
    payload result;
    result.owner_ = owner_;
    result.view_ = part;
    return result;
  }

  friend bool operator==(const payload& a, const payload& b) { return a.view_ == b.view_; }

private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

/// One copy into the network's buffer and one out of it: what the network layer needs at the least.
template <class Inspector>
bool inspect(Inspector& f, payload& x) {
  if constexpr (Inspector::is_loading) {
    std::string bytes;
    if (!f.apply(bytes))
      return false;
    x = payload{std::move(bytes)};
    return true;
  } else {
    std::string bytes;
    if (f.has_human_readable_format())
      bytes = std::to_string(x.size()) + " bytes";
    else
      bytes = x.view();
    return f.apply(bytes);
  }
}

/// A small Protobuf head beside shared bytes that are never parsed on the way.
template <class Message>
struct with_payload {
  Message head;
  payload body;
};

template <class Inspector, class Message>
bool inspect(Inspector& f, with_payload<Message>& x) {
  return f.object(x).fields(f.field("head", x.head), f.field("body", x.body));
}

}  // namespace quorate
