// SPDX-License-Identifier: MIT
// A request and its answers over a NetlinkPort: sequence numbers, errors, ends of dumps. Private to kernel/. One thread
// a port.
#pragma once

#include <functional>
#include <string>

#include "kernel/netlink_port.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

// A request without its header's sequence number, which transact() fills in.
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags);
  Request& raw(base::View data);  // padded to netlink's alignment
  template <typename T>
  Request& fixed(const T& value) { return raw(base::View(reinterpret_cast<const std::byte*>(&value), sizeof value)); }
  Request& attribute(std::uint16_t type, base::View data);
  template <typename T>
  Request& attribute(std::uint16_t type, const T& value) { return attribute(type, base::View(reinterpret_cast<const std::byte*>(&value), sizeof value)); }
  [[nodiscard]] bool is_dump() const noexcept;
  [[nodiscard]] base::Bytes finish(std::uint32_t sequence) const;

 private:
  nlmsghdr header_{};
  base::Bytes body_;
};

// What became of a request: ended well, or the kernel's errno (a negative answer that the caller reads himself).
struct Outcome { int error = 0; };

// Hands every message of the answer to `consume` (its error ends the whole, after the dump was read to its end) and
// wipes the datagrams, which may hold keys. A single answer ends with its message or acknowledgement. Errors:
// NETLINK_LOST (dump interrupted, messages dropped), NETLINK (no answer), NETLINK_MESSAGE.
using Consumer = std::function<base::Status(const wire::Message&)>;

// The same a datagram at a time. The port is its own until the end; after an error or a half-read answer it is of no more use.
class Transaction {
 public:
  Transaction(NetlinkPort& port, Consumer consume) : port_(port), consume_(std::move(consume)) {}
  [[nodiscard]] base::Status begin(const Request& request);
  [[nodiscard]] base::Result<bool> go_on();  // true: that was the last one
  [[nodiscard]] base::Result<Outcome> outcome() const;

 private:
  void take(base::View datagram);
  void take(const wire::Message& message);
  void end(const wire::Message& message);
  void fail(base::Error error);

  NetlinkPort& port_;
  Consumer consume_;
  std::uint32_t sequence_ = 0;
  bool dump_ = false, ended_ = false;
  int error_ = 0;
  base::Status status_;
};
[[nodiscard]] base::Result<Outcome> transact(NetlinkPort& port, const Request& request, const Consumer& consume);
// The kernel's errno is an error, too: NETLINK, of `what`.
[[nodiscard]] base::Status ask(NetlinkPort& port, const Request& request, const char* what, const Consumer& consume);
// The one thing that was asked for, decoded.
template <typename T>
[[nodiscard]] base::Result<T> ask_one(NetlinkPort& port, const Request& request, const char* what, base::Result<T> (*decode)(base::View)) {
  base::Result<T> found = wire::broken(std::string(what) + ": nothing in the answer");
  const base::Status done = ask(port, request, what, [&](const wire::Message& message) -> base::Status {
    found = decode(message.payload);
    return found.ok() ? base::Status() : base::Status(found.error());
  });
  return done.ok() ? found : base::Result<T>(done.error());
}

}  // namespace gssipsec::kernel
