// SPDX-License-Identifier: MIT
// Many changes of the SAD in one go, by netlink from one process, in the network namespace it is started in:
//   sa_storm add|update|delete FIRST COUNT
// SAs number FIRST to FIRST+COUNT-1 are outbound ones from 10.1.0.1, each to a host of its own, with AES-GCM. They come 64 a
// system call and nobody waits for answers; the last one is asked for, so that a kernel that refuses is noticed.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernel/netlink_port.h"
#include "kernel/xfrm.h"
#include "tests/unit/kernel/messages.h"

namespace {

using namespace gssipsec;
using namespace gssipsec::kernel::testing;

constexpr std::uint32_t kSpi = 0xd0000000, kHosts = 0x0a400000;
constexpr std::uint32_t kBatch = 64;

Bytes id_of(std::uint32_t number) {
  xfrm_usersa_id id{};
  id.daddr.a4 = htonl(kHosts + number);
  id.spi = htonl(kSpi + number);
  id.family = AF_INET;
  id.proto = 50;
  return octets_of(id);
}

Bytes sa_of(std::uint32_t number) {
  xfrm_usersa_info info = sa_info(kSpi + number);
  info.id.daddr.a4 = htonl(kHosts + number);
  info.reqid = 1000 + number;
  info.replay_window = 32;
  info.curlft = {};
  info.lft.soft_byte_limit = info.lft.hard_byte_limit = info.lft.soft_packet_limit = info.lft.hard_packet_limit = XFRM_INF;
  return octets_of(info) + attribute(XFRMA_ALG_AEAD, algorithm("rfc4106(gcm(aes))", 160, 128));
}

Bytes request(const std::string& what, std::uint32_t number) {
  if (what == "delete") return message(XFRM_MSG_DELSA, id_of(number), NLM_F_REQUEST);
  return message(what == "add" ? XFRM_MSG_NEWSA : XFRM_MSG_UPDSA, sa_of(number), NLM_F_REQUEST);
}

base::Status storm(const std::string& what, std::uint32_t first, std::uint32_t count) {
  auto port = kernel::open_request_port(2000);
  if (!port) return port.error();
  Bytes batch;
  for (std::uint32_t i = 0; i < count; ++i) {
    batch += request(what, first + i);
    if ((i + 1) % kBatch != 0 && i + 1 < count) continue;
    if (base::Status sent = (*port)->send(batch); !sent) return sent;
    batch.clear();
  }
  return {};
}

bool there(std::uint32_t number) {
  auto port = kernel::open_request_port(2000);
  return port && kernel::read_sa(**port, {kSpi + number, *channel::parse_address("10.64." + std::to_string(number >> 8) + "." + std::to_string(number & 255)), 50}).ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: sa_storm add|update|delete FIRST COUNT\n", stderr);
    return 2;
  }
  const std::string what = argv[1];
  const auto first = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)), count = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const base::Status done = storm(what, first, count);
  if (!done.ok()) std::fprintf(stderr, "sa_storm: %s\n", describe(done.error()).c_str());
  return done.ok() && there(first + count - 1) == (what != "delete") ? 0 : 1;
}
