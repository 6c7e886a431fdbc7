// SPDX-License-Identifier: MIT
// The application's channel bindings as one digest (RFC 5554, RFC 4121 4.1.1.2): each field with its length, never the
// octets of a C structure, whose padding and layout differ between programs.
#pragma once

#include <cstdint>

#include "mech_ipsec/seal.h"

namespace gssipsec::mech {

struct Bindings {
  std::uint32_t initiator_type = 0;
  base::View initiator_address;
  std::uint32_t acceptor_type = 0;
  base::View acceptor_address;
  base::View application_data;
};

// BAD_ARGUMENT for fields of 4 GiB and more.
[[nodiscard]] base::Result<Digest> digest_of(const Bindings& bindings);

}  // namespace gssipsec::mech
