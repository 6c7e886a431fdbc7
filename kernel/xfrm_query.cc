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

Status run(NetlinkPort& port, const Request& request, const char* what, const Consumer& consume) {
  auto outcome = transact(port, request, consume);
  if (!outcome) return outcome.error();
  if (outcome->error != 0) return base::system_error(Code::NETLINK, what, outcome->error);
  return {};
}

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
  const Status done = run(port, request, "dump of policies", [&spd](const Message& message) -> Status {
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
  const Request request(XFRM_MSG_GETSA, NLM_F_DUMP);
  return run(port, request, "dump of SAs", [&sad](const Message& message) -> Status {
    if (message.header.nlmsg_type != XFRM_MSG_NEWSA) return {};
    auto sa = decode_sa(message.payload);
    if (!sa) return sa.error();
    sad.sas.push_back(*std::move(sa));
    return {};
  });
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

base::Result<Databases> dump(NetlinkPort& port) {
  Databases databases;
  if (Status ok = dump_policies(port, databases.spd); !ok) return ok.error();
  if (Status ok = read_defaults(port, databases.spd); !ok) return ok.error();
  if (Status ok = dump_sas(port, databases.sad); !ok) return ok.error();
  return databases;
}

base::Result<channel::SaKeys> read_keys(NetlinkPort& port, const channel::SaId& id) { return read_one(port, id, &decode_keys); }

base::Result<channel::Sa> read_sa(NetlinkPort& port, const channel::SaId& id) { return read_one(port, id, &decode_sa); }

}  // namespace gssipsec::kernel
