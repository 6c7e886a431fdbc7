// SPDX-License-Identifier: MIT
#include "channel/sa.h"

#include <cstdio>

namespace gssipsec::channel {

std::string format(const SaId& id) {
  char spi[16];
  snprintf(spi, sizeof spi, "0x%08x", id.spi);
  const char* protocol = id.protocol == kProtoEsp ? "esp" : id.protocol == kProtoAh ? "ah" : id.protocol == kProtoComp ? "comp" : "?";
  return std::string(protocol) + " " + spi + " > " + format(id.destination);
}

}  // namespace gssipsec::channel
