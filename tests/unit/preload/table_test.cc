// SPDX-License-Identifier: MIT
// The table of sockets and their windows, with numbers that are no descriptors of this process.
#include "preload/table.h"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gssipsec::preload {
namespace {

View bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string token_of(char kind) {
  std::string out;
  for (int i = 0; i < 300; ++i) out += static_cast<char>(kind + i % 23);
  return out;
}

constexpr int kA = 60001, kB = 60002;

struct Windows {
  std::unique_ptr<Window, void (*)(Window*)> window{Window::make(), Window::unmake};
  std::unique_ptr<Window::Copy> room = std::make_unique<Window::Copy>();
  std::string held() {
    const View copy = window->copy(*room);
    return {reinterpret_cast<const char*>(copy.data()), copy.size()};
  }
};

class TableTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TableTest);
  CPPUNIT_TEST(a_window_keeps_the_last_octets_in_order);
  CPPUNIT_TEST(a_window_forgets);
  CPPUNIT_TEST(a_token_in_pieces_is_found_on_its_socket);
  CPPUNIT_TEST(a_token_that_came_twice_is_told_twice);
  CPPUNIT_TEST(what_was_forgotten_is_not_found);
  CPPUNIT_TEST(another_sockets_past_is_not_this_ones);
  CPPUNIT_TEST(forgetting_needs_the_same_socket);
  CPPUNIT_TEST(what_is_no_socket_receives_nothing);
  CPPUNIT_TEST(the_last_one_touched_is_told);
  CPPUNIT_TEST(what_is_overlooked_does_not_count);
  CPPUNIT_TEST(a_closed_one_uncovers_the_one_before);
  CPPUNIT_TEST(a_range_ends_what_is_in_it);
  CPPUNIT_TEST(each_thread_has_its_own);
  CPPUNIT_TEST(numbers_out_of_range_are_not_seen);
  CPPUNIT_TEST(errno_stays);
  CPPUNIT_TEST(threads_that_receive_at_once_lose_nothing);
  CPPUNIT_TEST_SUITE_END();

  static int count_of(const std::string& token) {
    Socket out[4];
    return received_on(bytes(token), out, 4);
  }

 public:
  void setUp() override { begin(kA, 1001), begin(kB, 1002); }
  void tearDown() override { end(kA), end(kB); }

  void a_window_keeps_the_last_octets_in_order() {
    Windows w;
    std::string all;
    for (const std::size_t size : {1u, 7u, 8u, 4096u, 65535u, 3u, 65536u, 100u, 70000u, 9u}) {
      std::string piece;
      for (std::size_t i = 0; i < size; ++i) piece += static_cast<char>(i * 11 + size);
      w.window->append(bytes(piece));
      all += piece;
      CPPUNIT_ASSERT(w.held() == all.substr(all.size() > Window::kSize ? all.size() - Window::kSize : 0));
    }
  }

  void a_window_forgets() {
    Windows w;
    w.window->append(bytes("before"));
    w.window->forget();
    CPPUNIT_ASSERT(w.held().empty());
    w.window->append(bytes("after"));
    CPPUNIT_ASSERT_EQUAL(std::string("after"), w.held());
  }

  void a_token_in_pieces_is_found_on_its_socket() {
    const std::string token = token_of('a');
    received(kB, bytes("something before" + token.substr(0, 100)));
    received(kA, bytes("something else"));
    received(kB, bytes(token.substr(100)));
    Socket out[2] = {};
    CPPUNIT_ASSERT_EQUAL(1, received_on(bytes(token), out, 2));
    CPPUNIT_ASSERT(out[0].fd == kB && out[0].cookie == 1002);
  }

  void a_token_that_came_twice_is_told_twice() {
    for (const int fd : {kA, kB}) received(fd, bytes(token_of('b')));
    CPPUNIT_ASSERT_EQUAL(2, count_of(token_of('b')));
    Socket out;
    CPPUNIT_ASSERT_EQUAL(2, received_on(bytes(token_of('b')), &out, 1));
  }

  void what_was_forgotten_is_not_found() {
    received(kA, bytes(token_of('c')));
    forget({kA, 1001});
    CPPUNIT_ASSERT_EQUAL(0, count_of(token_of('c')));
    received(kA, bytes(token_of('d')));
    CPPUNIT_ASSERT_EQUAL(1, count_of(token_of('d')));
  }

  void another_sockets_past_is_not_this_ones() {
    received(kA, bytes(token_of('e')));
    begin(kA, 1003);
    CPPUNIT_ASSERT_EQUAL(0, count_of(token_of('e')));
    received(kA, bytes(token_of('e')));
    begin(kA, 1003);  // the same one
    CPPUNIT_ASSERT_EQUAL(1, count_of(token_of('e')));
  }

  void forgetting_needs_the_same_socket() {
    received(kA, bytes(token_of('f')));
    forget({kA, 999});
    CPPUNIT_ASSERT_EQUAL(1, count_of(token_of('f')));
  }

  void what_is_no_socket_receives_nothing() {
    end(kA);
    received(kA, bytes(token_of('g')));
    begin(kA, 1001);
    CPPUNIT_ASSERT_EQUAL(0, count_of(token_of('g')));
  }

  void the_last_one_touched_is_told() {
    Socket out{};
    for (const int fd : {kA, kB, kA}) {
      touched(fd);
      CPPUNIT_ASSERT(last_touched(out) && out.fd == fd);
    }
    touched(kB + 1);
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kA);
  }

  void what_is_overlooked_does_not_count() {
    Socket out{};
    touched(kA);
    overlook(true);
    touched(kB);
    overlook(false);
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kA);
    touched(kB);
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kB);
  }

  void a_closed_one_uncovers_the_one_before() {
    Socket out{};
    touched(kB), touched(kA);
    end(kA);
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kB);
    begin(kA, 1004);  // the number, not the socket
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kB);
    end(kB);
    CPPUNIT_ASSERT(!last_touched(out));
  }

  void a_range_ends_what_is_in_it() {
    end_range(static_cast<unsigned>(kB), ~0u);
    CPPUNIT_ASSERT(cookie_of(kA) == 1001 && cookie_of(kB) == 0);
    end_range(0, static_cast<unsigned>(kA));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, cookie_of(kA));
  }

  void each_thread_has_its_own() {
    touched(kA);
    std::thread([] {
      Socket out{};
      CPPUNIT_ASSERT(!last_touched(out));
      touched(kB);
      CPPUNIT_ASSERT(last_touched(out) && out.fd == kB);
    }).join();
    Socket out{};
    CPPUNIT_ASSERT(last_touched(out) && out.fd == kA);
  }

  void numbers_out_of_range_are_not_seen() {
    for (const int fd : {-1, kDescriptors, 2147483647}) {
      begin(fd, 5), touched(fd), received(fd, bytes("x")), end(fd);
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, cookie_of(fd));
    }
  }

  void errno_stays() {
    errno = 4711;
    begin(kB + 2, 7), received(kB + 2, bytes("x")), forget({kB + 2, 7}), (void)count_of(token_of('h')), end(kB + 2);
    CPPUNIT_ASSERT_EQUAL(4711, errno);
  }

  // Each on its own socket, while others search; and two on one, which must do no harm.
  void threads_that_receive_at_once_lose_nothing() {
    std::vector<std::thread> threads;
    std::atomic<bool> done = false;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([t] {
        const int fd = t == 2 ? kB : kA + t;
        for (int i = 0; i < 2000; ++i) touched(fd), received(fd, bytes(std::string(static_cast<std::size_t>(i % 700), static_cast<char>('0' + t))));
      });
    threads.emplace_back([&done] {
      while (!done.load()) (void)count_of(token_of('i'));
    });
    for (std::size_t t = 0; t < 3; ++t) threads[t].join();
    done = true;
    threads[3].join();
    received(kA, bytes(token_of('i')));
    CPPUNIT_ASSERT_EQUAL(1, count_of(token_of('i')));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TableTest);

}  // namespace
}  // namespace gssipsec::preload
