#include "runtime/append_log.hpp"

#include "actors/bytes.hpp"
#include "actors/limits.hpp"
#include "runtime/append_log_format.hpp"

namespace quorate {

namespace {

constexpr std::string_view count_key = "count";
constexpr std::string_view record_prefix = "e";
constexpr std::string_view record_end = "f";

std::string record_key(std::uint64_t first) {
  return std::string{record_prefix} + ordered_key(first);
}

std::optional<std::uint64_t> first_of(std::string_view key) {
  byte_reader in{key};
  const auto prefix = in.take(record_prefix.size());
  const auto first = in.big<std::uint64_t>();
  if (!in.ok() || !in.at_end() || prefix != record_prefix)
    return std::nullopt;
  return first;
}

/// The entries of one batch: their count, where each one ends, then each one's key length, key and value.
/// With the ends in front, a reader gets to any entry without walking over those before it.
class record {
public:
  /// \pre entries is not empty.
  [[nodiscard]] static std::string encode(std::span<const command_view* const> entries) {
    std::size_t bytes = 4;
    for (const auto* entry : entries)
      bytes += 4 + entry_bytes(*entry);
    std::string out;
    out.reserve(bytes);
    put_little(out, static_cast<std::uint32_t>(entries.size()));
    std::size_t end = 0;
    for (const auto* entry : entries) {
      end += entry_bytes(*entry);
      put_little(out, static_cast<std::uint32_t>(end));
    }
    for (const auto* entry : entries) {
      put_little(out, static_cast<std::uint32_t>(entry->key.size()));
      out += entry->key;
      out += entry->body;
    }
    return out;
  }

  record(std::uint64_t first, std::string_view bytes) : first_(first) {
    byte_reader in{bytes};
    const std::size_t count = in.little<std::uint32_t>();
    if (count > in.left() / 4)
      return;
    ends_ = in.take(4 * count);
    entries_ = in.take(in.left());
    count_ = count;
  }

  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t end() const { return first_ + count_; }

  /// \pre first() <= index < end(). Nothing where the record is damaged.
  [[nodiscard]] std::optional<log_entry> at(std::uint64_t index) const {
    const auto place = static_cast<std::size_t>(index - first_);
    const auto begin = place == 0 ? 0 : end_of(place - 1);
    const auto end = end_of(place);
    if (begin > end || end > entries_.size())
      return std::nullopt;
    byte_reader in{entries_.substr(begin, end - begin)};
    log_entry entry;
    entry.index = index;
    entry.key = in.take(in.little<std::uint32_t>());
    entry.value = in.take(in.left());
    if (!in.ok())
      return std::nullopt;
    return entry;
  }

private:
  static std::size_t entry_bytes(const command_view& entry) {
    return 4 + entry.key.size() + entry.body.size();
  }
  [[nodiscard]] std::size_t end_of(std::size_t place) const {
    return byte_reader{ends_.substr(4 * place, 4)}.little<std::uint32_t>();
  }

  std::uint64_t first_;
  std::uint64_t count_ = 0;
  std::string_view ends_;
  std::string_view entries_;
};

/// Gathers one page while the records are walked over.
class page_search {
public:
  page_search(const log_query& wanted, std::uint64_t end) : wanted_(wanted), next_(wanted.from), end_(end) {}

  /// Looks at one record; false when there is nothing more to do.
  bool look_at(const record& r) {
    if (r.first() > next_ || r.end() <= next_) {
      damaged_ = true;
      return false;
    }
    while (next_ < r.end() && next_ < end_) {
      const auto entry = r.at(next_);
      if (!entry) {
        damaged_ = true;
        return false;
      }
      if (!wanted_.key || entry->key == *wanted_.key) {
        // The first entry always goes in, so that no entry can stop a reader for ever.
        if (page_.entries() > 0 && !page_.fits(*entry))
          return false;
        page_.add(*entry);
      }
      ++next_;
      scanned_bytes_ += entry->key.size() + entry->value.size();
      if (page_.entries() == wanted_.limit || next_ - wanted_.from == limits::log_scan_entries_max ||
          scanned_bytes_ >= limits::log_scan_bytes_max)
        return false;
    }
    return next_ < end_;
  }

  /// Looks at every record from the one with this key on.
  void walk(const store_view& view, std::string_view begin) {
    auto more = true;
    view.scan(begin, record_end, [&](std::string_view key, std::string_view value) {
      const auto first = first_of(key);
      damaged_ = !first;
      more = first && look_at(record{*first, value});
      return more;
    });
    // The records ended before the log does.
    damaged_ = damaged_ || more;
  }

  void damaged() { damaged_ = true; }

  [[nodiscard]] machine_answer finish() && {
    if (damaged_)
      return {errc::corrupt,
              "The log's entry " + std::to_string(next_) + " is missing or damaged in the store."};
    return {errc::ok, std::move(page_).finish(next_, end_)};
  }

private:
  const log_query& wanted_;
  log_page_writer page_;
  std::uint64_t next_;
  std::uint64_t end_;
  std::size_t scanned_bytes_ = 0;
  bool damaged_ = false;
};

/// How many entries there are; nothing where the store's record of it is damaged.
std::optional<std::uint64_t> count_of(const std::optional<std::string>& saved) {
  return saved ? decode_index(*saved) : 0;
}

/// What is wrong with an entry; nothing if it may be appended.
std::optional<machine_answer> refusal(const command_view& entry) {
  if (entry.body.empty())
    return machine_answer{errc::invalid_command, "An entry of the log needs a value."};
  if (entry.key.size() > limits::key_bytes_max)
    return machine_answer{errc::too_large, "The key is longer than key_bytes_max (" +
                                               std::to_string(limits::key_bytes_max) + " bytes)."};
  return std::nullopt;
}

}  // namespace

void append_log::apply(log_index /*index*/, std::span<const command_view> commands, machine_state& state,
                       std::vector<machine_answer>& answers) {
  const auto count = count_of(state.get(count_key));
  if (!count) {
    answers.resize(answers.size() + commands.size(),
                   {errc::corrupt, "The log's count is damaged in the store."});
    return;
  }
  std::vector<const command_view*> accepted;
  accepted.reserve(commands.size());
  answers.reserve(answers.size() + commands.size());
  for (const auto& entry : commands) {
    if (auto refused = refusal(entry)) {
      answers.push_back(std::move(*refused));
      continue;
    }
    answers.push_back({errc::ok, encode_index(*count + accepted.size())});
    accepted.push_back(&entry);
  }
  if (accepted.empty())
    return;
  state.put(record_key(*count), record::encode(accepted));
  state.put(std::string{count_key}, encode_index(*count + accepted.size()));
}

machine_answer append_log::query(std::string_view request, const store_view& view) const {
  const auto wanted = decode_log_query(request);
  if (!wanted)
    return {errc::invalid_command, "The query is not one that an append log can read."};
  const auto end = count_of(view.get(count_key));
  if (!end)
    return {errc::corrupt, "The log's count is damaged in the store."};
  // A reader that stands beyond the end, of a node that is behind, goes on where there will be something to read.
  if (wanted->from >= *end)
    return {errc::ok, log_page_writer{}.finish(*end, *end)};
  page_search search{*wanted, *end};

  // The record that `from` lies in is the last one that begins at or before it.
  if (const auto begin = view.last(record_prefix, record_key(wanted->from)))
    search.walk(view, begin->first);
  else
    search.damaged();
  return std::move(search).finish();
}

}  // namespace quorate
