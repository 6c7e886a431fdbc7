// SPDX-License-Identifier: MIT
#include "client/broker.h"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <iostream>
#include <thread>

#include "tests/support/child.h"
#include "tests/support/fake_broker.h"

namespace gssipsec::client {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Verb;
using tests::FakeBroker;
using tests::FakeRequest;

constexpr int kWantedSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_FUTURE_WRITE;

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
  return cookie;
}

base::UniqueFd some_socket() { return base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 512; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

template <typename T>
Code code_of(const base::Result<T>& result) { return result.ok() ? Code::ok : result.error().code; }
Code code_of(const base::Status& status) { return status.ok() ? Code::ok : status.error().code; }

void expect(Code wanted, Code found) {
  CPPUNIT_ASSERT_EQUAL(std::string(base::code_name(wanted)), std::string(base::code_name(found)));
}

Code ask() { return code_of(Broker::localname("ipsec:fqdn:b/bob")); }

double seconds(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

FakeBroker::Options handling(FakeBroker::Handler handler) {
  FakeBroker::Options options;
  options.handler = std::move(handler);
  return options;
}

void ignore(FakeBroker&, FakeRequest&) {}

void on_alarm(int) {}

// Signals every 20 ms, without SA_RESTART: every wait is interrupted again and again.
class Alarms {
 public:
  Alarms() {
    struct sigaction action{};
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, &before_);
    set(20000);
  }
  ~Alarms() {
    set(0);
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  static void set(int microseconds) {
    const itimerval every{{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &every, nullptr);
  }
  struct sigaction before_{};
};

class BrokerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BrokerTest);
  CPPUNIT_TEST(no_socket_means_no_broker_at_once);
  CPPUNIT_TEST(a_path_that_is_no_socket_means_no_broker);
  CPPUNIT_TEST(every_question_has_its_answer);
  CPPUNIT_TEST(calls_share_one_connection);
  CPPUNIT_TEST(the_broker_gets_the_socket_and_the_callers_credentials);
  CPPUNIT_TEST(an_error_of_the_broker_arrives_with_its_detail);
  CPPUNIT_TEST(a_listener_that_is_not_root_is_refused_before_anything_is_sent);
  CPPUNIT_TEST(a_hanging_broker_costs_two_seconds_once);
  CPPUNIT_TEST(a_hanging_hello_is_bounded_too);
  CPPUNIT_TEST(a_full_queue_is_bounded_too);
  CPPUNIT_TEST(a_late_answer_is_never_taken);
  CPPUNIT_TEST(a_connection_that_failed_is_closed_though_a_latch_keeps_it);
  CPPUNIT_TEST(an_answer_to_another_request_is_refused);
  CPPUNIT_TEST(an_answer_to_another_verb_is_refused);
  CPPUNIT_TEST(a_broker_that_closes_in_mid_call_is_no_broker);
  CPPUNIT_TEST(a_restarted_broker_is_found_again);
  CPPUNIT_TEST(an_oversized_answer_is_refused);
  CPPUNIT_TEST(a_broken_answer_is_refused_and_its_connection_closed);
  CPPUNIT_TEST(an_answer_to_release_is_not_misunderstood);
  CPPUNIT_TEST(unexpected_descriptors_are_closed);
  CPPUNIT_TEST(a_page_without_each_seal_is_refused);
  CPPUNIT_TEST(a_page_of_another_size_is_refused);
  CPPUNIT_TEST(hello_without_a_page_is_refused);
  CPPUNIT_TEST(another_protocol_version_is_refused);
  CPPUNIT_TEST(an_older_broker_is_asked_in_its_version);
  CPPUNIT_TEST(what_the_administrator_says_of_the_program_needs_no_question);
  CPPUNIT_TEST(in_the_first_version_all_of_the_page_is_slots);
  CPPUNIT_TEST(no_descriptor_is_inherited_over_exec);
  CPPUNIT_TEST(the_connection_never_takes_standard_descriptors);
  CPPUNIT_TEST(a_connection_that_the_program_closed_is_not_written_to);
  CPPUNIT_TEST(the_latch_word_follows_the_page);
  CPPUNIT_TEST(an_old_heartbeat_makes_the_latch_stale);
  CPPUNIT_TEST(a_retry_has_no_latch);
  CPPUNIT_TEST(a_slot_beyond_the_page_is_refused);
  CPPUNIT_TEST(the_last_word_of_a_slot_releases_it);
  CPPUNIT_TEST(a_full_page_opens_another_connection);
  CPPUNIT_TEST(a_confirmed_latch_gets_a_new_word);
  CPPUNIT_TEST(a_latch_that_is_not_confirmed_is_an_error);
  CPPUNIT_TEST(check_returns_the_statement_that_came_with_the_context);
  CPPUNIT_TEST(a_connection_that_ended_makes_its_latches_stale_when_it_is_met);
  CPPUNIT_TEST(check_names_the_slot_only_on_its_own_connection);
  CPPUNIT_TEST(check_sees_that_the_descriptor_was_reused);
  CPPUNIT_TEST(a_name_that_cannot_be_sent_is_a_bad_argument);
  CPPUNIT_TEST(a_forked_child_never_uses_the_parents_connection);
  CPPUNIT_TEST(a_forked_child_still_sees_the_latch);
  CPPUNIT_TEST(after_setuid_it_connects_anew);
  CPPUNIT_TEST(signals_do_not_prolong_or_break_a_call);
  CPPUNIT_TEST(fifty_threads_all_get_their_own_answer);
  CPPUNIT_TEST_SUITE_END();

  // Only root can listen as root.
  static bool able() {
    if (geteuid() == 0) return true;
    std::cout << "skipped: not root\n";
    return false;
  }

 public:
  void tearDown() override { unsetenv("GSS_IPSEC_BROKER"); }

  void no_socket_means_no_broker_at_once() {
    setenv("GSS_IPSEC_BROKER", "/nonexistent/broker", 1);
    const double took = seconds([] { expect(Code::NO_BROKER, ask()); });
    CPPUNIT_ASSERT(took < 0.5);
  }

  void a_path_that_is_no_socket_means_no_broker() {
    setenv("GSS_IPSEC_BROKER", "/dev/null", 1);
    expect(Code::NO_BROKER, ask());
    setenv("GSS_IPSEC_BROKER", ("/" + std::string(300, 'x')).c_str(), 1);
    expect(Code::NO_BROKER, ask());
  }

  void every_question_has_its_answer() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    CPPUNIT_ASSERT(Broker::query(fd.get(), {})->is_protected);
    CPPUNIT_ASSERT(Broker::query_flow({})->is_protected);
    CPPUNIT_ASSERT(Broker::initiate(fd.get(), {})->latch.state() == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, Broker::accept(fd.get(), {})->reply.session_key.size());
    CPPUNIT_ASSERT(Broker::accept(fd.get(), {})->latch.valid());
    CPPUNIT_ASSERT(Broker::latch(fd.get(), {})->latch.state() == LatchState::established);
    CPPUNIT_ASSERT(Broker::latch(-1, {}).error().code == Code::NOT_A_SOCKET);
    expect(Code::ok, code_of(Broker::unlatch(fd.get())));
    expect(Code::NOT_A_SOCKET, code_of(Broker::unlatch(-1)));
    CPPUNIT_ASSERT_EQUAL(std::string("bob"), *Broker::localname("x"));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:here"), Broker::probe({})->local_name);
  }

  void calls_share_one_connection() {
    if (!able()) return;
    FakeBroker broker;
    for (int i = 0; i < 10; ++i) expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(1, broker.connections());
  }

  void the_broker_gets_the_socket_and_the_callers_credentials() {
    if (!able()) return;
    std::atomic<std::uint64_t> cookie{0};
    std::atomic<int> pid{0}, uid{-1};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      cookie = cookie_of(request.fd.get()), pid = request.credentials.pid, uid = static_cast<int>(request.credentials.uid);
      self.obey(request);
    }));
    const auto fd = some_socket();
    expect(Code::ok, code_of(Broker::query(fd.get(), {})));
    CPPUNIT_ASSERT_EQUAL(cookie_of(fd.get()), cookie.load());
    CPPUNIT_ASSERT(pid == getpid() && uid == 0);
    expect(Code::NOT_A_SOCKET, code_of(Broker::query(-1, {})));
    expect(Code::NOT_A_SOCKET, code_of(Broker::query(500, {})));
  }

  void an_error_of_the_broker_arrives_with_its_detail() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker&, FakeRequest& request) {
      FakeBroker::send(request.socket, protocol::encode_error(request.frame.header, base::fail(Code::BUSY, "three of three")));
    }));
    const auto got = Broker::localname("x");
    expect(Code::BUSY, code_of(got));
    CPPUNIT_ASSERT_EQUAL(std::string("three of three"), got.error().detail);
    expect(Code::BUSY, ask());
    CPPUNIT_ASSERT_EQUAL(1, broker.connections());
  }

  void a_listener_that_is_not_root_is_refused_before_anything_is_sent() {
    if (!able()) return;
    FakeBroker::Options options;
    options.listener = tests::kNobody;
    FakeBroker broker(options);
    expect(Code::FALSE_BROKER, ask());
    CPPUNIT_ASSERT_EQUAL(0, broker.requests(Verb::hello));
  }

  void a_hanging_broker_costs_two_seconds_once() {
    if (!able()) return;
    FakeBroker broker(handling(ignore));
    const double first = seconds([] { expect(Code::BROKER_TIMEOUT, ask()); });
    CPPUNIT_ASSERT(first > 1.5 && first < 4);
    const double second = seconds([] { expect(Code::BROKER_TIMEOUT, ask()); });
    CPPUNIT_ASSERT(second < 0.5);
    FakeBroker another;
    expect(Code::ok, ask());
  }

  void a_hanging_hello_is_bounded_too() {
    if (!able()) return;
    FakeBroker::Options options;
    options.hello = ignore;
    FakeBroker broker(options);
    const double took = seconds([] { expect(Code::BROKER_TIMEOUT, ask()); });
    CPPUNIT_ASSERT(took > 1.5 && took < 4);
  }

  void a_full_queue_is_bounded_too() {
    if (!able()) return;
    FakeBroker::Options options;
    options.accept = false;
    FakeBroker broker(options);
    std::vector<base::UniqueFd> filling;
    for (int i = 0; i < 4; ++i) {
      filling.emplace_back(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_un address{AF_UNIX, {}};
      memcpy(address.sun_path, broker.path().c_str(), broker.path().size());
      (void)!connect(filling.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    const double took = seconds([] { expect(Code::BROKER_TIMEOUT, ask()); });
    CPPUNIT_ASSERT(took > 1.5 && took < 4);
  }

  // The answer to the first request comes when the second is asked: on a kept connection it would be taken.
  void a_late_answer_is_never_taken() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.connection == 1) std::this_thread::sleep_for(std::chrono::milliseconds(2500));
      self.obey(request);
    }));
    expect(Code::BROKER_TIMEOUT, ask());
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
  }

  void a_connection_that_failed_is_closed_though_a_latch_keeps_it() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      request.frame.header.request ^= request.frame.header.verb == Verb::localname;
      self.obey(request);
    }));
    const auto fd = some_socket();
    const auto latched = Broker::initiate(fd.get(), {});
    CPPUNIT_ASSERT(latched->latch.state() == LatchState::established);
    expect(Code::BAD_MESSAGE, ask());
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
    CPPUNIT_ASSERT(latched->latch.state() == LatchState::stale);
  }

  void an_answer_to_another_request_is_refused() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      request.frame.header.request ^= 1;
      self.obey(request);
    }));
    expect(Code::BAD_MESSAGE, ask());
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
  }

  void an_answer_to_another_verb_is_refused() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker&, FakeRequest& request) {
      request.frame.header.verb = Verb::probe;
      FakeBroker::answer(request, protocol::encode(protocol::LocalnameReply{"root"}));
    }));
    expect(Code::BAD_MESSAGE, ask());
  }

  void a_broker_that_closes_in_mid_call_is_no_broker() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker&, FakeRequest& request) { FakeBroker::hang_up(request); }));
    const double took = seconds([] { expect(Code::NO_BROKER, ask()); });
    CPPUNIT_ASSERT(took < 1);
  }

  void a_restarted_broker_is_found_again() {
    if (!able()) return;
    FakeBroker broker;
    expect(Code::ok, ask());
    broker.hang_up_all();
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
    expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(2, broker.connections());
  }

  void an_oversized_answer_is_refused() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker&, FakeRequest& request) {
      base::Bytes datagram = protocol::encode(request.frame.header, {});
      datagram.resize(protocol::kMaxMessage + 1);
      FakeBroker::send(request.socket, datagram);
    }));
    expect(Code::BAD_MESSAGE, ask());
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
  }

  void a_broken_answer_is_refused_and_its_connection_closed() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.request == 2) return FakeBroker::answer(request, base::Bytes(3, std::byte{9}));
      self.obey(request);
    }));
    expect(Code::BAD_MESSAGE, ask());
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
  }

  void an_answer_to_release_is_not_misunderstood() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb == Verb::release) return FakeBroker::answer(request, {});
      self.obey(request);
    }));
    const auto fd = some_socket();
    { auto word = Broker::initiate(fd.get(), {}); }
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.requests(Verb::release) == 1; }));
    expect(Code::ok, ask());
    expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(1, broker.connections());
  }

  void unexpected_descriptors_are_closed() {
    if (!able()) return;
    const auto fd = some_socket();
    FakeBroker broker(handling([&](FakeBroker&, FakeRequest& request) {
      const auto body = protocol::encode(protocol::LocalnameReply{"bob"});
      FakeBroker::send(request.socket, protocol::encode(request.frame.header, body), {fd.get(), fd.get(), fd.get()});
    }));
    expect(Code::ok, ask());
    const int before = open_descriptors();
    for (int i = 0; i < 20; ++i) expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(before, open_descriptors());
  }

  void a_page_without_each_seal_is_refused() {
    if (!able()) return;
    for (const int missing : {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_FUTURE_WRITE}) {
      FakeBroker::Options options;
      options.seals = kWantedSeals & ~missing;
      FakeBroker broker(options);
      expect(Code::BAD_MESSAGE, ask());
    }
  }

  void a_page_of_another_size_is_refused() {
    if (!able()) return;
    for (const std::size_t size : {std::size_t{0}, std::size_t{4095}, std::size_t{8192}}) {
      FakeBroker::Options options;
      options.page_size = size;
      FakeBroker broker(options);
      expect(Code::BAD_MESSAGE, ask());
    }
  }

  void hello_without_a_page_is_refused() {
    if (!able()) return;
    FakeBroker::Options options;
    options.hello = [](FakeBroker&, FakeRequest& request) { FakeBroker::answer(request, protocol::encode(protocol::HelloReply{})); };
    FakeBroker broker(options);
    expect(Code::BAD_MESSAGE, ask());
  }

  void another_protocol_version_is_refused() {
    if (!able()) return;
    FakeBroker::Options options;
    options.hello = [](FakeBroker&, FakeRequest& request) {
      request.frame.header.version = 99;
      FakeBroker::answer(request, protocol::encode(protocol::HelloReply{}));
    };
    FakeBroker broker(options);
    expect(Code::PROTOCOL_VERSION, ask());
  }

  // A broker of before the upgrade reads nothing newer, not even a HELLO.
  void an_older_broker_is_asked_in_its_version() {
    if (!able()) return;
    for (const std::uint16_t version : {protocol::kOldestVersion, protocol::kVersion}) {
      std::atomic<int> greeted{0}, asked{0};
      FakeBroker::Options options;
      options.version = version;
      options.hello = [&](FakeBroker& self, FakeRequest& request) { greeted = request.frame.header.version, self.greet(request); };
      options.handler = [&](FakeBroker& self, FakeRequest& request) { asked = request.frame.header.version, self.obey(request); };
      FakeBroker broker(options);
      expect(Code::ok, ask());
      CPPUNIT_ASSERT_EQUAL(int{protocol::kOldestVersion}, greeted.load());
      CPPUNIT_ASSERT_EQUAL(int{version}, asked.load());
      const bool knows = version >= protocol::first_version(Verb::bind);
      const auto fd = some_socket();
      expect(knows ? Code::ok : Code::PROTOCOL_VERSION, code_of(Broker::bind(fd.get(), protocol::Found::named, channel::Role::initiator)));
      CPPUNIT_ASSERT_EQUAL(knows ? 1 : 0, broker.requests(Verb::bind));
    }
  }

  void what_the_administrator_says_of_the_program_needs_no_question() {
    if (!able()) return;
    FakeBroker broker;
    CPPUNIT_ASSERT(!Broker::program_policy());
    for (const auto use : {protocol::KerberosUse::off, protocol::KerberosUse::bind, protocol::KerberosUse::skip})
      for (const bool without : {false, true})
        for (const auto seal : {protocol::Seal::never, protocol::Seal::unless_confidential, protocol::Seal::always})
          for (const std::uint16_t bits : {0, 128, 0xffff}) {
            for (const bool first : {false, true}) {
              const protocol::ProgramPolicy policy{use, without, seal, bits, first};
              broker.say(policy);
              CPPUNIT_ASSERT(Broker::program_policy() == policy);
            }
          }
    CPPUNIT_ASSERT_EQUAL(1, broker.connections());
    for (const std::uint32_t unknown : {0u, 4u, 0x80000003u, 0x80000018u, 0x80000040u, 0x80000080u, 0x81000000u, 0xc0000000u}) {
      broker.page().slots[protocol::kProgramWord] = unknown;
      CPPUNIT_ASSERT(!Broker::program_policy());
    }
    broker.say({});
    FakeBroker::beat(broker.page(), 60);
    CPPUNIT_ASSERT(!Broker::program_policy());
  }

  void in_the_first_version_all_of_the_page_is_slots() {
    if (!able()) return;
    for (const std::uint16_t version : {protocol::kOldestVersion, protocol::kVersion}) {
      FakeBroker::Options options;
      options.version = version;
      options.slots = protocol::kPageWords;
      FakeBroker broker(options);
      broker.say({.kerberos = protocol::KerberosUse::skip});
      CPPUNIT_ASSERT(Broker::program_policy() == (version == 1 ? std::optional(protocol::ProgramPolicy{}) : std::nullopt));
      CPPUNIT_ASSERT_EQUAL(version == 1, Broker::probe({}).ok());
    }
  }

  void no_descriptor_is_inherited_over_exec() {
    if (!able()) return;
    FakeBroker broker;
    const int before = open_descriptors();
    expect(Code::ok, ask());
    CPPUNIT_ASSERT(open_descriptors() > before);
    for (int fd = 3; fd < 512; ++fd) {
      const int flags = fcntl(fd, F_GETFD);
      int type = 0;
      socklen_t size = sizeof type;
      if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) continue;
      CPPUNIT_ASSERT(flags & FD_CLOEXEC);
    }
  }

  void the_connection_never_takes_standard_descriptors() {
    if (!able()) return;
    FakeBroker broker;
    tests::in_child([] {
      close(0), close(1), close(2);
      expect(Code::ok, ask());
      for (int fd = 0; fd < 3; ++fd) CPPUNIT_ASSERT(fcntl(fd, F_GETFD) < 0);
    });
  }

  // Daemons close "all" descriptors and open their own files, which must never receive a request.
  void a_connection_that_the_program_closed_is_not_written_to() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    tests::in_child([&] {
      auto latched = Broker::initiate(fd.get(), {});
      expect(Code::ok, code_of(latched));
      const base::UniqueFd file(memfd_create("file of the program", 0));
      std::vector<int> reused;
      for (int other = 3; other < 512; ++other) {
        int type = 0, domain = 0;
        socklen_t size = sizeof type;
        const bool connection = getsockopt(other, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
                                getsockopt(other, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
        if (connection) reused.push_back(dup2(file.get(), other));
      }
      CPPUNIT_ASSERT(!reused.empty());
      expect(Code::ok, ask());
      Broker::release(latched->latch);
      latched->latch = LatchWord();
      for (const int number : reused) CPPUNIT_ASSERT(fcntl(number, F_GETFD) >= 0);
      CPPUNIT_ASSERT_EQUAL(off_t{0}, lseek(file.get(), 0, SEEK_END));
    });
  }

  void the_latch_word_follows_the_page() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    LatchWord none;
    CPPUNIT_ASSERT(!none.valid() && none.state() == LatchState::none);
    const auto got = Broker::initiate(fd.get(), {});
    auto& slot = broker.page().slots[got->reply.channel.slot];
    CPPUNIT_ASSERT(got->latch.state() == LatchState::established);
    slot = protocol::slot_word(7, LatchState::broken);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::broken);
    slot = protocol::slot_word(7, static_cast<LatchState>(99));
    CPPUNIT_ASSERT(got->latch.state() == LatchState::broken);
    slot = protocol::slot_word(8, LatchState::established);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::none);
  }

  void an_old_heartbeat_makes_the_latch_stale() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    const auto got = Broker::initiate(fd.get(), {});
    FakeBroker::beat(broker.page(), 3);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::established);
    FakeBroker::beat(broker.page(), 8);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::stale);
    FakeBroker::beat(broker.page(), -60);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::stale);
    broker.page().slots[got->reply.channel.slot] = protocol::slot_word(7, LatchState::broken);
    CPPUNIT_ASSERT(got->latch.state() == LatchState::broken);
  }

  void a_retry_has_no_latch() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker&, FakeRequest& request) {
      protocol::AcceptReply reply;
      reply.retry = true;
      FakeBroker::answer(request, protocol::encode(reply));
    }));
    const auto fd = some_socket();
    const auto got = Broker::accept(fd.get(), {});
    CPPUNIT_ASSERT(got->reply.retry && !got->latch.valid());
  }

  void a_slot_beyond_the_page_is_refused() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      auto channel = self.new_channel(request);
      channel.slot = protocol::kPageSlots;
      FakeBroker::answer(request, protocol::encode(protocol::InitiateReply{{}, channel, base::Secret(32)}));
    }));
    const auto fd = some_socket();
    expect(Code::BAD_MESSAGE, code_of(Broker::initiate(fd.get(), {})));
  }

  void the_last_word_of_a_slot_releases_it() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb == Verb::release) return;
      if (request.frame.header.verb != Verb::accept) return self.obey(request);
      protocol::AcceptReply reply;
      reply.session_key = base::Secret(32);
      reply.channel.latch = LatchState::established, reply.channel.slot = 1, reply.channel.generation = 7;
      FakeBroker::answer(request, protocol::encode(reply));
    }));
    const auto fd = some_socket();
    auto first = Broker::initiate(fd.get(), {});
    auto second = Broker::accept(fd.get(), {});
    CPPUNIT_ASSERT_EQUAL(1u, first->reply.channel.slot);
    Broker::release(first->latch);
    expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(0, broker.requests(Verb::release));
    CPPUNIT_ASSERT(!first->latch.valid() && second->latch.state() == LatchState::established);
    Broker::release(second->latch);
    Broker::release(second->latch);
    expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(1, broker.requests(Verb::release));
  }

  void a_full_page_opens_another_connection() {
    if (!able()) return;
    std::array<std::atomic<std::uint32_t>, 8> given{};
    FakeBroker::Options options = handling([&](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb != Verb::initiate) return self.obey(request);
      auto channel = self.new_channel(request);
      channel.slot = given[static_cast<std::size_t>(request.connection)]++;
      FakeBroker::answer(request, protocol::encode(protocol::InitiateReply{{}, channel, base::Secret(32)}));
    });
    options.slots = 2;
    FakeBroker broker(options);
    const auto fd = some_socket();
    std::vector<LatchWord> kept;
    for (int i = 0; i < 5; ++i) {
      auto got = Broker::initiate(fd.get(), {});
      expect(Code::ok, code_of(got));
      kept.push_back(std::move(got->latch));
    }
    CPPUNIT_ASSERT_EQUAL(3, broker.connections());
  }

  void a_confirmed_latch_gets_a_new_word() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    auto got = Broker::initiate(fd.get(), {});
    broker.page().slots[got->reply.channel.slot] = 0;
    CPPUNIT_ASSERT(got->latch.state() == LatchState::none);
    expect(Code::ok, code_of(Broker::check(fd.get(), cookie_of(fd.get()), got->latch)));
    CPPUNIT_ASSERT(got->latch.state() == LatchState::established);
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.requests(Verb::release) == 1; }));
  }

  void a_latch_that_is_not_confirmed_is_an_error() {
    if (!able()) return;
    std::atomic<int> state{0};
    std::atomic<Code> why{Code::ok};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb != Verb::check) return self.obey(request);
      FakeBroker::answer(request, protocol::encode(protocol::CheckReply{static_cast<LatchState>(state.load()), why, "d", 1, 7}));
    }));
    const auto fd = some_socket();
    auto got = Broker::initiate(fd.get(), {});
    const auto check = [&] { return code_of(Broker::check(fd.get(), cookie_of(fd.get()), got->latch)); };
    for (const auto& [found, code] : {std::pair{LatchState::none, Code::LATCH_BROKEN}, {LatchState::listener, Code::LATCH_BROKEN},
                                     {LatchState::broken, Code::LATCH_BROKEN}, {LatchState::closed, Code::LATCH_BROKEN},
                                     {LatchState::stale, Code::LATCH_STALE}, {LatchState::monitored, Code::NOT_LATCHABLE}}) {
      state = static_cast<int>(found);
      expect(code, check());
    }
    why = Code::NO_SA;
    expect(Code::NO_SA, check());
    state = static_cast<int>(LatchState::broken);
    const base::Status broken = Broker::check(fd.get(), cookie_of(fd.get()), got->latch);
    CPPUNIT_ASSERT(broken.error().code == Code::LATCH_BROKEN && broken.error().detail.find("SA") != std::string::npos);
  }

  void check_returns_the_statement_that_came_with_the_context() {
    if (!able()) return;
    const base::Bytes statement{std::byte{1}, std::byte{2}, std::byte{3}};
    std::atomic<int> returned{0};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb == Verb::check) returned += protocol::decode_check_request(request.frame.body)->statement == statement;
      if (request.frame.header.verb != Verb::initiate) return self.obey(request);
      auto channel = self.new_channel(request);
      channel.statement = statement;
      FakeBroker::answer(request, protocol::encode(protocol::InitiateReply{{}, channel, base::Secret(32)}));
    }));
    const auto fd = some_socket();
    auto got = Broker::initiate(fd.get(), {});
    for (int times = 1; times <= 2; ++times) {
      expect(Code::ok, code_of(Broker::check(fd.get(), cookie_of(fd.get()), got->latch)));
      CPPUNIT_ASSERT_EQUAL(times, returned.load());
      broker.hang_up_all();
      CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
    }
  }

  void a_connection_that_ended_makes_its_latches_stale_when_it_is_met() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    const auto got = Broker::initiate(fd.get(), {});
    broker.hang_up_all();
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
    CPPUNIT_ASSERT(got->latch.state() == LatchState::established);
    expect(Code::ok, ask());
    CPPUNIT_ASSERT(got->latch.state() == LatchState::stale);
  }

  void check_names_the_slot_only_on_its_own_connection() {
    if (!able()) return;
    std::atomic<std::uint32_t> generation{99};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb == Verb::check) generation = protocol::decode_check_request(request.frame.body)->generation;
      self.obey(request);
    }));
    const auto fd = some_socket();
    auto got = Broker::initiate(fd.get(), {});
    expect(Code::ok, code_of(Broker::check(fd.get(), cookie_of(fd.get()), got->latch)));
    CPPUNIT_ASSERT_EQUAL(7u, generation.load());
    broker.hang_up_all();
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 0; }));
    expect(Code::ok, code_of(Broker::check(fd.get(), cookie_of(fd.get()), got->latch)));
    CPPUNIT_ASSERT_EQUAL(0u, generation.load());
  }

  void check_sees_that_the_descriptor_was_reused() {
    if (!able()) return;
    FakeBroker broker;
    auto fd = some_socket();
    auto got = Broker::initiate(fd.get(), {});
    const std::uint64_t cookie = cookie_of(fd.get());
    const auto other = some_socket();
    expect(Code::SOCKET_CHANGED, code_of(Broker::check(other.get(), cookie, got->latch)));
    expect(Code::SOCKET_CHANGED, code_of(Broker::check(-1, cookie, got->latch)));
    CPPUNIT_ASSERT_EQUAL(0, broker.requests(Verb::check));
  }

  void a_name_that_cannot_be_sent_is_a_bad_argument() {
    expect(Code::BAD_ARGUMENT, code_of(Broker::localname(std::string(2000, 'x'))));
    expect(Code::BAD_ARGUMENT, code_of(Broker::localname(std::string("a\0b", 3))));
  }

  void a_forked_child_never_uses_the_parents_connection() {
    if (!able()) return;
    std::atomic<int> pid_of_first{0}, other_pid_on_first{0};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      if (request.connection == 1 && pid_of_first == 0) pid_of_first = request.credentials.pid;
      if (request.connection == 1 && request.credentials.pid != pid_of_first) ++other_pid_on_first;
      self.obey(request);
    }));
    const auto fd = some_socket();
    auto latched = Broker::initiate(fd.get(), {});
    tests::in_child([&] {
      expect(Code::ok, ask());
      expect(Code::ok, ask());
      Broker::release(latched->latch);
    });
    CPPUNIT_ASSERT_EQUAL(2, broker.connections());
    CPPUNIT_ASSERT_EQUAL(0, other_pid_on_first.load());
    CPPUNIT_ASSERT_EQUAL(0, broker.requests(Verb::release));
    // The child's end did not end the parent's connection.
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return broker.open_connections() == 1; }));
    expect(Code::ok, ask());
    CPPUNIT_ASSERT_EQUAL(2, broker.connections());
  }

  void a_forked_child_still_sees_the_latch() {
    if (!able()) return;
    FakeBroker broker;
    const auto fd = some_socket();
    auto latched = Broker::initiate(fd.get(), {});
    tests::in_child([&] {
      CPPUNIT_ASSERT(latched->latch.state() == LatchState::established);
      expect(Code::ok, ask());
      broker.page().slots[latched->reply.channel.slot] = protocol::slot_word(7, LatchState::broken);
      CPPUNIT_ASSERT(latched->latch.state() == LatchState::broken);
      expect(Code::ok, code_of(Broker::check(fd.get(), cookie_of(fd.get()), latched->latch)));
    });
    CPPUNIT_ASSERT(latched->latch.state() == LatchState::broken);
  }

  void after_setuid_it_connects_anew() {
    if (!able()) return;
    std::atomic<int> uid{-1};
    FakeBroker broker(handling([&](FakeBroker& self, FakeRequest& request) {
      uid = static_cast<int>(request.credentials.uid);
      self.obey(request);
    }));
    tests::in_child([] {
      expect(Code::ok, ask());
      CPPUNIT_ASSERT_EQUAL(0, setresgid(tests::kNobody, tests::kNobody, tests::kNobody) | setresuid(tests::kNobody, tests::kNobody, tests::kNobody));
      expect(Code::ok, ask());
    });
    CPPUNIT_ASSERT_EQUAL(2, broker.connections());
    CPPUNIT_ASSERT_EQUAL(static_cast<int>(tests::kNobody), uid.load());
  }

  void signals_do_not_prolong_or_break_a_call() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb == Verb::probe) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      self.obey(request);
    }));
    const Alarms alarms;
    expect(Code::ok, ask());
    const double took = seconds([] { expect(Code::BROKER_TIMEOUT, code_of(Broker::probe({}))); });
    CPPUNIT_ASSERT(took > 1.5 && took < 4);
  }

  void fifty_threads_all_get_their_own_answer() {
    if (!able()) return;
    FakeBroker broker(handling([](FakeBroker& self, FakeRequest& request) {
      if (request.frame.header.verb != Verb::localname) return self.obey(request);
      FakeBroker::answer(request, protocol::encode(protocol::LocalnameReply{protocol::decode_localname_request(request.frame.body)->name}));
    }));
    const auto fd = some_socket();
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 50; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5; ++i) {
          const std::string name = std::to_string(t) + "." + std::to_string(i);
          const tests::AskingInTurn turn;
          const auto got = Broker::localname(name);
          auto latched = Broker::initiate(fd.get(), {});
          if (!got.ok() || *got != name || !latched.ok() || latched->latch.state() != LatchState::established) ++wrong;
        }
      });
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(0, wrong.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BrokerTest);

}  // namespace
}  // namespace gssipsec::client
