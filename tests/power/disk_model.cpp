#include "tests/power/disk_model.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace quorate::testing {

namespace {

std::string folder_of(std::string_view path) {
  return std::string{path.substr(0, path.rfind('/'))};
}

bool coin(disk_model::random& r, std::uint64_t percent) {
  return r() % 100 < percent;
}

}  // namespace

const char* name_of(survival how) {
  constexpr std::array<const char*, survivals> words = {"nothing", "everything", "prefix", "suffix",
                                                        "files",   "pages",      "torn"};
  return words.at(static_cast<std::size_t>(how));
}

disk_model::disk_model(const disk_image& durable) {
  static_cast<void>(make(true, ""));
  for (const auto& [path, there] : durable.directories)
    durable_names_[path] = make(true, path);
  for (const auto& [path, f] : durable.files) {
    const auto number = make(false, path);
    auto& made = inodes_[number];
    made.durable_size = made.cached_size = f.size;
    for (const auto& bytes : f.pages)
      made.pages.push_back({bytes, bytes, {}});
    durable_names_[path] = number;
  }
  cached_names_ = durable_names_;
}

disk_model::inode_number disk_model::make(bool is_directory, const std::string& path) {
  inodes_.push_back({is_directory, is_directory ? path : "", 0, 0, {}, {}, {}});
  return inodes_.size() - 1;
}

disk_model::inode& disk_model::of(int descriptor) {
  const auto found = descriptors_.find(descriptor);
  if (found == descriptors_.end())
    throw std::logic_error{"descriptor " + std::to_string(descriptor) + " is not open"};
  return inodes_[found->second];
}

disk_model::inode_number disk_model::named(std::string_view name) const {
  if (name.empty())
    return 0;
  const auto found = cached_names_.find(std::string{name});
  if (found == cached_names_.end())
    throw std::logic_error{"there is no " + std::string{name}};
  return found->second;
}

// --- following
// ----------------------------------------------------------------------------------------------------

void disk_model::apply(const disk_event& e) {
  ++now_;
  const std::string name{e.name};
  switch (e.kind) {
  case disk_event_kind::open:
    open(e);
    break;
  case disk_event_kind::close:
    descriptors_.erase(e.descriptor);
    break;
  case disk_event_kind::write:
    write(of(e.descriptor), e.offset, e.size, e.data);
    break;
  case disk_event_kind::truncate:
    truncate(e.descriptor < 0 ? inodes_[named(name)] : of(e.descriptor), e.size);
    break;
  case disk_event_kind::sync_begins:
    syncs_[e.sync] = now_;
    break;
  case disk_event_kind::sync_ends: {
    const auto upto = syncs_.at(e.sync);
    syncs_.erase(e.sync);
    auto& f = of(e.descriptor);
    if (f.is_directory)
      sync_names(f.path, upto);
    else
      sync_ends(f, upto);
    break;
  }
  case disk_event_kind::sync_fails:
    syncs_.erase(e.sync);
    sync_fails(of(e.descriptor));
    break;
  case disk_event_kind::rename:
    if (folder_of(name) != folder_of(e.other) || inodes_[named(name)].is_directory)
      throw std::logic_error{"a rename of " + name + " to another directory, or of one, is not known"};
    change_name(name, std::string{e.other}, named(name));
    break;
  case disk_event_kind::remove:
    change_name(name, "", named(name));
    break;
  case disk_event_kind::make_directory:
    if (!name.empty())  // what is above the root is not our business
      change_name("", name, make(true, name));
    break;
  case disk_event_kind::link:
    change_name("", std::string{e.other}, named(name));
    break;
  case disk_event_kind::not_known:
    throw std::logic_error{"a call that is not known: " + name};
  }
}

void disk_model::process_ends() {
  descriptors_.clear();
  syncs_.clear();
}

void disk_model::open(const disk_event& e) {
  if ((e.flags & created) != 0)
    change_name("", std::string{e.name}, make(false, std::string{e.name}));
  const auto number = named(e.name);
  descriptors_[e.descriptor] = number;
  if ((e.flags & emptied) != 0)
    truncate(inodes_[number], 0);
}

void disk_model::write(inode& f, std::uint64_t offset, std::uint64_t size, std::string_view data) {
  for (auto at = offset; at < offset + size;) {
    const auto number = static_cast<std::size_t>(at / page_bytes);
    const auto begin = at % page_bytes;
    const auto n = std::min<std::uint64_t>(page_bytes - begin, offset + size - at);
    const auto before = number < f.pages.size() ? f.pages[number].cached : nullptr;
    if (data.empty() && (n == page_bytes || !before)) {
      change_page(f, number, nullptr);
    } else {
      auto bytes = before ? std::make_shared<page>(*before) : std::make_shared<page>(page{});
      if (data.empty())
        std::memset(bytes->data() + begin, 0, n);
      else
        std::memcpy(bytes->data() + begin, data.data() + (at - offset), n);
      change_page(f, number, std::move(bytes));
    }
    at += n;
  }
  if (offset + size > f.cached_size)
    resize(f, offset + size);
}

void disk_model::truncate(inode& f, std::uint64_t size) {
  for (auto number = static_cast<std::size_t>(size / page_bytes); number < f.pages.size(); ++number) {
    const auto& before = f.pages[number].cached;
    const auto kept = number * page_bytes < size ? size % page_bytes : 0;
    if (!before)
      continue;
    if (kept == 0) {
      change_page(f, number, nullptr);
    } else {
      auto bytes = std::make_shared<page>(*before);
      std::memset(bytes->data() + kept, 0, page_bytes - kept);
      change_page(f, number, std::move(bytes));
    }
  }
  resize(f, size);
}

void disk_model::resize(inode& f, std::uint64_t size) {
  if (size == f.cached_size)
    return;
  f.cached_size = size;
  f.sizes.push_back({now_, size, false});
}

void disk_model::change_page(inode& f, std::size_t number, page_ptr bytes) {
  if (number >= f.pages.size())
    f.pages.resize(number + 1);
  auto& p = f.pages[number];
  p.cached = bytes;
  p.later.push_back({now_, std::move(bytes), false});
  f.changed.insert(number);
}

void disk_model::change_name(std::string from, std::string to, inode_number file) {
  const name_change change{now_, std::move(from), std::move(to), file};
  rename(cached_names_, change);
  name_changes_.push_back(change);
}

void disk_model::rename(names& in, const name_change& c) {
  // Where an earlier change was lost, the name may belong to another file.
  if (const auto found = in.find(c.from); !c.from.empty() && found != in.end() && found->second == c.file)
    in.erase(found);
  if (!c.to.empty())
    in[c.to] = c.file;
}

void disk_model::sync_ends(inode& f, std::uint64_t upto) {
  auto end = f.durable_size;
  std::erase_if(f.changed, [&](std::size_t number) {
    auto& p = f.pages[number];
    const auto newest = std::find_if(p.later.rbegin(), p.later.rend(),
                                     [&](const auto& v) { return v.op <= upto && !v.stuck; });
    if (newest == p.later.rend())
      return false;
    p.durable = newest->bytes;
    end = std::max<std::uint64_t>(end, (number + 1) * page_bytes);
    p.later.erase(p.later.begin(), newest.base());
    return p.later.empty();
  });
  const auto newest =
      std::find_if(f.sizes.rbegin(), f.sizes.rend(), [&](const auto& v) { return v.op <= upto && !v.stuck; });
  if (newest != f.sizes.rend()) {
    f.durable_size = newest->size;
    f.sizes.erase(f.sizes.begin(), newest.base());
  } else if (!f.sizes.empty() && f.sizes.front().stuck) {
    // The size was not written by the sync that failed; it is where bytes behind the old end are written
    // again.
    f.durable_size = std::max(f.durable_size, std::min(end, f.cached_size));
  }
}

void disk_model::sync_fails(inode& f) {
  for (const auto number : f.changed)
    for (auto& v : f.pages[number].later)
      v.stuck = true;
  for (auto& v : f.sizes)
    v.stuck = true;
}

void disk_model::sync_names(const std::string& path, std::uint64_t upto) {
  std::erase_if(name_changes_, [&](const name_change& c) {
    if (c.op > upto || folder_of(c.to.empty() ? c.from : c.to) != path)
      return false;
    rename(durable_names_, c);
    return true;
  });
}

// --- what is there
// ------------------------------------------------------------------------------------------------

disk_image disk_model::image(const names& of, const std::function<file_image(const inode&)>& file) const {
  disk_image out;
  // Directories come before what is in them.
  for (const auto& [path, number] : of) {
    const auto folder = folder_of(path);
    if (!folder.empty() && !out.directories.contains(folder))
      continue;
    if (inodes_[number].is_directory)
      out.directories[path] = true;
    else
      out.files[path] = file(inodes_[number]);
  }
  return out;
}

disk_image disk_model::cached() const {
  return image(cached_names_, [](const inode& f) {
    file_image out{f.cached_size, {}};
    for (const auto& p : f.pages)
      out.pages.push_back(p.cached);
    return out;
  });
}

/// Chooses for one power loss.
class disk_model::chooser {
public:
  chooser(survival how, std::uint64_t operations, random& r)
      : how_(how), moment_(recent(operations, r)), percent_(std::array{10, 50, 90}[r() % 3]), r_(r) {}

  [[nodiscard]] names names_of(const disk_model& m) {
    auto out = m.durable_names_;
    const auto one_by_one = (how_ == survival::pages || how_ == survival::torn) && coin(r_, 30);
    const auto& all = m.name_changes_;
    const auto kept = r_() % (all.size() + 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto stays = false;
      switch (how_) {
      case survival::nothing:
        break;
      case survival::everything:
        stays = true;
        break;
      case survival::prefix:
        stays = all[i].op <= moment_;
        break;
      case survival::suffix:
      case survival::files:
      case survival::pages:
      case survival::torn:
        stays = one_by_one ? coin(r_, 50) : i < kept;
        break;
      }
      if (stays)
        rename(out, all[i]);
    }
    return out;
  }

  [[nodiscard]] file_image file(const inode& f) {
    file_stays_ = coin(r_, 50);
    file_image out{size_of(f), {}};
    out.pages.reserve(f.pages.size());
    for (const auto& p : f.pages)
      out.pages.push_back(p.durable);
    for (const auto number : f.changed)
      out.pages[number] = page_of(f.pages[number]);
    out.pages.resize(std::min(out.pages.size(), (out.size + page_bytes - 1) / page_bytes));
    // Nothing stands behind the end.
    if (const auto rest = out.size % page_bytes; rest != 0 && out.size / page_bytes < out.pages.size())
      if (auto& last = out.pages[out.size / page_bytes]) {
        auto cut = std::make_shared<page>(*last);
        std::memset(cut->data() + rest, 0, page_bytes - rest);
        last = std::move(cut);
      }
    return out;
  }

private:
  // Mostly shortly before the end: what is older is mostly durable.
  static std::uint64_t recent(std::uint64_t operations, random& r) {
    const auto span = std::min(operations, std::uint64_t{1} << r() % 14);
    return operations - r() % (span + 1);
  }

  // How many of the later versions, in order, the disk has got to; 0: none of them.
  template <class Version>
  std::size_t reached(const std::vector<Version>& later) {
    switch (how_) {
    case survival::nothing:
      return 0;
    case survival::everything:
      return later.size();
    case survival::prefix:
      return static_cast<std::size_t>(
          std::ranges::count_if(later, [&](const auto& v) { return v.op <= moment_; }));
    case survival::suffix:
      return !later.empty() && later.back().op > moment_ ? later.size() : 0;
    case survival::files:
      return file_stays_ ? later.size() : 0;
    case survival::pages:
    case survival::torn:
      return coin(r_, percent_) ? 1 + r_() % std::max<std::size_t>(later.size(), 1) : 0;
    }
    return 0;
  }

  std::uint64_t size_of(const inode& f) {
    const auto n = f.sizes.empty() ? 0 : std::min(reached(f.sizes), f.sizes.size());
    return n == 0 ? f.durable_size : f.sizes[n - 1].size;
  }

  page_ptr page_of(const page_state& p) {
    const auto version = [&](std::size_t n) { return n == 0 ? p.durable : p.later[n - 1].bytes; };
    const auto n = std::min(reached(p.later), p.later.size());
    const auto tears = how_ == survival::torn ? coin(r_, 50) : how_ == survival::prefix && coin(r_, 50);
    if (!tears || n == p.later.size())
      return version(n);
    // In the middle of a later version: of a prefix, the very next one.
    if (how_ == survival::prefix && p.later[n].op != moment_ + 1)
      return version(n);
    const auto m = how_ == survival::prefix ? n + 1 : n + 1 + r_() % (p.later.size() - n);
    return mix(version(n), version(m));
  }

  page_ptr mix(const page_ptr& one, const page_ptr& other) {
    auto out = one ? std::make_shared<page>(*one) : std::make_shared<page>(page{});
    static const page zeros{};
    const auto& from = other ? *other : zeros;
    for (std::size_t at = 0; at < page_bytes; at += sector_bytes)
      if (coin(r_, 50))
        std::memcpy(out->data() + at, from.data() + at, sector_bytes);
    return out;
  }

  survival how_;
  std::uint64_t moment_;
  std::uint64_t percent_;
  random& r_;
  bool file_stays_ = false;
};

disk_image disk_model::crash(survival how, random& r) const {
  chooser choose{how, now_, r};
  const auto kept = choose.names_of(*this);
  return image(kept, [&](const inode& f) { return choose.file(f); });
}

}  // namespace quorate::testing
