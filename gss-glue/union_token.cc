// SPDX-License-Identifier: MIT
#include "gss-glue/union_token.h"

namespace gssipsec::glue {

base::Result<base::View> inside_of(base::View token) {
  base::Reader in(token);
  (void)in.block32(token.size());
  if (in.failed()) return base::fail(base::Code::BAD_TOKEN, "an exported object without its mechanism");
  return in.take(in.left());
}

base::Bytes under(gss_const_OID mechanism, base::View inside) {
  base::Writer out;
  out.block32(base::View(static_cast<const std::byte*>(mechanism->elements), mechanism->length)).raw(inside);
  return std::move(out).take();
}

}  // namespace gssipsec::glue
