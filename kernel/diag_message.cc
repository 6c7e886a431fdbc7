// SPDX-License-Identifier: MIT
#include "kernel/diag_message.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>

#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

base::Result<DiagSocket> decode_diag(base::View payload) {
  constexpr int kListen = 10;
  const auto raw = wire::head<inet_diag_msg>(payload);
  if (!raw) return wire::broken("a socket's description is cut off");
  DiagSocket out;
  out.cookie = std::uint64_t{raw->id.idiag_cookie[1]} << 32 | raw->id.idiag_cookie[0];
  out.local_port = ntohs(raw->id.idiag_sport);
  out.remote_port = ntohs(raw->id.idiag_dport);
  out.uid = raw->idiag_uid;
  out.listening = raw->idiag_state == kListen;
  return out;
}

}  // namespace gssipsec::kernel
