// SPDX-License-Identifier: MIT
// A kernel with as many SAs as wanted, made of octets: transport-mode pairs (AES-GCM) between 10.0.0.1 and one host a pair,
// each with a reqid of its own and a policy each way, as IKE daemons make them. Its dumps and events go through the real
// decoder. For tests and benchmarks. One thread.
#pragma once

#include <deque>

#include "channel/flow.h"
#include "kernel/netlink_port.h"

namespace gssipsec::support {

class GeneratedKernel {
 public:
  // Pairs of SAs, and pairs of policies, the first for the first.
  GeneratedKernel(std::size_t pairs, std::size_t policies);

  [[nodiscard]] std::size_t sas() const noexcept { return 2 * pairs_; }
  [[nodiscard]] static channel::Flow flow(std::size_t pair);
  // A port whose requests this kernel answers; it must outlive the port.
  [[nodiscard]] std::unique_ptr<kernel::NetlinkPort> port() const;
  [[nodiscard]] const std::vector<base::Bytes>& answers(std::uint16_t request) const;

  // Datagrams of the monitor: a pair comes (or is told anew), changes, goes.
  [[nodiscard]] static base::Bytes pair_comes(std::size_t pair);
  [[nodiscard]] static base::Bytes pair_changes(std::size_t pair);
  [[nodiscard]] static base::Bytes pair_goes(std::size_t pair);

  // From now on its count of policies is wrong by so many.
  void miscount(std::uint32_t more);

  // What `ip xfrm policy` and `ip xfrm state` would print.
  [[nodiscard]] std::string text() const;

 private:
  std::size_t pairs_, policies_;
  std::vector<base::Bytes> sa_dump_, policy_dump_, defaults_, sa_count_, policy_count_;
};

}  // namespace gssipsec::support
