// SPDX-License-Identifier: MIT
#include "ike/vici_codec.h"

#include <algorithm>

namespace gssipsec::ike {
namespace {

using base::Code;
using base::fail;

enum class Element : std::uint8_t { section_start = 1, section_end = 2, key_value = 3, list_start = 4, list_item = 5, list_end = 6 };

base::Error broken(const std::string& what) { return fail(Code::IKE_MESSAGE, "vici message: " + what); }

// Builds the tree while it reads the elements; where it is, is a path from the root.
class TreeReader {
 public:
  TreeReader(base::Reader in, ViciSection& root) : in_(in), path_{&root} {}

  base::Status read() {
    while (in_.left() > 0) {
      if (++elements_ > kMaxViciElements) return broken("more than " + std::to_string(kMaxViciElements) + " elements");
      if (auto read = element(static_cast<Element>(in_.u8())); !read) return read;
      if (in_.failed()) return broken("an element ends beyond the message");
    }
    if (in_.failed()) return broken("the packet's name ends beyond it");
    if (list_) return broken("a list does not end");
    if (path_.size() != 1) return broken("a section does not end");
    return {};
  }

 private:
  std::string name() { return std::string(base::text_of(in_.take(in_.u8()))); }
  std::string value() { return in_.text16(); }
  ViciSection& here() { return *path_.back(); }

  base::Status element(Element kind) {
    if (list_ && kind != Element::list_item && kind != Element::list_end) return broken("a list holds something else than items");
    switch (kind) {
      case Element::section_start: return start_section();
      case Element::section_end: return end_section();
      case Element::key_value: return add_value();
      case Element::list_start: return start_list();
      case Element::list_item: return add_item();
      case Element::list_end: return end_list();
    }
    return broken("element of an unknown type");
  }

  base::Status start_section() {
    if (path_.size() > kMaxViciDepth) return broken("sections deeper than " + std::to_string(kMaxViciDepth));
    ViciSection& added = here().sections.emplace_back();
    added.name = name();
    path_.push_back(&added);
    return {};
  }
  base::Status end_section() {
    if (path_.size() == 1) return broken("a section ends that did not start");
    path_.pop_back();
    return {};
  }
  base::Status add_value() {
    std::string key = name();
    if (here().value(key)) return broken("a key twice in one section");
    here().values.emplace_back(std::move(key), value());
    return {};
  }
  base::Status start_list() {
    std::string key = name();
    if (here().list(key)) return broken("a list twice in one section");
    list_ = &here().lists.emplace_back();
    list_->name = std::move(key);
    return {};
  }
  base::Status add_item() {
    if (!list_) return broken("an item outside of a list");
    list_->items.push_back(value());
    return {};
  }
  base::Status end_list() {
    if (!list_) return broken("a list ends that did not start");
    list_ = nullptr;
    return {};
  }

  base::Reader in_;
  std::vector<ViciSection*> path_;  // only the last one's children grow, so the pointers stay good
  ViciList* list_ = nullptr;
  std::size_t elements_ = 0;
};

void write_name(base::Writer& out, Element kind, std::string_view name) {
  out.u8(static_cast<std::uint8_t>(kind)).u8(static_cast<std::uint8_t>(name.size())).raw(name);
}

void write_content(base::Writer& out, const ViciSection& section) {
  for (const auto& [key, value] : section.values) {
    write_name(out, Element::key_value, key);
    out.block16(value);
  }
  for (const ViciList& list : section.lists) {
    write_name(out, Element::list_start, list.name);
    for (const std::string& item : list.items) out.u8(static_cast<std::uint8_t>(Element::list_item)).block16(item);
    out.u8(static_cast<std::uint8_t>(Element::list_end));
  }
  for (const ViciSection& inner : section.sections) {
    write_name(out, Element::section_start, inner.name);
    write_content(out, inner);
    out.u8(static_cast<std::uint8_t>(Element::section_end));
  }
}

}  // namespace

std::optional<std::string_view> ViciSection::value(std::string_view key) const noexcept {
  for (const auto& [name_here, content] : values)
    if (name_here == key) return content;
  return std::nullopt;
}

const ViciList* ViciSection::list(std::string_view key) const noexcept {
  const auto found = std::find_if(lists.begin(), lists.end(), [&](const ViciList& one) { return one.name == key; });
  return found == lists.end() ? nullptr : &*found;
}

const ViciSection* ViciSection::section(std::string_view key) const noexcept {
  const ViciSection* found = nullptr;
  for (const ViciSection& one : sections) {
    if (one.name != key) continue;
    if (found) return nullptr;
    found = &one;
  }
  return found;
}

bool has_name(ViciType type) noexcept {
  return type == ViciType::command || type == ViciType::register_event || type == ViciType::unregister_event || type == ViciType::event;
}

base::Result<ViciPacket> decode_vici(base::View segment) {
  if (segment.empty() || segment.size() > kMaxViciSegment) return broken("a packet of " + std::to_string(segment.size()) + " octets");
  base::Reader in(segment);
  ViciPacket packet;
  const std::uint8_t type = in.u8();
  if (type > static_cast<std::uint8_t>(ViciType::event)) return broken("packet of unknown type " + std::to_string(type));
  packet.type = static_cast<ViciType>(type);
  if (has_name(packet.type)) packet.name = base::text_of(in.take(in.u8()));
  if (auto read = TreeReader(in, packet.message).read(); !read) return read.error();
  return packet;
}

base::Bytes encode_vici(const ViciPacket& packet) {
  base::Writer body;
  body.u8(static_cast<std::uint8_t>(packet.type));
  if (has_name(packet.type)) body.u8(static_cast<std::uint8_t>(packet.name.size())).raw(packet.name);
  write_content(body, packet.message);
  base::Writer out;
  out.block32(body.bytes());
  return std::move(out).take();
}

base::Result<std::optional<base::Bytes>> ViciStream::next() {
  base::Reader in(base::View(pending_).subspan(used_));
  const std::uint32_t length = in.u32();
  if (in.failed()) return std::optional<base::Bytes>();
  if (length == 0 || length > kMaxViciSegment) return broken("a segment of " + std::to_string(length) + " octets, the longest is " + std::to_string(kMaxViciSegment));
  const base::View segment = in.take(length);
  if (in.failed()) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    return std::optional<base::Bytes>();
  }
  std::optional<base::Bytes> out(base::Bytes(segment.begin(), segment.end()));
  used_ += 4 + length;
  if (used_ == pending_.size()) {
    pending_.clear();
    used_ = 0;
  }
  return out;
}

}  // namespace gssipsec::ike
