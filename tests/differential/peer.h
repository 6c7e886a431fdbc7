// SPDX-License-Identifier: MIT
// B, as far as it attacks A: it knows the keys of all SAs and sends by whichever it likes.
#pragma once

#include <optional>

#include "channel/join.h"
#include "tests/differential/host.h"
#include "tests/differential/random.h"

namespace gssipsec::differential {

class Peer {
 public:
  explicit Peer(Host& host) : host_(host) {}

  void learn(const PutSa& put);  // an SA that ends at A
  void install();                // what was learned since
  // The SAs of `sad`, innermost first, by which the policy's templates want a packet; nothing when one has none.
  [[nodiscard]] std::optional<std::vector<channel::Sa>> as_wanted(Random& random, const channel::Sad& sad, const channel::Policy& policy,
                                                                  const channel::Packet& packet) const;
  [[nodiscard]] std::vector<channel::Sa> otherwise(Random& random, channel::Family family) const;
  // From now on B sends everything by these; by none in clear. False when the kernel takes no such templates.
  [[nodiscard]] bool use(const std::vector<channel::Sa>& sas, const channel::Flow& flow);
  void forget();

 private:
  [[nodiscard]] bool can_use(const channel::Sa& sa) const;

  Host& host_;
  std::vector<channel::Sa> known_;  // as A has them
};

}  // namespace gssipsec::differential
