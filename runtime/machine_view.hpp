// What a state machine sees of a replica's store.
#pragma once

#include "actors/state_machine.hpp"
#include "runtime/store_keys.hpp"

#include <map>

namespace quorate {

/// The machine's part of the store while a batch is applied: its own writes are visible to it at once and
/// reach the store together with everything else of the batch.
class batch_state final : public machine_state {
public:
  explicit batch_state(const store_view& below) : below_(below) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override;
  void put(std::string key, std::string value) override { changes_[std::move(key)] = std::move(value); }
  void erase(std::string key) override { changes_[std::move(key)] = std::nullopt; }

  /// Moves the changes, in key order, to the writes of the batch.
  void move_to(store_batch& writes);

private:
  const store_view& below_;
  std::map<std::string, std::optional<std::string>, std::less<>> changes_;
};

/// The machine's part of a frozen store.
class machine_view final : public store_view {
public:
  explicit machine_view(std::shared_ptr<const store_view> whole) : whole_(std::move(whole)) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override;
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override;
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> last(std::string_view from,
                                                                        std::string_view upto) const override;

private:
  std::shared_ptr<const store_view> whole_;
};

}  // namespace quorate
