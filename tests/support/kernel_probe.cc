// SPDX-License-Identifier: MIT
// What only a kernel with ESP can show of kernel/: latches that hold. Run as root: kernel_probe A B, two network
// namespaces joined by a link, with 10.1.0.1 in A and 10.1.0.2 in B. Makes its own SAs and policies and removes what
// was there. Prints a line for each fact; exit code 1 when one is not as it should be.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/unique_fd.h"
#include "kernel/routes.h"
#include "kernel/socket.h"
#include "kernel/xfrm.h"

namespace {

using namespace gssipsec;

bool all_well = true;

void fact(bool holds, const std::string& text) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", text.c_str());
  std::fflush(stdout);
  all_well = all_well && holds;
}

void shell(const std::string& line) {
  if (std::system(line.c_str()) != 0) fact(false, line);
}

void enter(const std::string& name) {
  const base::UniqueFd fd(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::setns(fd.get(), CLONE_NEWNET) != 0) fact(false, "entering namespace " + name);
}

void make_databases(const std::string& a, const std::string& b) {
  for (const std::string& host : {a, b}) {
    const std::string ip = "ip -n " + host + " xfrm ";
    shell(ip + "state flush; " + ip + "policy flush");
    for (const bool first : {true, false}) {
      const std::string ends = first ? "src 10.1.0.1 dst 10.1.0.2 " : "src 10.1.0.2 dst 10.1.0.1 ";
      shell(ip + "state add " + ends + "proto esp spi " + (first ? "0x100" : "0x200") +
            " reqid 1 mode transport aead 'rfc4106(gcm(aes))' 0x00000000000000000000000000000000000004d2 128");
      shell(ip + "policy add " + ends + "dir " + (first == (host == a) ? "out" : "in") + " tmpl " + ends + "proto esp reqid 1 mode transport");
    }
  }
}

sockaddr_in6 name(const char* v4, std::uint16_t port, bool mapped) {
  sockaddr_in6 out{};
  auto& plain = reinterpret_cast<sockaddr_in&>(out);
  if (mapped) {
    out.sin6_family = AF_INET6;
    out.sin6_port = htons(port);
    ::inet_pton(AF_INET6, ("::ffff:" + std::string(v4)).c_str(), &out.sin6_addr);
  } else {
    plain.sin_family = AF_INET;
    plain.sin_port = htons(port);
    ::inet_pton(AF_INET, v4, &plain.sin_addr);
  }
  return out;
}

struct Connection {
  base::UniqueFd a, b;
};

Connection connect(const std::string& ns_a, const std::string& ns_b, std::uint16_t port, bool mapped) {
  const int domain = mapped ? AF_INET6 : AF_INET;
  const socklen_t length = mapped ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const sockaddr_in6 at = name("10.1.0.2", port, mapped);
  enter(ns_b);
  const base::UniqueFd listener(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), length) != 0 || ::listen(listener.get(), 1) != 0) fact(false, "listening");
  enter(ns_a);
  Connection out{base::UniqueFd(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0)), {}};
  if (::connect(out.a.get(), reinterpret_cast<const sockaddr*>(&at), length) != 0) fact(false, "connecting");
  out.b.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return out;
}

channel::Template towards(const channel::Address& source, const channel::Address& destination) {
  channel::Template out;
  out.family = source.family;
  out.source = source;
  out.destination = destination;
  out.reqid = 1;
  return out;
}

bool latch(int fd, const std::string& ns) {
  enter(ns);
  const auto facts = kernel::read_socket(fd, *kernel::own_netns_cookie());
  if (!facts) return false;
  const channel::Flow& flow = facts->flow;
  return kernel::set_latch(fd, flow, {towards(flow.local, flow.remote)}, {towards(flow.remote, flow.local)}, {}, false).ok();
}

bool arrives(const Connection& connection) {
  char octet = 'x';
  if (::send(connection.a.get(), &octet, 1, MSG_NOSIGNAL) != 1) return false;
  pollfd entry{connection.b.get(), POLLIN, 0};
  return ::poll(&entry, 1, 1500) == 1 && ::recv(connection.b.get(), &octet, 1, 0) == 1;
}

void probe_latch(const std::string& a, const std::string& b, bool mapped) {
  const std::string kind = mapped ? "v4-mapped" : "IPv4";
  make_databases(a, b);
  const Connection connection = connect(a, b, mapped ? 5002 : 5001, mapped);
  fact(arrives(connection), kind + ": the connection works");
  fact(latch(connection.a.get(), a) && latch(connection.b.get(), b), kind + ": both ends can be latched");
  shell("ip -n " + a + " xfrm policy flush; ip -n " + b + " xfrm policy flush");
  fact(arrives(connection), kind + ": a latched connection works without the SPD");
  enter(a);
  const auto databases = kernel::dump(**kernel::open_request_port(2000));
  fact(databases && databases->spd.policies.empty() && databases->sad.sas.size() == 2, kind + ": the dump shows both SAs and no socket policy");
  shell("ip -n " + a + " xfrm state flush; ip -n " + b + " xfrm state flush");
  fact(!arrives(connection), kind + ": nothing leaves a latched socket when the SAs are gone");
}

void probe_host(const std::string& a, const std::string& b) {
  make_databases(a, b);
  const Connection connection = connect(a, b, 5003, false);
  const auto facts = kernel::read_socket(connection.a.get(), *kernel::own_netns_cookie());
  const auto route = (*kernel::Routes::open(kernel::kTimeoutMs))->read(facts->flow);
  fact(route && !route->same_host && !route->exempt_out && !route->exempt_in && !route->vrf && route->output_ifindex != 0, "the route leaves by an ordinary device");
  fact(kernel::read_socket(connection.b.get(), *kernel::own_netns_cookie()).error().code == base::Code::OTHER_NAMESPACE, "the other host's socket is refused");
  const auto listed = kernel::list_sockets(IPPROTO_TCP);
  fact(listed && listed->size() >= 1, "sock_diag lists the connection");
  const auto destroyed = kernel::destroy_socket(facts->flow, facts->cookie);
  fact(destroyed || destroyed.error().code == base::Code::UNAVAILABLE, "SOCK_DESTROY works or is told to be missing");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  for (const bool mapped : {false, true}) probe_latch(argv[1], argv[2], mapped);
  probe_host(argv[1], argv[2]);
  return all_well ? 0 : 1;
}
