#include "runtime/machine_view.hpp"

namespace quorate {

namespace {

std::string full(std::string_view key) {
  std::string out{store_keys::machine};
  out += key;
  return out;
}

}  // namespace

std::optional<std::string> batch_state::get(std::string_view key) const {
  if (const auto own = changes_.find(key); own != changes_.end())
    return own->second;
  return below_.get(full(key));
}

void batch_state::move_to(store_batch& writes) {
  for (auto& [key, value] : changes_) {
    if (value)
      writes.put(full(key), std::move(*value));
    else
      writes.erase(full(key));
  }
  changes_.clear();
}

std::optional<std::string> machine_view::get(std::string_view key) const {
  return whole_->get(full(key));
}

void machine_view::scan(std::string_view from, std::string_view to,
                        const std::function<bool(std::string_view, std::string_view)>& pair) const {
  whole_->scan(full(from), to.empty() ? store_keys::end_of(store_keys::machine) : full(to),
               [&](std::string_view key, std::string_view value) { return pair(key.substr(1), value); });
}

std::optional<std::pair<std::string, std::string>> machine_view::last(std::string_view from,
                                                                      std::string_view upto) const {
  auto found = whole_->last(full(from), full(upto));
  if (found)
    found->first.erase(0, 1);
  return found;
}

}  // namespace quorate
