// SPDX-License-Identifier: MIT
// Many threads of one process, each with a context of its own over a connection of its own, at once: each sees its own peer, and no
// message of another. Under ThreadSanitizer this is what shows races of the plugin and its client.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <barrier>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "tests/glue/gss_support.h"
#include "tests/support/cancelled_thread.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

constexpr int kThreads = 500, kRounds = 4;

int local_port(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void wanted(bool condition, const std::string& text) {
  if (!condition) throw std::runtime_error(text);
}

void wanted(const Status& status) { wanted(status.ok(), message_of(status)); }

void name_for_thread(int fd) {
  std::string number = fd < 0 ? "clear" : std::to_string(fd);
  gss_buffer_desc value = in(number);
  Status status;
  status.major = gssspi_mech_invoke(&status.minor, mech(), project_oid(4), &value);
  wanted(status);
}

class ThreadsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ThreadsTest);
  CPPUNIT_TEST(each_of_many_threads_has_its_own_peer);
  CPPUNIT_TEST(threads_share_a_context);
  CPPUNIT_TEST(who_is_cancelled_returns_first);
  CPPUNIT_TEST_SUITE_END();

  std::mutex mutex_;
  std::string first_failure_;

  // All begin together. What one throws fails the test.
  template <typename Body>
  void in_threads(int count, Body body) {
    std::barrier begin(count);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        begin.arrive_and_wait();
        try {
          body(i);
        } catch (const std::exception& fault) {
          const std::lock_guard lock(mutex_);
          if (first_failure_.empty()) first_failure_ = std::to_string(i) + ": " + fault.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(std::string(), first_failure_);
  }

  // Every second thread names its socket for itself, and has no credential that does.
  static void establish(Pair& pair, bool by_thread) {
    if (!by_thread) return wanted(pair.shake());
    OM_uint32 minor;
    gss_release_cred(&minor, pair.initiator.credential.out());
    gss_release_cred(&minor, pair.acceptor.credential.out());
    std::string token;
    for (Status status{GSS_S_CONTINUE_NEEDED, 0}; status.major != GSS_S_COMPLETE || !token.empty();) {
      name_for_thread(pair.connection.client.get());
      wanted(!GSS_ERROR((status = pair.initiator.init(pair.target.get(), kUsualFlags, token)).major), message_of(status));
      name_for_thread(pair.connection.server.get());
      wanted(!GSS_ERROR((status = pair.acceptor.accept(token)).major), message_of(status));
    }
    name_for_thread(-1);
  }

  static void converse(Pair& pair, const std::string& text) {
    std::string token, came;
    for (int round = 0; round < kRounds; ++round)
      for (const auto& [from, to] : {std::pair{&pair.initiator, &pair.acceptor}, std::pair{&pair.acceptor, &pair.initiator}}) {
        wanted(from->wrap(text, token, 1, static_cast<gss_qop_t>(round % 2)));
        wanted(to->unwrap(token, came));
        wanted(came == text, "wanted '" + text + "', found '" + came + "'");
        wanted(from->mic(text, token));
        wanted(to->verify(text, token));
      }
  }

 public:
  void each_of_many_threads_has_its_own_peer() {
    rlimit files{16384, 16384};
    setrlimit(RLIMIT_NOFILE, &files);
    TwinBroker twin;
    twin.knobs.names_by_port = true;
    std::string stolen;
    in_threads(kThreads, [&](int i) {
      std::unique_ptr<Pair> made;
      {
        const AskingInTurn turn;
        made = std::make_unique<Pair>();
        establish(*made, i % 2 == 1);
      }
      Pair& pair = *made;
      const std::string own = "ipsec:fqdn:port-" + std::to_string(local_port(pair.connection.client.get())) + ".example.org";
      wanted(pair.acceptor.source.text() == own, "wanted " + own + ", found " + pair.acceptor.source.text());
      converse(pair, own);
      std::string token, came;
      wanted(pair.initiator.wrap(own, token, 1, 1));
      {
        const std::lock_guard lock(mutex_);
        stolen.swap(token);
      }
      wanted(token.empty() || GSS_ERROR(pair.acceptor.unwrap(token, came).major), "a message of another thread's context was taken");
    });
    CPPUNIT_ASSERT_EQUAL(kThreads, twin.requests(protocol::Verb::accept));
  }

  // One sends, all use: numbers are drawn once each.
  void threads_share_a_context() {
    TwinBroker twin;
    Pair pair;
    pair.must_shake();
    std::vector<std::string> tokens(64);
    in_threads(static_cast<int>(tokens.size()), [&](int i) { wanted(pair.initiator.wrap(std::to_string(i), tokens[static_cast<std::size_t>(i)], 1, 1)); });
    std::set<std::string> headers, texts;
    for (const std::string& token : tokens) {
      std::string text;
      CPPUNIT_ASSERT(!GSS_ERROR(pair.acceptor.unwrap(token, text).major));
      headers.insert(token.substr(0, 10));
      texts.insert(text);
    }
    CPPUNIT_ASSERT(headers.size() == tokens.size() && texts.size() == tokens.size());
  }

  // All that asks the broker could be cancelled there.
  void who_is_cancelled_returns_first() {
    TwinBroker twin;
    Pair warm, pair;
    warm.must_shake();
    bool good = false;
    CancelledThread thread([&] {
      pthread_cancel(pthread_self());
      good = pair.shake().ok();
    });
    thread.expect_end();
    CPPUNIT_ASSERT(good);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ThreadsTest);

}  // namespace
}  // namespace gssipsec::tests
