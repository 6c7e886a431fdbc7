// SPDX-License-Identifier: MIT
#include "mech_ipsec/transcript.h"

namespace gssipsec::mech {

void Transcript::add(base::View token) {
  base::Writer out;
  out.block32(token);
  tokens_.insert(tokens_.end(), out.bytes().begin(), out.bytes().end());
}

base::Result<Digest> Transcript::digest_with(base::View token) const {
  Transcript longer(*this);
  longer.add(token);
  return longer.digest();
}

}  // namespace gssipsec::mech
