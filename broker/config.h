// SPDX-License-Identifier: MIT
// The administrator's configuration of ipsec-gssd (TOML, ipsec-gssd.conf(5)): read once at start and at SIGHUP, checked
// whole before use; `ipsec-gssd --check FILE` prints every fault with its line. Unknown keys are faults: a misspelt
// safety setting must not pass silently. A value type; no I/O but load_config().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/rights.h"
#include "channel/identity.h"
#include "channel/name.h"
#include "channel/quality.h"
#include "ike/static_source.h"
#include "protocol/latch_page.h"

namespace gssipsec::broker {

// [[service]] user = "postgres", name = "postgres", port = 5432 : this user may accept under this service name on that port.
struct ServiceRule {
  std::string user, service;
  std::uint16_t port = 0;
};

// [[vouch]] peer = "fqdn:client.example.org", users = ["alice", "bob"] or { alice = "al" } : the peer's word for these
// users counts; each gets the local name. Default empty: nobody.
struct VouchRule {
  channel::Identity peer;
  std::map<std::string, std::string> users;  // peer's user -> local name
};

// [[psk]] connection = "c", held-by = "fqdn:client.example.org" : this connection's secret is held by that one peer.
struct PskRule {
  std::string connection;
  channel::Identity holder;
};

// [[static]] names the ends of manual SAs: src/dst address pair and reqid; both directions.
//   local = "fqdn:...", remote = "fqdn:...", local-address, remote-address, reqid (optional), exclusive = true|false
// exclusive: the keys are held by these two hosts alone, so the remote counts as one authenticated peer.
struct StaticRule {
  channel::Identity local, remote;
  channel::Address local_address, remote_address;
  std::optional<std::uint32_t> reqid;
  bool exclusive = false;
};

// What SAs have at the least, each way: bits of keys, and one of these suites. No suites: any.
struct Minimum {
  std::uint16_t min_key_bits = 128;
  std::vector<std::string> suites;
  [[nodiscard]] bool admits(const channel::Quality& found) const;
};

// [[program]] path = "/usr/bin/psql", ports = [5432], kerberos = "off"|"bind"|"skip", seal = "never"|"unless-confidential"|"always",
// min-key-bits = 128, suites = ["AES_GCM_16-256"], without-ticket = "refuse"|"ipsec", spnego = "off"|"ipsec-first". Convenience only, never a right.
enum class WithoutTicket : std::uint8_t { refuse = 0, ipsec = 1 };
enum class Spnego : std::uint8_t { off = 0, ipsec_first = 1 };
// When mechanism ipsec is acquired: before it is known for which connection, so that no port can change it.
struct Acquiring {
  WithoutTicket without_ticket = WithoutTicket::refuse;
  Spnego spnego = Spnego::off;
};
struct ProgramRule : Minimum {
  std::string path;
  std::vector<std::uint16_t> ports;  // the services that it is about; none: those that no other line of this path is about
  protocol::KerberosUse kerberos = protocol::KerberosUse::off;
  protocol::Seal seal = protocol::Seal::unless_confidential;
  Acquiring acquiring;
  [[nodiscard]] protocol::ProgramPolicy policy() const noexcept {
    return {kerberos, acquiring.without_ticket == WithoutTicket::ipsec, seal, min_key_bits, acquiring.spnego == Spnego::ipsec_first};
  }
};

// [[level]] name = "high", min-key-bits = 256, suites = ["AES_GCM_16-256"] : what a program may ask for by this name.
inline constexpr std::pair<const char*, protocol::Strength> kLevelNames[] = {
    {"low", protocol::Strength::low}, {"medium", protocol::Strength::medium}, {"high", protocol::Strength::high}};

struct Config {
  std::string socket = "/run/ipsec-gss/gssd.sock";  // [broker] socket
  std::optional<std::string> vici;                  // [ike] vici: path; absent: the usual places; "" switches it off
  std::optional<std::string> vici_owner;            // [ike] vici-owner: user whose daemon is believed besides root
  std::uint16_t min_key_bits = 128;                 // [channel] min-key-bits
  std::uint32_t context_lifetime = 36000;           // [channel] context-lifetime, seconds
  std::uint32_t max_clients = 10000, max_clients_per_user = 256;  // [limits]
  std::uint32_t workers = 8, workers_per_user = 2;                // [limits]; at the start only
  std::uint32_t latches_per_user = 4096, subscriptions_per_user = 1024;  // [limits]
  std::uint32_t events_queued = 64;                                      // [limits] for one connection
  Access access = default_access();                                      // [access]
  Rights rights;                                                         // of it: load_config()'s user resolves it
  std::string metrics_file;                                              // [metrics] file; "" none
  std::uint32_t metrics_interval = 15;                                   // [metrics] interval, seconds
  std::vector<ServiceRule> services;
  std::vector<VouchRule> vouches;
  std::vector<PskRule> psks;
  std::vector<StaticRule> statics;
  std::vector<ProgramRule> programs;
  std::array<Minimum, 3> levels{{{128, {}}, {192, {}}, {256, {}}}};   // low, medium, high
};

// BAD_CONFIG; the detail holds every fault, one a line, as "file:line: what is wrong; what is expected".
[[nodiscard]] base::Result<Config> parse_config(std::string_view text, const std::string& file_name);
[[nodiscard]] base::Result<Config> load_config(const std::string& path);
// What holds for all connections of this program: the most that any of its lines wants of Kerberos, for the broker is asked with each
// connection, and the strictest of all else. Without a line nothing; "", a program that cannot say which it is: the strictest of every
// line. Never asks for fewer key bits than [channel] does, as the next.
[[nodiscard]] ProgramRule rule_for(const Config& config, const std::string& path);
// The one line about a connection to the service on this port.
[[nodiscard]] ProgramRule rule_at(const Config& config, const std::string& path, std::uint16_t port);
// The static rules as the IKE room's source takes them.
[[nodiscard]] std::vector<ike::StaticEnds> static_ends(const Config& config);

}  // namespace gssipsec::broker
