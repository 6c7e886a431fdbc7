// SPDX-License-Identifier: MIT
#include "client/sockets.h"

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/trace.h"
#include "base/unique_fd.h"
#include "client/connect.h"
#include "client/preloaded.h"
#include "tests/support/child.h"

namespace gssipsec::client {
namespace {

using base::Code;
using base::UniqueFd;

template <typename T>
std::string name_of(const base::Result<T>& result) { return base::code_name(result.ok() ? Code::ok : result.error().code); }
std::string name_of(Code code) { return base::code_name(code); }

sockaddr_in at(const char* address, int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

UniqueFd listener(const char* address) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in here = at(address, 0);
  CPPUNIT_ASSERT(bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 && listen(fd.get(), 8) == 0);
  return fd;
}

UniqueFd connected_to(const UniqueFd& server, const char* from, int type = SOCK_STREAM) {
  UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in here = at(from, 0);
  sockaddr_in there{};
  socklen_t size = sizeof there;
  getsockname(server.get(), reinterpret_cast<sockaddr*>(&there), &size);
  CPPUNIT_ASSERT_EQUAL(0, bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here));
  CPPUNIT_ASSERT_EQUAL(0, connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there));
  return fd;
}

// An IPv6 socket whose peer is an IPv4 address.
UniqueFd mapped_to(const UniqueFd& server, const std::string& address) {
  UniqueFd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in there{};
  socklen_t size = sizeof there;
  getsockname(server.get(), reinterpret_cast<sockaddr*>(&there), &size);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = there.sin_port;
  inet_pton(AF_INET6, ("::ffff:" + address).c_str(), &mapped.sin6_addr);
  CPPUNIT_ASSERT_EQUAL(0, connect(fd.get(), reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped));
  return fd;
}

class SocketsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SocketsTest);
  CPPUNIT_TEST(the_only_connection_is_found);
  CPPUNIT_TEST(two_connections_are_no_answer);
  CPPUNIT_TEST(two_descriptors_of_one_connection_are_one);
  CPPUNIT_TEST(loopback_does_not_count);
  CPPUNIT_TEST(mapped_loopback_does_not_count);
  CPPUNIT_TEST(a_mapped_connection_counts);
  CPPUNIT_TEST(listeners_datagrams_and_unix_sockets_do_not_count);
  CPPUNIT_TEST(another_users_socket_does_not_count);
  CPPUNIT_TEST(an_acceptor_may_use_roots_socket);
  CPPUNIT_TEST(a_program_with_two_users_finds_nothing_of_its_own);
  CPPUNIT_TEST(too_many_descriptors_are_no_answer);
  CPPUNIT_TEST(a_named_socket_wins_and_is_never_replaced);
  CPPUNIT_TEST(a_name_belongs_to_its_thread);
  CPPUNIT_TEST(what_is_no_connected_socket_cannot_be_named);
  CPPUNIT_TEST(connected_udp_can_be_named);
  CPPUNIT_TEST(a_closed_or_reused_descriptor_is_noticed);
  CPPUNIT_TEST(a_connection_is_found_by_its_cookie);
  CPPUNIT_TEST(with_raised_rights_nothing_of_the_callers_is_believed);
  CPPUNIT_TEST_SUITE_END();

  static std::string found(bool acceptor = false) { return name_of(find_socket(acceptor)); }

  void the_only_connection_is_found() {
    tests::in_own_network([] {
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
      const auto server = listener("10.9.9.1");
      const auto fd = connected_to(server, "10.9.9.2");
      const auto got = find_socket(false);
      CPPUNIT_ASSERT(got.ok() && got->fd == fd.get() && got->found == protocol::Found::sole && got->cookie != 0);
      CPPUNIT_ASSERT(same_socket(*got).ok());
    });
  }

  void two_connections_are_no_answer() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto one = connected_to(server, "10.9.9.2");
      const auto two = connected_to(server, "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found(true));
    });
  }

  void two_descriptors_of_one_connection_are_one() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto one = connected_to(server, "10.9.9.2");
      const UniqueFd two(dup(one.get())), three(dup(one.get()));
      CPPUNIT_ASSERT(find_socket(false).ok());
    });
  }

  void loopback_does_not_count() {
    tests::in_own_network([] {
      const auto loopback = listener("127.0.0.1");
      const auto one = connected_to(loopback, "127.0.0.1");
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
      const auto server = listener("10.9.9.1");
      const auto two = connected_to(server, "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(two.get(), find_socket(false)->fd);
    });
  }

  void mapped_loopback_does_not_count() {
    tests::in_own_network([] {
      const auto loopback = listener("127.0.0.1");
      const auto one = mapped_to(loopback, "127.0.0.1");
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
    });
  }

  void a_mapped_connection_counts() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto one = mapped_to(server, "10.9.9.1");
      CPPUNIT_ASSERT_EQUAL(one.get(), find_socket(false)->fd);
    });
  }

  void listeners_datagrams_and_unix_sockets_do_not_count() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const UniqueFd unconnected(socket(AF_INET, SOCK_STREAM, 0));
      const auto datagram = connected_to(server, "10.9.9.2", SOCK_DGRAM);
      int pair[2];
      CPPUNIT_ASSERT_EQUAL(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
      const UniqueFd left(pair[0]), right(pair[1]);
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
    });
  }

  void another_users_socket_does_not_count() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      CPPUNIT_ASSERT_EQUAL(0, seteuid(tests::kNobody));
      const auto fd = connected_to(server, "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(0, seteuid(0));
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found(true));
    });
  }

  void an_acceptor_may_use_roots_socket() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto fd = connected_to(server, "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(0, setresuid(tests::kNobody, tests::kNobody, tests::kNobody));
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
      CPPUNIT_ASSERT_EQUAL(name_of(Code::ok), found(true));
    });
  }

  void a_program_with_two_users_finds_nothing_of_its_own() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      CPPUNIT_ASSERT_EQUAL(0, setresuid(0, tests::kNobody, 0));
      const auto fd = connected_to(server, "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
    });
  }

  void too_many_descriptors_are_no_answer() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto fd = connected_to(server, "10.9.9.2");
      std::vector<UniqueFd> many;
      for (int i = 0; i < 4200; ++i) {
        many.emplace_back(dup(0));
        if (!many.back()) return;  // the limit on open files is lower
      }
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
    });
  }

  void a_named_socket_wins_and_is_never_replaced() {
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      const auto one = connected_to(server, "10.9.9.2");
      auto two = connected_to(server, "10.9.9.2");
      name_thread_socket(two.get());
      const auto got = find_socket(false);
      CPPUNIT_ASSERT(got->fd == two.get() && got->found == protocol::Found::named);
      two.reset();
      CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_A_SOCKET), found());
      name_thread_socket(-1);
      CPPUNIT_ASSERT_EQUAL(one.get(), find_socket(false)->fd);
    });
  }

  void a_name_belongs_to_its_thread() {
    name_thread_socket(77);
    int other = 0;
    std::thread([&] { other = thread_socket(); }).join();
    CPPUNIT_ASSERT(other == -1 && thread_socket() == 77);
    name_thread_socket(-5);
    CPPUNIT_ASSERT_EQUAL(-1, thread_socket());
  }

  void what_is_no_connected_socket_cannot_be_named() {
    int pipes[2];
    CPPUNIT_ASSERT_EQUAL(0, pipe(pipes));
    const UniqueFd left(pipes[0]), right(pipes[1]), unix_socket(socket(AF_UNIX, SOCK_STREAM, 0));
    const UniqueFd fresh(socket(AF_INET, SOCK_STREAM, 0)), raw(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
    const auto server = listener("127.0.0.1");
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_A_SOCKET), name_of(named_socket(-1)));
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_A_SOCKET), name_of(named_socket(left.get())));
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_A_SOCKET), name_of(named_socket(unix_socket.get())));
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_CONNECTED), name_of(named_socket(fresh.get())));
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NOT_CONNECTED), name_of(named_socket(server.get())));
    if (raw) CPPUNIT_ASSERT_EQUAL(name_of(Code::UNSUPPORTED_SOCKET), name_of(named_socket(raw.get())));
  }

  void connected_udp_can_be_named() {
    const auto server = listener("127.0.0.1");
    const auto fd = connected_to(server, "127.0.0.1", SOCK_DGRAM);
    CPPUNIT_ASSERT(named_socket(fd.get()).ok());
  }

  void a_connection_is_found_by_its_cookie() {
    const UniqueFd server = listener("127.0.0.1"), first = connected_to(server, "127.0.0.1"), second = connected_to(server, "127.0.0.1");
    const auto wanted = named_socket(second.get());
    CPPUNIT_ASSERT(wanted.ok());
    const auto found = socket_with(wanted->cookie);
    CPPUNIT_ASSERT(found.ok() && found->fd == second.get() && found->cookie == wanted->cookie && found->found == protocol::Found::named);
    const UniqueFd copy(dup(second.get()));
    name_thread_socket(copy.get());
    CPPUNIT_ASSERT_EQUAL(copy.get(), socket_with(wanted->cookie)->fd);
    name_thread_socket(first.get());
    CPPUNIT_ASSERT(socket_with(wanted->cookie)->cookie == wanted->cookie);
    name_thread_socket(-1);
    CPPUNIT_ASSERT_EQUAL(name_of(Code::SOCKET_CHANGED), name_of(socket_with(wanted->cookie + (std::uint64_t{1} << 40))));
  }

  // A process whose real and effective groups differ becomes by exec what it becomes by a setgid file. Then this runs again, there.
  void with_raised_rights_nothing_of_the_callers_is_believed() {
    if (getauxval(AT_SECURE) != 0) return with_raised_rights();
    tests::in_own_network([] {
      const auto server = listener("10.9.9.1");
      CPPUNIT_ASSERT_EQUAL(kInherited, dup2(connected_to(server, "10.9.9.2").get(), kInherited));
      for (const char* name : {"GSS_IPSEC_BROKER", "GSS_IPSEC_TRACE", "GSS_IPSEC_PRELOAD"}) setenv(name, "/callers", 1);
      CPPUNIT_ASSERT(find_socket(false).ok() && broker_path() == "/callers" && base::tracing());
      setenv("GSS_IPSEC_PRELOAD", "thread", 1);
      CPPUNIT_ASSERT(thread_is_believed());
      const std::string program = std::filesystem::read_symlink("/proc/self/exe");
      const pid_t pid = fork();
      if (pid == 0) {
        if (setresgid(4242, 4243, 4243) == 0) execl(program.c_str(), "unit", "--filter", "with_raised_rights", nullptr);
        _exit(127);
      }
      int status = -1;
      CPPUNIT_ASSERT(waitpid(pid, &status, 0) == pid);
      CPPUNIT_ASSERT_EQUAL(0, status);
    });
  }

  void a_closed_or_reused_descriptor_is_noticed() {
    const auto server = listener("127.0.0.1");
    auto fd = connected_to(server, "127.0.0.1");
    const auto got = named_socket(fd.get());
    CPPUNIT_ASSERT(same_socket(*got).ok());
    const auto other = connected_to(server, "127.0.0.1");
    CPPUNIT_ASSERT_EQUAL(got->fd, dup2(other.get(), fd.get()));
    CPPUNIT_ASSERT(same_socket(*got).error().code == Code::SOCKET_CHANGED);
    fd.reset();
    CPPUNIT_ASSERT(same_socket(*got).error().code == Code::SOCKET_CHANGED);
  }

 private:
  static constexpr int kInherited = 77;

  static void with_raised_rights() {
    CPPUNIT_ASSERT(broker_path() != "/callers" && !base::tracing() && !thread_is_believed());
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found());
    CPPUNIT_ASSERT_EQUAL(name_of(Code::NO_SOCKET), found(true));
    const auto own = named_socket(kInherited);
    CPPUNIT_ASSERT(own.ok());
    CPPUNIT_ASSERT_EQUAL(name_of(Code::SOCKET_CHANGED), name_of(socket_with(own->cookie)));
    name_thread_socket(kInherited);
    CPPUNIT_ASSERT(find_socket(false).ok() && socket_with(own->cookie).ok());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SocketsTest);

}  // namespace
}  // namespace gssipsec::client
