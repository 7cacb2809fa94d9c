// Lets CAF carry Protobuf messages, as their own bytes.
#pragma once

#include <string>

namespace quorate {

template <class Inspector, class Message>
bool inspect_protobuf(Inspector& f, Message& m) {
  if constexpr (Inspector::is_loading) {
    std::string bytes;
    return f.object(m).fields(f.field("pb", bytes)) && m.ParseFromString(bytes);
  } else {
    auto bytes = f.has_human_readable_format() ? m.ShortDebugString() : m.SerializeAsString();
    return f.object(m).fields(f.field("pb", bytes));
  }
}

}  // namespace quorate

/// The one `inspect` for all Protobuf messages of a namespace: CAF finds it there, and nowhere else.
#define QUORATE_INSPECT_PROTOBUF                                                                             \
  template <class Inspector, class Message>                                                                  \
  requires std::derived_from<Message, google::protobuf::Message>                                             \
  bool inspect(Inspector& f, Message& m) {                                                                   \
    return ::quorate::inspect_protobuf(f, m);                                                                \
  }
