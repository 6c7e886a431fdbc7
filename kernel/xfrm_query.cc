// SPDX-License-Identifier: MIT
// Asking the kernel for its databases and for single SAs.
#include <arpa/inet.h>
#include <errno.h>

#include <algorithm>

#include "kernel/transaction.h"
#include "kernel/xfrm.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;
using wire::Message;

// Main and sub policies come in one dump. The list is newest first, and an update puts a policy at its head although
// the look-up keeps it in its old place among those of equal priority; but it keeps its index, and indexes grow. So
// the index tells who is older, but not surely: an update that changed the priority put a policy behind its new equals, an
// administrator may choose indexes, and no dump shows either.
void number(std::vector<channel::Policy>& policies) {
  const auto older = [](const channel::Policy& a, const channel::Policy& b) { return a.index >> 3 < b.index >> 3; };
  std::stable_sort(policies.begin(), policies.end(), older);
  std::uint64_t order = 0;
  for (channel::Policy& policy : policies) {
    policy.order = ++order;
    policy.order_unsure = true;
  }
}

Status dump_policies(NetlinkPort& port, channel::Spd& spd) {
  const Request request(XFRM_MSG_GETPOLICY, NLM_F_DUMP);
  const Status done = ask(port, request, "dump of policies", [&spd](const Message& message) -> Status {
    if (message.header.nlmsg_type != XFRM_MSG_NEWPOLICY) return {};
    auto policy = decode_policy(message.payload);
    if (!policy) return policy.error();
    if (policy->direction != channel::Direction::other) spd.policies.push_back(*std::move(policy));
    return {};
  });
  if (done) number(spd.policies);
  return done;
}

// Kernels before 5.14 know no default policies: they accept.
Status read_defaults(NetlinkPort& port, channel::Spd& spd) {
  Request request(XFRM_MSG_GETDEFAULT, 0);
  request.fixed(xfrm_userpolicy_default{});
  auto outcome = transact(port, request, [&spd](const Message& message) -> Status {
    if (message.header.nlmsg_type != XFRM_MSG_GETDEFAULT) return {};
    auto defaults = decode_defaults(message.payload);
    if (!defaults) return defaults.error();
    spd.default_in = defaults->in;
    spd.default_out = defaults->out;
    return {};
  });
  if (!outcome) return outcome.error();
  if (outcome->error == 0 || outcome->error == EINVAL || outcome->error == EOPNOTSUPP) return {};
  return base::system_error(Code::NETLINK, "default policies", outcome->error);
}

Status dump_sas(NetlinkPort& port, channel::Sad& sad) {
  SadDump dump(port, [&sad](channel::Sa sa) { sad.sas.push_back(std::move(sa)); });
  if (Status begun = dump.begin(); !begun) return begun;
  while (true) {
    const auto ended = dump.go_on();
    if (!ended) return ended.error();
    if (*ended) return {};
  }
}

base::Result<std::uint64_t> read_count(NetlinkPort& port, std::uint16_t question, std::uint16_t answer, base::Result<std::uint64_t> (*decode)(base::View)) {
  Request request(question, 0);
  request.fixed(std::uint32_t{0});
  base::Result<std::uint64_t> found = base::fail(Code::NETLINK_MESSAGE, "the kernel tells no count");
  const Status done = ask(port, request, "counts", [&](const Message& message) -> Status {
    if (message.header.nlmsg_type == answer) found = decode(message.payload);
    return {};
  });
  return done ? found : base::Result<std::uint64_t>(done.error());
}

Request request_for(const channel::SaId& id) {
  xfrm_usersa_id raw{};
  raw.daddr = wire::to_kernel(id.destination);
  raw.spi = htonl(id.spi);
  raw.family = static_cast<std::uint16_t>(wire::af_of(id.destination.family));
  raw.proto = id.protocol;
  Request request(XFRM_MSG_GETSA, 0);
  request.fixed(raw);
  return request;
}

// One SA by its name, decoded by `decode`. The kernel's answer must bear that name.
template <typename T>
base::Result<T> read_one(NetlinkPort& port, const channel::SaId& id, base::Result<T> (*decode)(base::View)) {
  base::Result<T> found = base::fail(Code::SA_GONE, "the kernel has no such SA");
  auto outcome = transact(port, request_for(id), [&](const Message& message) -> Status {
    if (message.header.nlmsg_type == XFRM_MSG_NEWSA) found = decode(message.payload);
    return {};
  });
  if (!outcome) return outcome.error();
  if (outcome->error != 0 && outcome->error != ESRCH) return base::system_error(Code::NETLINK, "look-up of an SA", outcome->error);
  if (found && !(found->id == id)) return base::fail(Code::NETLINK_MESSAGE, "wanted one SA, found another in the answer");
  return found;
}

}  // namespace

base::Result<std::uint64_t> decode_sa_count(base::View payload) {
  const auto attributes = wire::Attributes::walk(wire::behind(payload, sizeof(std::uint32_t)));
  if (!attributes) return attributes.error();
  std::uint32_t count = 0;
  if (!attributes->has(XFRMA_SAD_CNT) || !attributes->read(XFRMA_SAD_CNT, count)) return wire::broken("the number of SAs is not there");
  return count;
}

base::Result<std::uint64_t> decode_policy_count(base::View payload) {
  const auto attributes = wire::Attributes::walk(wire::behind(payload, sizeof(std::uint32_t)));
  if (!attributes) return attributes.error();
  xfrmu_spdinfo counts{};
  if (!attributes->has(XFRMA_SPD_INFO) || !attributes->read(XFRMA_SPD_INFO, counts)) return wire::broken("the number of policies is not there");
  return std::uint64_t{counts.incnt} + counts.outcnt + counts.fwdcnt;
}

base::Result<channel::Spd> dump_spd(NetlinkPort& port) {
  channel::Spd spd;
  if (Status ok = dump_policies(port, spd); !ok) return ok.error();
  if (Status ok = read_defaults(port, spd); !ok) return ok.error();
  return spd;
}

base::Result<std::vector<PolicyOwner>> dump_policy_owners(NetlinkPort& port) {
  std::vector<PolicyOwner> owners;
  const Request request(XFRM_MSG_GETPOLICY, NLM_F_DUMP);
  const Status done = ask(port, request, "dump of sockets' policies", [&owners](const Message& message) -> Status {
    if (message.header.nlmsg_type != XFRM_MSG_NEWPOLICY) return {};
    const auto owner = decode_policy_owner(message.payload);
    if (!owner) return owner.error();
    if (*owner) owners.push_back(**owner);
    return {};
  });
  if (!done) return done.error();
  return owners;
}

SadDump::SadDump(NetlinkPort& port, Take take)
    : transaction_(std::make_unique<Transaction>(port, [take = std::move(take)](const Message& message) -> Status {
        if (message.header.nlmsg_type != XFRM_MSG_NEWSA) return {};
        auto sa = decode_sa(message.payload);
        if (!sa) return sa.error();
        take(*std::move(sa));
        return {};
      })) {}

SadDump::~SadDump() = default;

Status SadDump::begin() { return transaction_->begin(Request(XFRM_MSG_GETSA, NLM_F_DUMP)); }

base::Result<bool> SadDump::go_on() {
  const auto ended = transaction_->go_on();
  if (!ended || !*ended) return ended;
  const auto outcome = transaction_->outcome();
  if (!outcome) return outcome.error();
  if (outcome->error != 0) return base::system_error(Code::NETLINK, "dump of SAs", outcome->error);
  return true;
}

base::Result<Counts> read_counts(NetlinkPort& port) {
  const auto sas = read_count(port, XFRM_MSG_GETSADINFO, XFRM_MSG_NEWSADINFO, &decode_sa_count);
  if (!sas) return sas.error();
  const auto policies = read_count(port, XFRM_MSG_GETSPDINFO, XFRM_MSG_NEWSPDINFO, &decode_policy_count);
  if (!policies) return policies.error();
  return Counts{*sas, *policies};
}

base::Result<Databases> dump(NetlinkPort& port) {
  Databases databases;
  auto spd = dump_spd(port);
  if (!spd) return spd.error();
  databases.spd = *std::move(spd);
  if (Status ok = dump_sas(port, databases.sad); !ok) return ok.error();
  return databases;
}

base::Result<channel::SaKeys> read_keys(NetlinkPort& port, const channel::SaId& id) { return read_one(port, id, &decode_keys); }

base::Result<channel::Sa> read_sa(NetlinkPort& port, const channel::SaId& id) { return read_one(port, id, &decode_sa); }

}  // namespace gssipsec::kernel
