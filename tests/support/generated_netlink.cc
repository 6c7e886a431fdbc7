// SPDX-License-Identifier: MIT
#include "tests/support/generated_netlink.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/unit/kernel/messages.h"

namespace gssipsec::support {
namespace {

using namespace gssipsec::kernel::testing;

constexpr std::uint32_t kHere = 0x0a000001;      // 10.0.0.1
constexpr std::uint32_t kPeers = 0x0b000001;     // 11.0.0.1 and on
constexpr std::size_t kDatagram = 32 * 1024;

std::uint32_t peer(std::size_t pair) { return kPeers + static_cast<std::uint32_t>(pair); }
std::uint32_t reqid(std::size_t pair) { return 1 + static_cast<std::uint32_t>(pair); }
std::uint32_t spi(std::size_t pair, bool out) { return 0xc0000000 + 2 * static_cast<std::uint32_t>(pair) + (out ? 0 : 1); }

Bytes sa_of(std::size_t pair, bool out) {
  xfrm_usersa_info info = sa_info(spi(pair, out));
  info.saddr.a4 = htonl(out ? kHere : peer(pair));
  info.id.daddr.a4 = htonl(out ? peer(pair) : kHere);
  info.reqid = reqid(pair);
  info.replay_window = 32;
  return octets_of(info) + attribute(XFRMA_ALG_AEAD, algorithm("rfc4106(gcm(aes))", 160, 128));
}

Bytes policy_of(std::size_t pair, bool out) {
  xfrm_userpolicy_info info = policy_info(static_cast<std::uint32_t>((2 * pair + (out ? 1 : 2)) * 8 + (out ? XFRM_POLICY_OUT : XFRM_POLICY_IN)), 1000);
  info.sel.saddr.a4 = htonl(out ? kHere : peer(pair));
  info.sel.daddr.a4 = htonl(out ? peer(pair) : kHere);
  info.sel.prefixlen_s = info.sel.prefixlen_d = 32;
  xfrm_user_tmpl entry = user_template();
  entry.saddr.a4 = info.sel.saddr.a4;
  entry.id.daddr.a4 = info.sel.daddr.a4;
  entry.reqid = reqid(pair);
  return octets_of(info) + attribute(XFRMA_TMPL, entry);
}

void append(std::vector<Bytes>& dump, const Bytes& message) {
  if (dump.empty() || dump.back().size() + message.size() > kDatagram) dump.emplace_back().reserve(kDatagram);
  dump.back() += message;
}

class Port final : public kernel::NetlinkPort {
 public:
  explicit Port(const GeneratedKernel& kernel) : kernel_(kernel) {}
  base::Status send(View datagram) override {
    nlmsghdr request;
    std::memcpy(&request, datagram.data(), sizeof request);
    sequence_ = request.nlmsg_seq;
    answers_ = &kernel_.answers(request.nlmsg_type);
    next_ = 0;
    return {};
  }
  base::Result<Bytes> receive() override {
    if (!answers_ || next_ >= answers_->size()) return base::fail(base::Code::NETLINK, "nothing more to say");
    Bytes datagram = (*answers_)[next_++];
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= datagram.size();) {
      nlmsghdr header;
      std::memcpy(&header, datagram.data() + at, sizeof header);
      header.nlmsg_seq = sequence_;
      std::memcpy(datagram.data() + at, &header, sizeof header);
      at += (header.nlmsg_len + 3) & ~std::size_t{3};
    }
    return datagram;
  }
  int fd() const noexcept override { return -1; }

 private:
  const GeneratedKernel& kernel_;
  const std::vector<Bytes>* answers_ = nullptr;
  std::size_t next_ = 0;
  std::uint32_t sequence_ = 0;
};

std::string dotted(std::uint32_t address) {
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
  return text;
}

}  // namespace

GeneratedKernel::GeneratedKernel(std::size_t pairs, std::size_t policies) : pairs_(pairs), policies_(policies) {
  for (std::size_t pair = 0; pair < std::max(pairs, policies); ++pair)
    for (const bool out : {true, false}) {
      if (pair < pairs) append(sa_dump_, message(XFRM_MSG_NEWSA, sa_of(pair, out), NLM_F_MULTI));
      if (pair < policies) append(policy_dump_, message(XFRM_MSG_NEWPOLICY, policy_of(pair, out), NLM_F_MULTI));
    }
  for (auto* dump : {&sa_dump_, &policy_dump_}) append(*dump, message(NLMSG_DONE, octets_of(std::int32_t{0}), NLM_F_MULTI));
  append(defaults_, message(XFRM_MSG_GETDEFAULT, octets_of(xfrm_userpolicy_default{2, 2, 2})));
  append(sa_count_, message(XFRM_MSG_NEWSADINFO, octets_of(std::uint32_t{0}) + attribute(XFRMA_SAD_CNT, static_cast<std::uint32_t>(2 * pairs))));
  miscount(0);
}

void GeneratedKernel::miscount(std::uint32_t more) {
  const auto rules = static_cast<std::uint32_t>(policies_);
  policy_count_.clear();
  append(policy_count_, message(XFRM_MSG_NEWSPDINFO, octets_of(std::uint32_t{0}) + attribute(XFRMA_SPD_INFO, xfrmu_spdinfo{rules + more, rules, 0, 1, 1, 0})));
}

channel::Flow GeneratedKernel::flow(std::size_t pair) {
  channel::Flow flow;
  flow.protocol = 6;
  flow.local = *channel::parse_address(dotted(kHere));
  flow.remote = *channel::parse_address(dotted(peer(pair)));
  flow.local_port = 40000;
  flow.remote_port = 5000;
  flow.output_ifindex = 2;
  return flow;
}

std::unique_ptr<kernel::NetlinkPort> GeneratedKernel::port() const { return std::make_unique<Port>(*this); }

const std::vector<Bytes>& GeneratedKernel::answers(std::uint16_t request) const {
  switch (request) {
    case XFRM_MSG_GETSA: return sa_dump_;
    case XFRM_MSG_GETPOLICY: return policy_dump_;
    case XFRM_MSG_GETSADINFO: return sa_count_;
    case XFRM_MSG_GETSPDINFO: return policy_count_;
    default: return defaults_;
  }
}

Bytes GeneratedKernel::pair_comes(std::size_t pair) {
  return message(XFRM_MSG_NEWSA, sa_of(pair, true)) + message(XFRM_MSG_NEWSA, sa_of(pair, false));
}

Bytes GeneratedKernel::pair_changes(std::size_t pair) {
  return message(XFRM_MSG_UPDSA, sa_of(pair, true)) + message(XFRM_MSG_UPDSA, sa_of(pair, false));
}

Bytes GeneratedKernel::pair_goes(std::size_t pair) {
  Bytes out;
  for (const bool outbound : {true, false}) {
    xfrm_usersa_id id{};
    id.daddr.a4 = htonl(outbound ? peer(pair) : kHere);
    id.spi = htonl(spi(pair, outbound));
    id.family = AF_INET;
    id.proto = 50;
    out += message(XFRM_MSG_DELSA, octets_of(id));
  }
  return out;
}

std::string GeneratedKernel::text() const {
  std::string rules, sas;
  for (std::size_t pair = 0; pair < pairs_; ++pair)
    for (const bool out : {true, false}) {
      const std::string from = dotted(out ? kHere : peer(pair)), to = dotted(out ? peer(pair) : kHere), own = std::to_string(reqid(pair));
      char name[16];
      std::snprintf(name, sizeof name, "0x%08x", spi(pair, out));
      if (pair < policies_)
        rules += "src " + from + "/32 dst " + to + "/32 \n\tdir " + (out ? "out" : "in") + " priority 1000 \n\ttmpl src " + from + " dst " +
                    to + "\n\t\tproto esp reqid " + own + " mode transport\n";
      sas += "src " + from + " dst " + to + "\n\tproto esp spi " + name + " reqid " + own +
             " mode transport\n\treplay-window 32 \n\taead rfc4106(gcm(aes)) 0xa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5 128\n"
             "\tanti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000\n\tsel src 0.0.0.0/0 dst 0.0.0.0/0 \n";
    }
  return rules + sas;
}

}  // namespace gssipsec::support
