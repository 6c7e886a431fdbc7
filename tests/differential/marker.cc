// SPDX-License-Identifier: MIT
#include "tests/differential/marker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace gssipsec::differential {
namespace {

constexpr std::uint16_t kPort = 4000;
constexpr std::uint32_t kReqid = 1;
constexpr int kMostMs = 10000;  // a machine may be busy; what is longer under way is lost

channel::Sa own_sa(const channel::Address& here) {
  channel::Sa sa;
  sa.id = {0x100, here, channel::kProtoEsp};
  sa.source = here;
  sa.selector.family = here.family;
  sa.mode = channel::Mode::transport;
  sa.reqid = kReqid;
  sa.aead = {"rfc4106(gcm(aes))", 160, 128};
  return sa;
}

channel::Policy own_policy(const channel::Address& here, channel::Direction direction) {
  channel::Policy policy;
  policy.direction = direction;
  policy.selector.family = here.family;
  policy.selector.source = policy.selector.destination = {here, 32};
  channel::Template entry;
  entry.family = here.family;
  entry.source = entry.destination = here;
  entry.protocol = channel::kProtoEsp;
  entry.mode = channel::Mode::transport;
  entry.reqid = kReqid;
  policy.templates.push_back(entry);
  return policy;
}

}  // namespace

Marker::Marker(const std::string& namespace_name) : host_(namespace_name), fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  protect();
  sockaddr_in self{};
  self.sin_family = AF_INET;
  self.sin_port = htons(kPort);
  self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* name = reinterpret_cast<const sockaddr*>(&self);
  if (!fd_ || ::bind(fd_.get(), name, sizeof self) != 0 || ::connect(fd_.get(), name, sizeof self) != 0) give_up("socket of the marker");
  settle(1);
  if (host_.counts().begin()->second == 0) give_up("the marker goes in clear: lo does not obey policies");
}

void Marker::protect() {
  const channel::Address here = *channel::parse_address("127.0.0.1");
  host_.queue(sa_request({own_sa(here)}));
  for (const auto direction : {channel::Direction::out, channel::Direction::in}) host_.queue(policy_request({own_policy(here, direction)}, host_.devices()));
  for (const int error : host_.flush())
    if (error != 0) give_up("SA and policies of the marker");
}

void Marker::settle(std::size_t turns) const {
  for (std::size_t i = 0; i < turns; ++i) {
    pollfd came{fd_.get(), POLLIN, 0};
    char octet = 0;
    if (::send(fd_.get(), &octet, 1, 0) != 1 || ::poll(&came, 1, kMostMs) != 1 || ::recv(fd_.get(), &octet, 1, 0) != 1) give_up("the marker does not come");
  }
}

}  // namespace gssipsec::differential
