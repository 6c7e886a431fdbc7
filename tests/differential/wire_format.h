// SPDX-License-Identifier: MIT
// XFRM requests, written here by hand: what the product's decoders read is not made by the product. Pure.
#pragma once

#include "kernel/transaction.h"
#include "tests/differential/scene.h"

namespace gssipsec::differential {

using kernel::Request;
using Ifindexes = std::array<std::uint32_t, 5>;  // by Device

[[nodiscard]] Request policy_request(const PutPolicy& put, const Ifindexes& devices);
[[nodiscard]] Request drop_request(const channel::Policy& policy, const Ifindexes& devices);
[[nodiscard]] Request sa_request(const PutSa& put);
[[nodiscard]] Request alloc_request(const channel::Sa& sa);
[[nodiscard]] Request drop_request(const channel::Sa& sa);
[[nodiscard]] Request defaults_request(const PutDefaults& put);
[[nodiscard]] Request flush_sas(std::uint8_t protocol);
[[nodiscard]] Request flush_policies(bool sub);

}  // namespace gssipsec::differential
