// SPDX-License-Identifier: MIT
// Channel bindings as octets (RFC 5056 2.1): the type's name, a colon, the data. The one place that knows.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace gssipsec::channel {

inline constexpr std::string_view kExporterBinding = "x-ipsec-exporter-v1";

[[nodiscard]] inline base::Bytes binding_octets(std::string_view type, base::View data) {
  base::Writer out;
  out.raw(type).raw(":").raw(data);
  return std::move(out).take();
}

}  // namespace gssipsec::channel
