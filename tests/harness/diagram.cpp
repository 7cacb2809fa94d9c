#include "tests/harness/diagram.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace quorate::testing {

namespace {

class recording : public check {
public:
  recording(verdict& result, const event_queue& events, diagram& to)
      : check(result), events_(events), to_(to) {}
  [[nodiscard]] std::string_view name() const override { return "diagram"; }

  void started(const place& p) override {
    // Of a node's roles the edge starts first, and with every process.
    if (p.role == port::edge)
      add(diagram::event::starts, p.node, {}, "starts " + std::to_string(p.boot.value), "");
  }
  void crashed(node_id node) override { add(diagram::event::crashes, node, {}, "crashes", ""); }
  void wiped(node_id node, disk_id) override {
    add(diagram::event::loses_disk, node, {}, "loses its disk", "");
  }

  void sent(const place& from, const std::vector<node_id>& to, const box& message) override {
    if (from.role == port::membership)
      return;
    auto text = message.text();
    if (const auto* d = message.get<delivered>()) {
      add(diagram::event::local, from.node, {}, "delivers " + std::to_string(d->at.value), std::move(text));
      return;
    }
    std::vector<node_id> others;
    std::copy_if(to.begin(), to.end(), std::back_inserter(others), [&](node_id n) { return n != from.node; });
    auto& last = last_said_[{from.node, message.type().name}];
    if (others.empty() || last == text)
      return;
    last = text;
    sent_[{from.node, text}] = to_.rows().size();
    add(diagram::event::sends, from.node, std::move(others), message.type().name, std::move(text));
  }

  void taken(const place& by, node_id from, const box& message) override {
    if (from == by.node || by.role == port::membership)
      return;
    auto text = message.text();
    const auto found = sent_.find({from, text});
    // Repeats are not drawn when they are sent, so only what comes first can be told apart from them.
    if (found == sent_.end() || !taken_.insert({found->second, by.node}).second)
      return;
    add(diagram::event::takes, by.node, {from}, message.type().name, std::move(text));
    to_.rows().back().sent_in = {found->second};
  }

  void invoked(const operation& op) override {
    add(diagram::event::asks, op.at, {}, kind_of(op) + " " + std::to_string(op.number), "");
  }
  void returned(const operation& op) override {
    add(diagram::event::answers, op.at, {},
        std::to_string(op.number) + " " +
            (op.returned ? std::string{to_string(op.code)} : std::string{"given up"}),
        "");
  }

private:
  static std::string kind_of(const operation& op) {
    return op.kind == request_kind::write ? "write" : op.kind == request_kind::read ? "read" : "local read";
  }
  void add(diagram::event kind, node_id node, std::vector<node_id> others, std::string name,
           std::string text) {
    to_.add({events_.now(), kind, node, std::move(others), std::move(name), std::move(text), {}});
  }

  const event_queue& events_;
  diagram& to_;
  std::map<std::pair<node_id, std::string>, std::size_t> sent_;
  std::set<std::pair<std::size_t, node_id>> taken_;  ///< row that sent it, recipient
  std::map<std::pair<node_id, std::string>, std::string> last_said_;
};

/// The rows that are drawn, faults among them; `first` is the number of the first one that was recorded.
struct window {
  std::vector<diagram::row> rows;
  std::size_t first = 0;
};

window window_of(const diagram& d, const scenario& s, const std::string& failure, std::size_t rows_max) {
  const auto& all = d.rows();
  window w;
  w.first = all.size() - std::min(all.size(), rows_max);
  const auto begin = all.empty() ? time_point{} : all[w.first].at;
  const auto end = all.empty() ? time_point{} : all.back().at;
  auto f = s.faults.begin();
  // What began earlier may still go on: it is told first.
  auto faults_until = [&](time_point upto) {
    for (; f != s.faults.end() && f->at <= std::min(upto, s.faults_for); ++f)
      if (f->at + f->lasts >= begin && f->at <= end)
        w.rows.push_back({f->at, diagram::event::fault, {}, f->nodes, text(*f), "", {}});
  };
  for (auto i = w.first; i < all.size(); ++i) {
    faults_until(all[i].at);
    w.rows.push_back(all[i]);
  }
  if (!failure.empty())
    w.rows.push_back({end, diagram::event::failure, {}, {}, failure, "", {}});
  return w;
}

std::string names(const std::vector<node_id>& nodes) {
  std::string out;
  for (const auto n : nodes)
    out += (out.empty() ? "" : ",") + quorate::text(n);
  return out;
}

std::string milliseconds(time_point t) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%11.3f", static_cast<double>(t.count()) / 1e6);
  return buffer;
}

std::string cell_of(const diagram::row& r) {
  switch (r.kind) {
  case diagram::event::sends:
    return r.name + " > " + names(r.others);
  case diagram::event::takes:
    return names(r.others) + " > " + r.name;
  case diagram::event::asks:
    return "? " + r.name;
  case diagram::event::answers:
    return "= " + r.name;
  case diagram::event::crashes:
  case diagram::event::loses_disk:
    return "X " + r.name;
  case diagram::event::starts:
    return "* " + r.name;
  default:
    return r.name;
  }
}

constexpr std::size_t cell_width = 24;

// --- the picture

constexpr int left = 110;
constexpr int lane = 230;
constexpr int top = 60;
constexpr int line_height = 17;

int x_of(node_id n) {
  return left + lane / 2 + static_cast<int>(n.value - 1) * lane;
}
int y_of(std::size_t line) {
  return top + static_cast<int>(line) * line_height;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const auto c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

/// A colour for every kind of message, always the same.
std::string colour(std::string_view name) {
  std::uint32_t sum = 2166136261U;
  for (const auto c : name)
    sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
  return "hsl(" + std::to_string(sum % 360) + ",65%,38%)";
}

std::string line(int x1, int y1, int x2, int y2, const std::string& stroke, const std::string& more = {}) {
  return "<line x1=\"" + std::to_string(x1) + "\" y1=\"" + std::to_string(y1) + "\" x2=\"" +
         std::to_string(x2) + "\" y2=\"" + std::to_string(y2) + "\" stroke=\"" + stroke + "\" " + more +
         "/>\n";
}

std::string label(int x, int y, std::string_view words, const std::string& fill,
                  const std::string& more = {}) {
  return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" fill=\"" + fill + "\" " +
         more + ">" + escaped(words) + "</text>\n";
}

class picture {
public:
  picture(const window& w, std::size_t recorded, const scenario& s) : w_(w), members_(s.members) {
    // Where each recorded row stands, faults between them counted.
    line_of_.assign(recorded, 0);
    auto next = w.first;
    for (std::size_t i = 0; i < w.rows.size(); ++i)
      if (w.rows[i].kind != diagram::event::fault && w.rows[i].kind != diagram::event::failure)
        line_of_[next++] = i;
    find_arrivals();
  }

  [[nodiscard]] std::string draw() const {
    const auto width = left + static_cast<int>(members_) * lane + 20;
    const auto height = y_of(w_.rows.size()) + 20;
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) +
                      "\" height=\"" + std::to_string(height) +
                      "\" font-family=\"monospace\" font-size=\"11\">\n"
                      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    for (std::uint32_t n = 1; n <= members_; ++n)
      out += lifeline(node_id{n});
    for (std::size_t i = 0; i < w_.rows.size(); ++i)
      out += row(i, width);
    return out + "</svg>\n";
  }

private:
  void find_arrivals() {
    for (const auto& r : w_.rows)
      for (const auto from : r.sent_in)
        if (from >= w_.first)
          arrived_.insert({line_of_[from], r.node});
  }

  [[nodiscard]] std::string lifeline(node_id n) const {
    const auto x = x_of(n);
    auto out = label(x - 8, top - 25, quorate::text(n), "black", "font-weight=\"bold\" font-size=\"14\"");
    out += line(x, top - 15, x, y_of(w_.rows.size()), "#999");
    std::size_t down_since = w_.rows.size();
    auto down = [&](std::size_t upto) {
      if (down_since < upto)
        out += "<rect x=\"" + std::to_string(x - 12) + "\" y=\"" + std::to_string(y_of(down_since)) +
               "\" width=\"24\" height=\"" + std::to_string(y_of(upto) - y_of(down_since)) +
               "\" fill=\"#ccc\" opacity=\"0.7\"/>\n";
    };
    for (std::size_t i = 0; i < w_.rows.size(); ++i) {
      const auto& r = w_.rows[i];
      if (r.node != n)
        continue;
      if (r.kind == diagram::event::crashes)
        down_since = i;
      if (r.kind == diagram::event::starts) {
        down(i);
        down_since = w_.rows.size();
      }
    }
    down(w_.rows.size());
    return out;
  }

  [[nodiscard]] std::string row(std::size_t i, int width) const {
    const auto& r = w_.rows[i];
    const auto y = y_of(i);
    auto out = label(4, y + 4, milliseconds(r.at) + " ms", "#666");
    const auto x = x_of(r.node);
    switch (r.kind) {
    case diagram::event::fault:
    case diagram::event::failure: {
      const auto bad = r.kind == diagram::event::failure;
      out += "<rect x=\"" + std::to_string(left) + "\" y=\"" + std::to_string(y - 9) + "\" width=\"" +
             std::to_string(width - left) + "\" height=\"" + std::to_string(line_height) + "\" fill=\"" +
             (bad ? "#f66" : "#fd9") + "\" opacity=\"0.6\"/>\n";
      out += label(left + 6, y + 4, r.name, "black");
      break;
    }
    case diagram::event::sends:
      out += "<g><title>" + escaped(r.text) + "</title>" + label(x + 5, y + 4, cell_of(r), colour(r.name)) +
             "</g>\n";
      for (const auto to : r.others)
        if (!arrived_.contains({i, to})) {
          const auto way = to.value > r.node.value ? 60 : -60;
          out += line(x, y, x + way, y + 8, colour(r.name), "stroke-dasharray=\"3\"");
          out += label(x + way - 3, y + 12, "x", "red");
        }
      break;
    case diagram::event::takes:
      for (const auto from : r.sent_in)
        if (from >= w_.first)
          out += line(x_of(r.others.front()), y_of(line_of_[from]), x, y, colour(r.name), "opacity=\"0.75\"");
      out += "<circle cx=\"" + std::to_string(x) + "\" cy=\"" + std::to_string(y) + "\" r=\"3\" fill=\"" +
             colour(r.name) + "\"><title>" + escaped(r.text) + "</title></circle>\n";
      break;
    default:
      out += label(x + 5, y + 4, cell_of(r), "black", "font-weight=\"bold\"");
    }
    return out;
  }

  const window& w_;
  std::size_t members_;
  std::vector<std::size_t> line_of_;
  std::set<std::pair<std::size_t, node_id>> arrived_;
};

}  // namespace

std::unique_ptr<check> recorder(verdict& result, const event_queue& events, diagram& to) {
  return std::make_unique<recording>(result, events, to);
}

std::string draw_text(const diagram& d, const scenario& s, const std::string& failure, std::size_t rows_max) {
  const auto w = window_of(d, s, failure, rows_max);
  std::string out = std::string(15, ' ');
  for (std::uint32_t n = 1; n <= s.members; ++n) {
    auto head = "| " + quorate::text(node_id{n});
    head.resize(cell_width, ' ');
    out += head;
  }
  out += "\n";
  for (const auto& r : w.rows) {
    out += milliseconds(r.at) + " ms ";
    if (r.kind == diagram::event::fault || r.kind == diagram::event::failure) {
      out += (r.kind == diagram::event::fault ? "~~ " : "!! ") + r.name + "\n";
      continue;
    }
    for (std::uint32_t n = 1; n <= s.members; ++n) {
      auto cell = r.node.value == n ? "| " + cell_of(r) : std::string{"|"};
      cell.resize(cell_width, ' ');
      out += cell;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += "\n";
  }
  return out;
}

std::string draw_svg(const diagram& d, const scenario& s, const std::string& failure, std::size_t rows_max) {
  const auto w = window_of(d, s, failure, rows_max);
  return picture{w, d.rows().size(), s}.draw();
}

}  // namespace quorate::testing
