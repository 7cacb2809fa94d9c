// The text of a cluster spec in CAF's configuration syntax, before anybody asks what its keys mean.
#pragma once

#include "actors/errors.hpp"

#include <caf/settings.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quorate {

/// A place in a text, both counted from 1; the column counts bytes.
struct text_place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// A key as it was written, with its full path: "cluster.nodes[0].name".
struct spec_key {
  std::string path;
  text_place place;
};

/// What a spec's text says.
/// Invariant: `keys` names each key of `values` once, in the order of the text.
struct spec_text {
  caf::settings values;
  std::vector<spec_key> keys;
};

/// Parses `text` with CAF's parser. That one accepts a text that ends anywhere, keeps the last of two equal
/// keys, overflows durations, and recurses without limit, so a scan of ours goes first and the two must
/// agree. Fails with bad_config and one line, "source:line:column: what".
[[nodiscard]] std::variant<spec_text, failure> read_spec_text(std::string_view text, std::string_view source);

/// The failure of a spec at `place`; line 0 stands for no place.
failure spec_failure(std::string_view source, text_place place, std::string_view what);

}  // namespace quorate
