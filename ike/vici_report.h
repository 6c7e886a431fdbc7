// SPDX-License-Identifier: MIT
// What strongSwan's list-conn and list-sa events say, and their join: SA -> peer. list-sa names identities but not how
// they were proven; that only the connection of the same name tells, and only if it leaves no choice. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ike/source.h"
#include "ike/vici_codec.h"

namespace gssipsec::ike {

// How the connection of one name proves both ends.
struct ViciAuth {
  channel::AuthMethod local = channel::AuthMethod::unknown, remote = channel::AuthMethod::unknown;
  channel::Identity remote_id;  // none: not fixed
  bool operator==(const ViciAuth&) const = default;
};

// By name; a name that several connections have proves nothing.
using ViciConnections = std::map<std::string, ViciAuth, std::less<>>;
void add_connections(const ViciSection& list_conn, ViciConnections& known);

// One IKE_SA of list-sas with the CHILD_SAs whose SAs are in the kernel.
struct ViciIkeSa {
  std::string connection;
  std::uint64_t unique_id = 0;
  channel::Identity local, remote;
  struct Child {
    std::string name;
    channel::SaId in, out;
    std::uint16_t dh_group = 0;
    bool leaving = false;  // replaced, and kept for packets on their way
  };
  std::vector<Child> children;
  std::vector<channel::Address> given;  // to the peer, of our pools
};

// The IKE_SAs of one event. What cannot be read whole is left out: its SAs have no peer then.
[[nodiscard]] std::vector<ViciIkeSa> read_ike_sas(const ViciSection& list_sa);

// Both SAs of every child, with the peer that `auth` allows to name.
void add_peers(const ViciIkeSa& sa, const ViciAuth& auth, std::uint64_t ike_sa, Peers& peers);

// Of an ike-rekey event: which IKE_SA took over from which; zeros when it does not tell.
struct ViciRekey {
  std::uint64_t predecessor = 0, successor = 0;
};
[[nodiscard]] ViciRekey read_ike_rekey(const ViciSection& event);

// What an event tells beyond that something changed, with vici's number as `ike_sa`. An IKE_SA that ends while it is
// established, without a DELETE under way, ended because its peer does not answer.
[[nodiscard]] std::optional<Notice> read_notice(std::string_view name, const ViciSection& event);

// "MODP_2048" -> 14; 0 for names without a number in IANA's registry.
[[nodiscard]] std::uint16_t dh_group_of(std::string_view name) noexcept;

}  // namespace gssipsec::ike
