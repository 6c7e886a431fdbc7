// SPDX-License-Identifier: MIT
// What was said so far in one context exchange: SHA-256 over each token as u32 length | octets, without the frame of the
// first one. Threads: under the context's lock.
#pragma once

#include "base/bytes.h"
#include "mech_ipsec/seal.h"

namespace gssipsec::mech {

class Transcript {
 public:
  void add(base::View token);
  [[nodiscard]] base::Result<Digest> digest() const { return sha256(tokens_); }
  // As if `token` had been added.
  [[nodiscard]] base::Result<Digest> digest_with(base::View token) const;

 private:
  base::Bytes tokens_;  // a few kilobytes: at most three HELLOs, two RETRYs and a REPLY
};

}  // namespace gssipsec::mech
