// SPDX-License-Identifier: MIT
// What the plugin makes of what a preload says, true or false; the preload is a fake here, the sockets are real.
#include "client/preloaded.h"

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <vector>

#include "client/connect.h"
#include "tests/support/child.h"

namespace gssipsec::client {
namespace {

// What the fake says next.
struct Said {
  bool touched = false;
  int count = 0;
  std::vector<preload::Socket> sockets;
  int forgotten = -1;
};
Said said;

preload::Socket socket_at(std::size_t i) { return said.sockets.at(i); }

const preload::Interface kFake = {
    preload::kVersion, sizeof(preload::Interface),
    [](preload::Socket* out) { return said.touched ? (*out = socket_at(0), 1) : 0; },
    [](const void*, std::size_t, preload::Socket* out, int room) {
      for (int i = 0; i < room && i < static_cast<int>(said.sockets.size()); ++i) out[i] = socket_at(static_cast<std::size_t>(i));
      return said.count;
    },
    [](const preload::Socket* socket) { said.forgotten = socket->fd; }, [](int) {}};

sockaddr_in somewhere(const char* address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

// The listener stays as long as the child: without it the connection would be reset.
base::UniqueFd connection(const char* address, const char* from) {
  base::UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  base::UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in there = somewhere(address), here = somewhere(from);
  socklen_t size = sizeof there;
  auto* at = reinterpret_cast<sockaddr*>(&there);
  if (bind(server.get(), at, size) != 0 || listen(server.get(), 4) != 0 || getsockname(server.get(), at, &size) != 0 ||
      bind(client.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 || connect(client.get(), at, size) != 0)
    throw std::runtime_error("no connection");
  (void)server.release();
  return client;
}

preload::Socket told_of(const base::UniqueFd& fd) { return {fd.get(), *socket_cookie(fd.get())}; }

std::string answer(bool acceptor, bool believe_thread = false) {
  const auto found = preloaded_socket(kFake, acceptor, {}, believe_thread);
  return found.ok() ? std::to_string(found->fd) + (found->found == protocol::Found::preload ? "" : " as another kind") : found.error().detail;
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void where_there_are_connections(const std::function<void()>& body) {
  tests::in_own_network([&] {
    said = {};
    body();
  });
}

class PreloadedTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PreloadedTest);
  CPPUNIT_TEST(an_initiator_takes_the_threads_socket);
  CPPUNIT_TEST(an_acceptor_takes_the_one_that_received_the_token);
  CPPUNIT_TEST(an_acceptor_takes_none_of_two);
  CPPUNIT_TEST(descriptors_of_one_socket_are_one);
  CPPUNIT_TEST(the_thread_counts_only_where_that_is_allowed);
  CPPUNIT_TEST(a_token_on_two_sockets_is_not_the_threads);
  CPPUNIT_TEST(another_socket_than_was_seen_is_not_taken);
  CPPUNIT_TEST(what_cannot_be_used_is_not_taken);
  CPPUNIT_TEST(nonsense_is_no_answer);
  CPPUNIT_TEST(a_preload_of_another_version_is_not_asked);
  CPPUNIT_TEST(the_environment_allows_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_initiator_takes_the_threads_socket() {
    where_there_are_connections([] {
      const auto fd = connection("10.9.9.1", "10.9.9.2");
      CPPUNIT_ASSERT(says(answer(false), "touched no connection"));
      said.touched = true, said.sockets = {told_of(fd)};
      CPPUNIT_ASSERT_EQUAL(std::to_string(fd.get()), answer(false));
    });
  }

  void an_acceptor_takes_the_one_that_received_the_token() {
    where_there_are_connections([] {
      const auto one = connection("10.9.9.1", "10.9.9.2"), two = connection("10.9.9.1", "10.9.9.2");
      said.touched = true, said.count = 1, said.sockets = {told_of(two)};
      CPPUNIT_ASSERT_EQUAL(std::to_string(two.get()), answer(true));
    });
  }

  void an_acceptor_takes_none_of_two() {
    where_there_are_connections([] {
      const auto one = connection("10.9.9.1", "10.9.9.2"), two = connection("10.9.9.1", "10.9.9.2");
      said.count = 2, said.sockets = {told_of(one), told_of(two)};
      CPPUNIT_ASSERT(says(answer(true), "several connections"));
      said.count = 17;
      CPPUNIT_ASSERT(says(answer(true), "several connections"));
    });
  }

  void descriptors_of_one_socket_are_one() {
    where_there_are_connections([] {
      const auto one = connection("10.9.9.1", "10.9.9.2");
      const base::UniqueFd two(dup(one.get()));
      said.count = 2, said.sockets = {told_of(one), told_of(two)};
      CPPUNIT_ASSERT_EQUAL(std::to_string(one.get()), answer(true));
    });
  }

  void the_thread_counts_only_where_that_is_allowed() {
    where_there_are_connections([] {
      const auto fd = connection("10.9.9.1", "10.9.9.2");
      said.touched = true, said.sockets = {told_of(fd)};
      CPPUNIT_ASSERT(says(answer(true), "seen on no connection"));
      CPPUNIT_ASSERT_EQUAL(std::to_string(fd.get()), answer(true, true));
    });
  }

  void a_token_on_two_sockets_is_not_the_threads() {
    where_there_are_connections([] {
      const auto one = connection("10.9.9.1", "10.9.9.2"), two = connection("10.9.9.1", "10.9.9.2");
      said.touched = true, said.count = 2, said.sockets = {told_of(one), told_of(two)};
      CPPUNIT_ASSERT(says(answer(true, true), "several connections"));
    });
  }

  void another_socket_than_was_seen_is_not_taken() {
    where_there_are_connections([] {
      const auto fd = connection("10.9.9.1", "10.9.9.2");
      said.touched = true, said.count = 1, said.sockets = {{fd.get(), *socket_cookie(fd.get()) + 1}};
      CPPUNIT_ASSERT(says(answer(false), "cannot be used") && says(answer(true), "cannot be used"));
    });
  }

  void what_cannot_be_used_is_not_taken() {
    where_there_are_connections([] {
      const auto loopback = connection("127.0.0.1", "127.0.0.1");
      CPPUNIT_ASSERT_EQUAL(0, seteuid(tests::kNobody));
      const auto anothers = connection("10.9.9.1", "10.9.9.2");
      CPPUNIT_ASSERT_EQUAL(0, seteuid(0));
      for (const base::UniqueFd* fd : {&loopback, &anothers}) {
        said.touched = true, said.count = 1, said.sockets = {told_of(*fd)};
        CPPUNIT_ASSERT(says(answer(false), "cannot be used") && says(answer(true), "cannot be used"));
      }
    });
  }

  void nonsense_is_no_answer() {
    said = {};
    said.touched = true;
    for (const preload::Socket& socket : {preload::Socket{-1, 0}, {0, 0}, {2147483647, 5}, {-2147483647, ~0ull}}) {
      said.sockets = {socket}, said.count = 1;
      CPPUNIT_ASSERT(says(answer(false), "cannot be used") && says(answer(true), "cannot be used"));
    }
    said.count = -3;
    CPPUNIT_ASSERT(says(answer(true), "seen on no connection"));
    said.count = 9, said.sockets.clear();
    CPPUNIT_ASSERT(says(answer(true), "cannot be used"));
  }

  void a_preload_of_another_version_is_not_asked() {
    preload::Interface other = kFake;
    CPPUNIT_ASSERT(understood(&other) == &other && understood(nullptr) == nullptr);
    other.version = 2;
    CPPUNIT_ASSERT(understood(&other) == nullptr);
    other = kFake;
    other.size -= 8;
    CPPUNIT_ASSERT(understood(&other) == nullptr);
    other = kFake;
    other.received_on = nullptr;
    CPPUNIT_ASSERT(understood(&other) == nullptr);
  }

  void the_environment_allows_it() {
    tests::in_child([] {
      unsetenv("GSS_IPSEC_PRELOAD");
      CPPUNIT_ASSERT(!thread_is_believed());
      setenv("GSS_IPSEC_PRELOAD", "yes", 1);
      CPPUNIT_ASSERT(!thread_is_believed());
      setenv("GSS_IPSEC_PRELOAD", "thread", 1);
      CPPUNIT_ASSERT(thread_is_believed());
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PreloadedTest);

}  // namespace
}  // namespace gssipsec::client
