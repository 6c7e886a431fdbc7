// SPDX-License-Identifier: MIT
// Two hosts on one machine: 10.1.0.1 is this process, 10.1.0.2 an acceptor process of ours, each in a network namespace of
// its own with a broker of its own (native_broker: the real broker over recorded netlink), joined by a veth. Everything
// goes with the process, however it ends: nothing of it has a name in the system but a temporary directory.
// Needs root. Make it before any thread. Failures: std::runtime_error.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "tests/bench/gss.h"
#include "tests/support/krb5_ticket.h"

namespace gssipsec::bench {

class Hosts {
 public:
  static constexpr const char* kIpsecService = "host@b.example.org";

  explicit Hosts(const support::Krb5Ticket& ticket);
  ~Hosts();
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  // Both ends of another connection between the hosts, both in this process.
  struct Ends {
    base::UniqueFd client, server;
  };
  [[nodiscard]] Ends connection_here() const;
  // The first broker hears this as the kernel's word of a change.
  void kernel_says(const base::Bytes& datagram) const;
  // Which host's broker this process asks from now on.
  void ask_first_broker() const;
  void ask_second_broker() const;

 private:
  void join_namespaces();
  [[nodiscard]] std::string broker_socket(const char* host) const { return directory_ + "/" + host + ".sock"; }
  struct Broker {
    pid_t pid = -1;
    base::UniqueFd kernel;
  };
  Broker start_broker(const char* host, const char* recording, const char* local, const char* remote, int space);

  std::string directory_;
  base::UniqueFd first_space_, second_space_, acceptor_pipe_;
  pid_t acceptor_ = -1;
  Broker first_broker_, second_broker_;
};

}  // namespace gssipsec::bench
