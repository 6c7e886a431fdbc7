// SPDX-License-Identifier: MIT
// A credential: leave to begin or accept contexts, with the socket that the program named, if it named one. Holds no
// secret; who somebody is, the broker decides at each context. Threads: a plain value, guarded by its owner.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "client/sockets.h"
#include "mech_ipsec/name.h"

namespace gssipsec::mech {

enum class Usage : std::uint8_t { both = 0, initiate = 1, accept = 2 };

// A credential store of gss_acquire_cred_from, by key. Foreign keys are none of our business.
struct StoreEntry {
  std::string_view key, value;
};
struct StoreOptions {
  std::optional<int> socket;     // ipsec-socket=<decimal descriptor>
  bool allow_anonymous = false;  // ipsec-anonymous=allow: an acceptor takes initiators whom nobody vouches for
  bool acceptor_ends = false;    // ipsec-last-token=acceptor: an initiator wants to be answered once more
};
// BAD_ARGUMENT for a value of ours that is not exactly right, or given twice.
[[nodiscard]] base::Result<StoreOptions> parse_store(std::span<const StoreEntry> entries);
// Decimal digits and nothing else, no leading zero.
[[nodiscard]] base::Result<int> parse_descriptor(std::string_view text);

class Credential {
 public:
  // Initiators: NO_SOCKET, NO_POLICY and what else says that the socket is not protected. Acceptors: NO_BROKER, NO_POLICY,
  // SERVICE_DENIED. A named socket that is not usable is an error in both.
  [[nodiscard]] static base::Result<Credential> acquire(Usage usage, const std::optional<Name>& wanted, const StoreOptions& options);

  [[nodiscard]] Usage usage() const noexcept { return usage_; }
  [[nodiscard]] bool may(channel::Role role) const noexcept;
  [[nodiscard]] bool allows_anonymous() const noexcept { return allow_anonymous_; }
  [[nodiscard]] bool acceptor_ends() const noexcept { return acceptor_ends_; }
  [[nodiscard]] const std::optional<Name>& wanted() const noexcept { return wanted_; }
  // The service that an acceptor speaks for; "" any that the broker grants.
  [[nodiscard]] std::string service() const;
  // For people: the wanted name, else what the broker says now, else anonymous.
  [[nodiscard]] Name name() const;

  // The socket that was named, if it is still the same (SOCKET_CHANGED), else what default_socket() finds.
  [[nodiscard]] base::Result<client::FoundSocket> socket(channel::Role role, base::View token = {}) const;
  [[nodiscard]] base::Status name_socket(int fd);

  // For gss_export_cred. What names a descriptor is good in a process that has the same connection under the same number.
  [[nodiscard]] base::Bytes encode() const;
  [[nodiscard]] static base::Result<Credential> decode(base::View octets);

 private:
  Credential(Usage usage, std::optional<Name> wanted, bool allow_anonymous, bool acceptor_ends)
      : usage_(usage), wanted_(std::move(wanted)), allow_anonymous_(allow_anonymous), acceptor_ends_(acceptor_ends) {}
  [[nodiscard]] base::Status try_initiator() const;
  [[nodiscard]] base::Status try_acceptor() const;

  Usage usage_;
  std::optional<Name> wanted_;
  bool allow_anonymous_, acceptor_ends_;
  std::optional<client::FoundSocket> named_;
};

// For a context without a credential; `token` is what an acceptor was given.
[[nodiscard]] base::Result<client::FoundSocket> default_socket(channel::Role role, base::View token = {});

}  // namespace gssipsec::mech
