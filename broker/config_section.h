// SPDX-License-Identifier: MIT
// One table of the configuration as its readers see it: typed values, and every fault with its place. Of config.cc
// alone, which includes the TOML library before it: one translation unit knows that.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channel/address.h"
#include "channel/identity.h"

namespace gssipsec::broker {

inline constexpr std::size_t kMaxFaults = 100;
inline constexpr std::size_t kMaxWord = 255;

// Every fault of a file, in the order in which they were found.
class Faults {
 public:
  explicit Faults(const std::string& file) : file_(file) {}
  void add(const toml::source_region& where, const std::string& what) {
    if (count_++ >= kMaxFaults) return;
    if (!text_.empty()) text_ += '\n';
    text_ += file_ + ":" + std::to_string(where.begin.line) + ": " + what;
  }
  [[nodiscard]] bool none() const { return count_ == 0; }
  [[nodiscard]] std::string text() const {
    return count_ > kMaxFaults ? text_ + "\n" + std::to_string(count_ - kMaxFaults) + " more faults" : text_;
  }

 private:
  const std::string& file_;
  std::string text_;
  std::size_t count_ = 0;
};

// One line and no control characters: faults are shown on terminals.
inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 80)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > 80 ? "...\"" : "\"");
}

inline std::string kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::boolean: return "true or false";
    default: return "a value of another type";
  }
}

inline bool plain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

// A table of which every key must be asked for: what was not asked for is unknown.
class Section {
 public:
  Section(const toml::table& table, std::string name, Faults& faults) : table_(table), name_(std::move(name)), faults_(faults) {}

  const toml::node* find(const char* key) {
    asked_.insert(key);
    return table_.get(key);
  }
  const toml::node* require(const char* key) {
    const toml::node* node = find(key);
    if (!node) fault(table_, std::string(key) + " is missing");
    return node;
  }
  void fault(const toml::node& node, const std::string& what) { faults_.add(node.source(), name_ + ": " + what); }
  void wrong_type(const toml::node& node, const char* key, const char* wanted) {
    fault(node, std::string(key) + " must be " + wanted + ", found " + kind(node));
  }

  std::optional<std::string> text(const char* key, const toml::node* node) {
    if (!node) return std::nullopt;
    if (!node->is_string()) {
      wrong_type(*node, key, "a string");
      return std::nullopt;
    }
    return node->as_string()->get();
  }
  // Non-empty, one line.
  std::optional<std::string> word(const char* key, const toml::node* node) {
    auto value = text(key, node);
    if (value && !plain(*value)) {
      fault(*node, std::string(key) + " must be 1 to 255 characters without control characters, found " + quoted(*value));
      return std::nullopt;
    }
    return value;
  }
  std::optional<bool> flag(const char* key) {
    const toml::node* node = find(key);
    if (!node) return std::nullopt;
    if (!node->is_boolean()) {
      wrong_type(*node, key, "true or false");
      return std::nullopt;
    }
    return node->as_boolean()->get();
  }
  std::optional<std::int64_t> number(const char* key, const toml::node* node, std::int64_t least, std::int64_t most) {
    if (!node) return std::nullopt;
    if (!node->is_integer()) {
      wrong_type(*node, key, "a whole number");
      return std::nullopt;
    }
    const std::int64_t value = node->as_integer()->get();
    if (value >= least && value <= most) return value;
    fault(*node, std::string(key) + " must be " + std::to_string(least) + " to " + std::to_string(most) + ", found " + std::to_string(value));
    return std::nullopt;
  }
  template <typename T>
  void set_number(const char* key, T& out, std::int64_t least, std::int64_t most) {
    if (const auto value = number(key, find(key), least, most)) out = static_cast<T>(*value);
  }
  std::optional<channel::Identity> identity(const char* key) {
    const toml::node* node = require(key);
    const auto value = text(key, node);
    if (!value) return std::nullopt;
    auto parsed = channel::parse_identity(*value);
    if (parsed && parsed->type != channel::IdType::none) return *std::move(parsed);
    fault(*node, std::string(key) + " must be an identity with its type like \"fqdn:host.example.org\", found " + quoted(*value));
    return std::nullopt;
  }
  std::optional<channel::Address> address(const char* key) {
    const toml::node* node = require(key);
    const auto value = text(key, node);
    if (!value) return std::nullopt;
    auto parsed = channel::parse_address(*value);
    if (parsed && !parsed->is_any() && !parsed->is_loopback() && !parsed->is_v4_mapped()) return *std::move(parsed);
    fault(*node, std::string(key) + " must be one host's IPv4 or IPv6 address, found " + quoted(*value));
    return std::nullopt;
  }
  template <typename T, std::size_t N>
  void set_choice(const char* key, T& out, const std::pair<const char*, T> (&choices)[N]) {
    const toml::node* node = find(key);
    const auto value = text(key, node);
    if (!value) return;
    std::string names;
    for (const auto& [name, choice] : choices) {
      if (*value == name) {
        out = choice;
        return;
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    fault(*node, std::string(key) + " must be one of " + names + ", found " + quoted(*value));
  }
  void refuse_unknown() {
    for (const auto& [key, node] : table_)
      if (!asked_.count(std::string(key.str()))) faults_.add(key.source(), name_ + ": unknown key " + quoted(key.str()));
  }
  [[nodiscard]] const toml::table& table() const { return table_; }

 private:
  const toml::table& table_;
  const std::string name_;
  Faults& faults_;
  std::set<std::string> asked_;
};

}  // namespace gssipsec::broker
