// SPDX-License-Identifier: MIT
// What the per-message calls share: memory that becomes the caller's, and the supplementary status of a message's place in
// the sequence. Threads: any.
#pragma once

#include <algorithm>
#include <memory>
#include <span>

#include "gss-glue/boundary.h"
#include "mech_ipsec/sequence.h"

namespace gssipsec::glue {

struct FreeRoom {
  void operator()(void* room) const noexcept { free(room); }
};

// malloc'ed room that becomes the caller's buffer. An empty one is given as a null pointer: gss_release_buffer() frees
// nothing whose length is 0. Throws std::bad_alloc.
class Room {
 public:
  explicit Room(std::size_t size) : octets_(static_cast<std::byte*>(malloc(std::max<std::size_t>(size, 1)))), size_(size) {
    if (!octets_) throw std::bad_alloc();
  }
  [[nodiscard]] std::span<std::byte> span() const noexcept { return {octets_.get(), size_}; }
  void give_to(gss_buffer_t out) noexcept { *out = {size_, size_ == 0 ? nullptr : octets_.release()}; }

 private:
  std::unique_ptr<std::byte, FreeRoom> octets_;
  std::size_t size_;
};

// GSS_S_COMPLETE with GAP, UNSEQ, DUPLICATE or OLD.
OM_uint32 ordered(OM_uint32* minor, mech::Order order);
OM_uint32 too_long(OM_uint32* minor);

}  // namespace gssipsec::glue
