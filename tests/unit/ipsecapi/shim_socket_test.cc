// SPDX-License-Identifier: MIT
// Sockets of PF_SHIM: who is connected to and who is let in, and every other call with every other descriptor.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <tuple>

#include "tests/unit/ipsecapi/shim_fixture.h"

namespace gssipsec::api {
namespace {

using base::Code;
using base::UniqueFd;
using protocol::Endpoint;
using protocol::Verb;

class ShimSocketTest : public ShimFixture {
  CPPUNIT_TEST_SUITE(ShimSocketTest);
  CPPUNIT_TEST(a_socket_is_a_stream);
  CPPUNIT_TEST(without_a_broker_there_is_no_such_family);
  CPPUNIT_TEST(connecting_requires_and_latches);
  CPPUNIT_TEST(a_wrong_peer_is_hung_up_on);
  CPPUNIT_TEST(proof_is_wanted_where_it_is);
  CPPUNIT_TEST(the_next_address_is_tried);
  CPPUNIT_TEST(what_is_refused_is_not_connected);
  CPPUNIT_TEST(who_does_not_wait_is_told_later);
  CPPUNIT_TEST(who_does_not_wait_may_connect_once_more);
  CPPUNIT_TEST(a_wrong_peer_is_told_later);
  CPPUNIT_TEST(nobody_is_told_of_who_was_not_compared);
  CPPUNIT_TEST(what_is_under_way_is_no_failure);
  CPPUNIT_TEST(who_is_interrupted_may_wait_once_more);
  CPPUNIT_TEST(who_becomes_another_meanwhile_is_not_taken_up);
  CPPUNIT_TEST(a_refusal_is_told_and_forgotten);
  CPPUNIT_TEST(another_end_is_not_answered_for);
  CPPUNIT_TEST(who_was_hung_up_on_stays_so);
  CPPUNIT_TEST(who_connects_is_met_as_whom_he_is_bound_to);
  CPPUNIT_TEST(wrong_ends_are_refused);
  CPPUNIT_TEST(wrong_sockets_are_refused);
  CPPUNIT_TEST(a_listener_lets_in_who_is_protected);
  CPPUNIT_TEST(a_listener_closes_what_is_not);
  CPPUNIT_TEST(wildcards_are_told_apart);
  CPPUNIT_TEST(a_listener_is_met_as_whom_it_is_bound_to);
  CPPUNIT_TEST(accepting_fails_as_ever);
  CPPUNIT_TEST(who_is_not_yet_let_in_is_nobody_elses);
  CPPUNIT_TEST(names_are_ends);
  CPPUNIT_TEST(copies_are_the_same_socket);
  CPPUNIT_TEST(a_number_used_again_is_another_socket);
  CPPUNIT_TEST(a_child_has_it_too);
  CPPUNIT_TEST(many_sockets_are_forgotten_and_those_open_are_not);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    ShimFixture::setUp();
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CPPUNIT_ASSERT(fd_);
    held_.reset();
    kept_from_programs_ = holds_ = swaps_ = early_ = false;
    port_ = port_of(pair.listener.get());
  }
  void tearDown() override {
    fd_.reset();
    held_.reset();
    ShimFixture::tearDown();
  }

  void a_socket_is_a_stream() {
    const UniqueFd plain(shim_socket(AF_INET, SOCK_DGRAM, 0)), tcp(shim_socket(PF_SHIM, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP));
    CPPUNIT_ASSERT(plain && tcp);
    CPPUNIT_ASSERT_EQUAL(AF_INET, option(plain.get(), SO_DOMAIN));
    CPPUNIT_ASSERT_EQUAL(PF_SHIM, option(tcp.get(), SO_DOMAIN));
    CPPUNIT_ASSERT((fcntl(tcp.get(), F_GETFL) & O_NONBLOCK) && (fcntl(fd_.get(), F_GETFD) & FD_CLOEXEC));
    expect_failure(shim_socket(PF_SHIM, SOCK_DGRAM, 0), ESOCKTNOSUPPORT, IPSEC_E_UNSUPPORTED_SOCKET);
    expect_failure(shim_socket(PF_SHIM, SOCK_STREAM, IPPROTO_SCTP), EPROTONOSUPPORT, IPSEC_E_UNSUPPORTED_SOCKET);
  }

  void without_a_broker_there_is_no_such_family() {
    broker.reset();
    expect_failure(shim_socket(PF_SHIM, SOCK_STREAM, 0), EAFNOSUPPORT, IPSEC_E_NO_BROKER);
    CPPUNIT_ASSERT(::socket(PF_SHIM, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
  }

  void connecting_requires_and_latches() {
    CPPUNIT_ASSERT_EQUAL(0, connect(server()));
    CPPUNIT_ASSERT(broker->requests(Verb::require) == 1 && broker->requests(Verb::latch) == 1);
    CPPUNIT_ASSERT(accepted().get() >= 0);
    expect_failure(connect(server()), EISCONN, IPSEC_E_ALREADY_CONNECTED);
  }

  void a_wrong_peer_is_hung_up_on() {
    expect_failure(connect({false, true, "fqdn:other.example.org", {loopback()}}), EACCES, IPSEC_E_WRONG_PEER);
    CPPUNIT_ASSERT(is_hung_up(accepted()));
  }

  void proof_is_wanted_where_it_is() {
    proven_ = false;
    expect_failure(connect({false, true, {}, {loopback()}}), EACCES, IPSEC_E_PEER_UNAUTHENTICATED);
    CPPUNIT_ASSERT(is_hung_up(accepted()));
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    CPPUNIT_ASSERT_EQUAL(0, connect({false, false, {}, {loopback()}}));
  }

  void the_next_address_is_tried() {
    CPPUNIT_ASSERT_EQUAL(0, connect({false, true, {}, {loopback(2), loopback()}}));
    CPPUNIT_ASSERT_EQUAL(2, broker->requests(Verb::require));
  }

  void what_is_refused_is_not_connected() {
    pair.listener.reset();
    const sockaddr_ed end = keep(server(), port_);
    for (const int times : {1, 2}) {
      expect_failure(connect(end), ECONNREFUSED, IPSEC_E_SYSTEM);
      CPPUNIT_ASSERT_EQUAL(times, broker->requests(Verb::require));
    }
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
  }

  void who_does_not_wait_is_told_later() {
    begin(server());
    const UniqueFd there = accepted();
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
    CPPUNIT_ASSERT_EQUAL(0, option(fd_.get(), SO_ERROR));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    CPPUNIT_ASSERT_EQUAL(0, option(fd_.get(), SO_ERROR));  // once
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    octets_pass(there);
  }

  void who_does_not_wait_may_connect_once_more() {
    const sockaddr_ed end = begin(server());
    const UniqueFd there = accepted();
    CPPUNIT_ASSERT_EQUAL(0, connect(end));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    octets_pass(there);
    expect_failure(connect(server()), EISCONN, IPSEC_E_ALREADY_CONNECTED);
  }

  void a_wrong_peer_is_told_later() {
    begin({false, true, "fqdn:other.example.org", {loopback()}});
    CPPUNIT_ASSERT_EQUAL(EACCES, option(fd_.get(), SO_ERROR));
    CPPUNIT_ASSERT(is_hung_up(accepted()));
  }

  // Programs take a name for "connected", too.
  void nobody_is_told_of_who_was_not_compared() {
    const Endpoint other{false, true, "fqdn:other.example.org", {loopback()}};
    for (const bool by_name : {true, false}) {
      const auto ask = [&] { return by_name ? peer_name() : security(); };
      begin_anew(server());
      const UniqueFd there = accepted();
      const int before = broker->requests(Verb::latch);
      CPPUNIT_ASSERT(ask() == 0 && broker->requests(Verb::latch) == before + 1);
      octets_pass(there);
      begin_anew(other);
      const UniqueFd stranger = accepted();
      expect_failure(ask(), EACCES, IPSEC_E_WRONG_PEER);
      CPPUNIT_ASSERT(is_hung_up(stranger));
      for (const int result : {peer_name(), security()}) CPPUNIT_ASSERT_EQUAL(-1, result);
      expect_failure(ask(), ECONNABORTED, IPSEC_E_ALREADY_CONNECTED);
    }
    port_ = unused_port();
    begin_anew(server());
    expect_failure(peer_name(), ENOTCONN, IPSEC_E_NOT_CONNECTED);
    CPPUNIT_ASSERT_EQUAL(ECONNREFUSED, option(fd_.get(), SO_ERROR));
    const Full full = be_full();
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CPPUNIT_ASSERT(connect(server()) == -1 && errno == EINPROGRESS);
    expect_failure(peer_name(), ENOTCONN, IPSEC_E_NOT_CONNECTED);
    expect_failure(security(), ENOTCONN, IPSEC_E_NOT_CONNECTED);
  }

  void what_is_under_way_is_no_failure() {
    const Full full = be_full();
    const sockaddr_ed end = keep(server(), port_), another = keep(server(), port_);
    wait_not();
    CPPUNIT_ASSERT(connect(end) == -1 && errno == EINPROGRESS);
    CPPUNIT_ASSERT_EQUAL(0, option(fd_.get(), SO_ERROR));
    expect_failure(connect(end), EALREADY, IPSEC_E_SYSTEM);
    expect_failure(connect(another), EALREADY, IPSEC_E_ALREADY_CONNECTED);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
  }

  void who_is_interrupted_may_wait_once_more() {
    const Full full = be_full();
    const sockaddr_ed end = keep(server(), port_);
    struct sigaction handler {}, before {};
    handler.sa_handler = [](int) {};
    CPPUNIT_ASSERT_EQUAL(0, sigaction(SIGUSR1, &handler, &before));
    std::thread interrupter([to = pthread_self()] { poll(nullptr, 0, 200), pthread_kill(to, SIGUSR1); });
    const int result = connect(end), number = errno;
    interrupter.join();
    CPPUNIT_ASSERT_EQUAL(0, sigaction(SIGUSR1, &before, nullptr));
    CPPUNIT_ASSERT(result == -1 && number == EINTR && broker->requests(Verb::latch) == 0);
    const UniqueFd room(::accept(full.listener.get(), nullptr, nullptr));
    CPPUNIT_ASSERT_EQUAL(0, connect(end));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    octets_pass(UniqueFd(::accept(full.listener.get(), nullptr, nullptr)));
  }

  void who_becomes_another_meanwhile_is_not_taken_up() {
    const Endpoint twice{false, true, "fqdn:server.example.org", {loopback(), loopback()}};
    swaps_ = true;
    expect_failure(connect(twice), ESTALE, IPSEC_E_SOCKET_CHANGED);
    octets_pass(pair.server);  // by what the number names now
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    latching_ = Code::NO_POLICY;
    expect_failure(connect(twice), EACCES, IPSEC_E_NO_POLICY);
    octets_pass(pair.server);
    latching_ = Code::ok;
    CPPUNIT_ASSERT(accepted());
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    held_ = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    swaps_ = false, early_ = true;
    const int before = broker->requests(Verb::require);
    const UniqueFd first = accepted();
    expect_failure(connect(twice), ESTALE, IPSEC_E_SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(before + 1, broker->requests(Verb::require));
    octets_pass(accepted());
  }

  // As often as with plain sockets; but SO_ERROR is never 0 before somebody is there.
  void a_refusal_is_told_and_forgotten() {
    const std::uint16_t lives = port_, closed = unused_port();
    for (const bool asks : {true, false}) {
      fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
      port_ = closed;
      const sockaddr_ed end = begin(server()), next = keep(server(), lives);
      if (asks) CPPUNIT_ASSERT(option(fd_.get(), SO_ERROR) == ECONNREFUSED && option(fd_.get(), SO_ERROR) == ECONNABORTED);
      expect_failure(connect(asks ? end : next), asks ? ECONNABORTED : ECONNREFUSED, IPSEC_E_SYSTEM);
      CPPUNIT_ASSERT(connect(next) == -1 && errno == EINPROGRESS);
      const UniqueFd there = accepted();
      CPPUNIT_ASSERT_EQUAL(0, option(fd_.get(), SO_ERROR));
      octets_pass(there);
    }
  }

  void another_end_is_not_answered_for() {
    const sockaddr_ed end = begin(server());
    const sockaddr_ed others[] = {keep({false, true, "fqdn:other.example.org", {loopback()}}, port_), {end.ed_family, htons(1), end.ed_val}};
    for (const sockaddr_ed& other : others) expect_failure(connect(other), EALREADY, IPSEC_E_ALREADY_CONNECTED);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
    CPPUNIT_ASSERT_EQUAL(0, connect(end));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    for (const sockaddr_ed& other : others) expect_failure(connect(other), EISCONN, IPSEC_E_ALREADY_CONNECTED);
  }

  // A failure that says "call again" would be called again.
  void who_was_hung_up_on_stays_so() {
    for (const bool waits : {true, false}) {
      latching_ = Code::UNKNOWN;
      fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
      if (waits)
        expect_failure(connect(server()), ECONNABORTED, IPSEC_E_UNKNOWN);
      else
        begin(server()), CPPUNIT_ASSERT_EQUAL(ECONNABORTED, option(fd_.get(), SO_ERROR));
      CPPUNIT_ASSERT(is_hung_up(accepted()));
      latching_ = Code::ok;
      expect_failure(connect(server()), ECONNABORTED, IPSEC_E_ALREADY_CONNECTED);
      CPPUNIT_ASSERT_EQUAL(ECONNABORTED, option(fd_.get(), SO_ERROR));
    }
  }

  void who_connects_is_met_as_whom_he_is_bound_to() {
    const Endpoint right{true, true, "fqdn:client.example.org", {}}, wrong{true, true, "fqdn:other.example.org", {}};
    for (const bool waits : {true, false}) {
      for (const Endpoint& own : {right, wrong}) {
        fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
        const sockaddr_ed bound = keep(own);
        CPPUNIT_ASSERT_EQUAL(0, shim_bind(fd_.get(), plain(bound), sizeof bound));
        if (!waits) begin(server());
        const int failure = waits ? (connect(server()) == 0 ? 0 : errno) : option(fd_.get(), SO_ERROR);
        CPPUNIT_ASSERT_EQUAL(own == right ? 0 : EACCES, failure);
        const UniqueFd there = accepted();
        if (own == right)
          octets_pass(there);
        else
          CPPUNIT_ASSERT(ipsec_get_error(nullptr, 0) == IPSEC_E_WRONG_PEER && is_hung_up(there));
      }
    }
  }

  void wrong_ends_are_refused() {
    const sockaddr_ed any{AF_SHIM, 0, htonl(SHIM_ED_ANY)}, own = keep({true, true, {}, {}}), peer = keep(server()), none{AF_SHIM, 0, htonl(7)}, inet{AF_INET, 0, 0};
    const auto both = [this](const sockaddr_ed& ed, socklen_t length, int number, ipsec_err reason) {
      expect_failure(shim_connect(fd_.get(), plain(ed), length), number, reason, "connect");
      expect_failure(shim_bind(fd_.get(), plain(ed), length), number, reason, "bind");
    };
    both(inet, sizeof inet, EAFNOSUPPORT, IPSEC_E_BAD_ARGUMENT), both(none, sizeof none, EADDRNOTAVAIL, IPSEC_E_NO_ENDPOINT);
    both(peer, 7, EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_connect(fd_.get(), nullptr, 8), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_bind(fd_.get(), nullptr, 8), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_connect(fd_.get(), plain(any), sizeof any), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_connect(fd_.get(), plain(own), sizeof own), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_bind(fd_.get(), plain(peer), sizeof peer), EINVAL, IPSEC_E_BAD_ARGUMENT);
    const sockaddr_ed elsewhere = keep({true, true, {}, {*channel::parse_address("192.0.2.1")}});
    expect_failure(shim_bind(fd_.get(), plain(elsewhere), sizeof elsewhere), EADDRNOTAVAIL, IPSEC_E_SYSTEM);
    sockaddr_storage room{};
    memcpy(&room, &own, sizeof own);
    CPPUNIT_ASSERT_EQUAL(0, shim_bind(fd_.get(), reinterpret_cast<sockaddr*>(&room), sizeof room));
    broker.reset();
    both(peer, sizeof peer, ECONNREFUSED, IPSEC_E_NO_BROKER);
  }

  void wrong_sockets_are_refused() {
    const UniqueFd unix_socket = kernel::testing::make_socket(AF_UNIX, SOCK_STREAM), file(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const auto& [fd, number, reason] : {std::tuple(unix_socket.get(), EINVAL, IPSEC_E_BAD_ARGUMENT), std::tuple(pair.client.get(), EINVAL, IPSEC_E_BAD_ARGUMENT),
                                             std::tuple(file.get(), ENOTSOCK, IPSEC_E_NOT_A_SOCKET), std::tuple(-1, EBADF, IPSEC_E_NOT_A_SOCKET)}) {
      const sockaddr_ed any{AF_SHIM, 0, htonl(SHIM_ED_ANY)}, peer = keep(server());
      sockaddr_storage room{};
      socklen_t length = sizeof room;
      auto* address = reinterpret_cast<sockaddr*>(&room);
      expect_failure(shim_bind(fd, plain(any), sizeof any), number, reason, "bind");
      expect_failure(shim_connect(fd, plain(peer), sizeof peer), number, reason, "connect");
      expect_failure(shim_accept(fd, address, &length), number, reason, "accept");
      expect_failure(shim_getsockname(fd, address, &length), number, reason, "getsockname");
      expect_failure(shim_getpeername(fd, address, &length), number, reason, "getpeername");
    }
    const int closed = fd_.get();
    fd_.reset();
    expect_failure(shim_accept(closed, nullptr, nullptr), EBADF, IPSEC_E_NOT_A_SOCKET);
  }

  void a_listener_lets_in_who_is_protected() {
    listen_at(SHIM_ED_ANY);
    const UniqueFd client = stranger();
    sockaddr_ed peer{};
    socklen_t length = sizeof peer;
    const UniqueFd got(shim_accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    CPPUNIT_ASSERT(got && (fcntl(got.get(), F_GETFL) & O_NONBLOCK));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
    const Endpoint wanted{false, true, "fqdn:server.example.org", {loopback()}};
    CPPUNIT_ASSERT(length == sizeof peer && kept(peer) == wanted && peer.ed_port == htons(7000));
    const UniqueFd another = stranger(), second(shim_accept(fd_.get(), nullptr, nullptr));
    CPPUNIT_ASSERT(second && broker->requests(Verb::endpoint) == 1);
    CPPUNIT_ASSERT_EQUAL(PF_SHIM, option(second.get(), SO_DOMAIN));
  }

  void a_listener_closes_what_is_not() {
    listen_at(SHIM_ED_ANY);
    for (const Code code : {Code::NO_POLICY, Code::OPTIONAL_POLICY, Code::BUSY}) latching_ = code, expect_shut_out(static_cast<ipsec_err>(code));
    latching_ = Code::ok;
    report.since_start = false;
    expect_shut_out(IPSEC_E_STARTED_IN_CLEAR);
    report.since_start = true;
    const UniqueFd client = stranger(), got(shim_accept(fd_.get(), nullptr, nullptr));
    CPPUNIT_ASSERT(got);
    refusal_ = Code::BUSY;
    sockaddr_ed peer{};
    socklen_t length = sizeof peer;
    const UniqueFd nameless = stranger();
    expect_failure(shim_accept(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length), ECONNABORTED, IPSEC_E_BUSY);
    CPPUNIT_ASSERT(is_hung_up(nameless));
    broker.reset();
    expect_shut_out(IPSEC_E_NO_BROKER);
  }

  void wildcards_are_told_apart() {
    for (const auto& [value, proven, reason] : {std::tuple(SHIM_ED_ANY, true, IPSEC_E_OK), std::tuple(SHIM_ED_ANY, false, IPSEC_E_OK),
                                                std::tuple(SHIM_ED_ANY_PUB, true, IPSEC_E_OK), std::tuple(SHIM_ED_ANY_PUB, false, IPSEC_E_PEER_UNAUTHENTICATED),
                                                std::tuple(SHIM_ED_ANY_ANON, true, IPSEC_E_WRONG_PEER), std::tuple(SHIM_ED_ANY_ANON, false, IPSEC_E_OK)}) {
      fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
      listen_at(value);
      report.peer_authenticated = proven_ = proven;
      if (reason == IPSEC_E_OK)
        let_in();
      else
        expect_shut_out(reason);
    }
  }

  void a_listener_is_met_as_whom_it_is_bound_to() {
    const sockaddr_ed own = keep({true, true, "fqdn:client.example.org", {loopback()}}), other = keep({true, true, "fqdn:other.example.org", {}});
    listen_on(own);
    let_in();
    report.local_method = "PSK of a group";
    expect_shut_out(IPSEC_E_WRONG_PEER);
    report.peer_authenticated = false;
    expect_shut_out(IPSEC_E_PEER_UNAUTHENTICATED);
    report = honest_report();
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    listen_on(other);
    expect_shut_out(IPSEC_E_WRONG_PEER);
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    listen_on(keep({true, false, {}, {}}));
    report.peer_authenticated = false;
    let_in();
  }

  void accepting_fails_as_ever() {
    sockaddr_ed peer{};
    expect_failure(shim_accept(fd_.get(), nullptr, nullptr), EINVAL, IPSEC_E_SYSTEM);  // does not listen
    expect_failure(shim_accept(fd_.get(), reinterpret_cast<sockaddr*>(&peer), nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    listen_at(SHIM_ED_ANY);
    wait_not();
    expect_failure(shim_accept(fd_.get(), nullptr, nullptr), EAGAIN, IPSEC_E_SYSTEM);
    expect_failure(shim_accept4(fd_.get(), nullptr, nullptr, 1), EINVAL, IPSEC_E_SYSTEM);
  }

  // A program that another thread starts meanwhile gets no copy; whoever has one, a refused peer is hung up on.
  void who_is_not_yet_let_in_is_nobody_elses() {
    listen_at(SHIM_ED_ANY);
    for (const int flags : {0, int{SOCK_CLOEXEC}}) {
      const UniqueFd client = stranger(), got(shim_accept4(fd_.get(), nullptr, nullptr, flags));
      CPPUNIT_ASSERT(got && kept_from_programs_);
      CPPUNIT_ASSERT_EQUAL(flags ? FD_CLOEXEC : 0, fcntl(got.get(), F_GETFD));
    }
    holds_ = true;
    latching_ = Code::NO_POLICY;
    expect_shut_out(IPSEC_E_NO_POLICY);
    CPPUNIT_ASSERT(held_);
  }

  void names_are_ends() {
    CPPUNIT_ASSERT_EQUAL(SHIM_ED_ANY, ntohl(own_name().ed_val));
    listen_at(SHIM_ED_ANY_PUB);
    CPPUNIT_ASSERT(own_name().ed_family == AF_SHIM && ntohl(own_name().ed_val) == SHIM_ED_ANY_PUB && own_name().ed_port == htons(port_));
    const UniqueFd client = stranger(), got(shim_accept(fd_.get(), nullptr, nullptr));
    sockaddr_ed peer{};
    socklen_t length = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    CPPUNIT_ASSERT_EQUAL(0, shim_getpeername(got.get(), address, &length));
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), kept(peer).identity);
    report.peer_authenticated = false;
    CPPUNIT_ASSERT_EQUAL(0, shim_getpeername(got.get(), address, &length));
    CPPUNIT_ASSERT(kept(peer).identity.empty() && !kept(peer).proven);
    report.is_protected = false, report.why = Code::NO_POLICY;
    expect_failure(shim_getpeername(got.get(), address, &length), EACCES, IPSEC_E_NO_POLICY);
    expect_failure(shim_getpeername(fd_.get(), address, &length), ENOTCONN, IPSEC_E_NOT_CONNECTED);
    for (const auto call : {shim_getpeername, shim_getsockname}) {
      expect_failure(call(got.get(), nullptr, &length), EINVAL, IPSEC_E_BAD_ARGUMENT);
      expect_failure(call(got.get(), address, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    }
    peer = {}, length = 2;
    CPPUNIT_ASSERT(shim_getsockname(fd_.get(), address, &length) == 0 && length == sizeof peer && peer.ed_family == AF_SHIM && peer.ed_val == 0);
  }

  void copies_are_the_same_socket() {
    listen_at(SHIM_ED_ANY_PUB);
    const UniqueFd copy(dup(fd_.get()));
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    fd_ = UniqueFd(dup(copy.get()));
    CPPUNIT_ASSERT_EQUAL(SHIM_ED_ANY_PUB, ntohl(own_name().ed_val));
  }

  void a_number_used_again_is_another_socket() {
    const UniqueFd plain_socket = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    CPPUNIT_ASSERT(dup2(plain_socket.get(), fd_.get()) >= 0);
    const sockaddr_ed any{AF_SHIM, 0, htonl(SHIM_ED_ANY)};
    expect_failure(shim_bind(fd_.get(), plain(any), sizeof any), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(AF_INET, option(fd_.get(), SO_DOMAIN));
  }

  void a_child_has_it_too() {
    listen_at(SHIM_ED_ANY_PUB);
    const pid_t child = fork();
    if (child == 0) _exit(ntohl(own_name().ed_val) == SHIM_ED_ANY_PUB ? 0 : 1);
    int status = -1;
    CPPUNIT_ASSERT(waitpid(child, &status, 0) == child && status == 0);
  }

  void many_sockets_are_forgotten_and_those_open_are_not() {
    listen_at(SHIM_ED_ANY_PUB);
    for (int i = 0; i < 600; ++i) UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0)).reset();
    CPPUNIT_ASSERT_EQUAL(SHIM_ED_ANY_PUB, ntohl(own_name().ed_val));
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb == Verb::latch) {
      kept_from_programs_ = is_kept_from_programs(request.fd.get());
      if (swaps_) dup3(fd(), fd_.get(), O_CLOEXEC);
      if (holds_) held_ = UniqueFd(dup(request.fd.get()));
    }
    if (request.frame.header.verb == Verb::resolve && early_) dup3(held_.get(), fd_.get(), O_CLOEXEC);
    ShimFixture::answer(self, request);
  }

 private:
  struct Full {
    UniqueFd listener, first;
  };
  static bool is_kept_from_programs(int copy) {
    const auto cookie = client::socket_cookie(copy);
    for (int fd = 0; fd < 1024; ++fd)
      if (fd != copy && client::socket_cookie(fd) == cookie && !(fcntl(fd, F_GETFD) & FD_CLOEXEC)) return false;
    return true;
  }
  // Nobody is let in behind the first.
  Full be_full() {
    Full made{kernel::testing::make_socket(AF_INET, SOCK_STREAM), kernel::testing::make_socket(AF_INET, SOCK_STREAM)};
    const sockaddr_in6 where = kernel::testing::loopback(AF_INET);
    CPPUNIT_ASSERT(::bind(made.listener.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(sockaddr_in)) == 0 && ::listen(made.listener.get(), 0) == 0);
    CPPUNIT_ASSERT(kernel::testing::connect_to(made.first.get(), kernel::testing::name_of(made.listener.get())));
    port_ = port_of(made.listener.get());
    return made;
  }
  static std::uint16_t unused_port() {
    const UniqueFd closed = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    const sockaddr_in6 where = kernel::testing::loopback(AF_INET);
    CPPUNIT_ASSERT_EQUAL(0, ::bind(closed.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(sockaddr_in)));
    return port_of(closed.get());
  }
  static Endpoint server() { return {false, true, "fqdn:server.example.org", {loopback()}}; }
  static std::uint16_t port_of(int fd) { return ntohs(kernel::testing::name_of(fd).sin6_port); }
  static int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    CPPUNIT_ASSERT_EQUAL(0, shim_getsockopt(fd, SOL_SOCKET, name, &value, &size));
    return value;
  }
  int connect(const Endpoint& peer) {
    return connect(keep(peer, port_));
  }
  int connect(const sockaddr_ed& ed) const { return shim_connect(fd_.get(), plain(ed), sizeof ed); }
  int peer_name() const {
    sockaddr_ed name{};
    socklen_t length = sizeof name;
    return shim_getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&name), &length);
  }
  int security() const {
    ipsec_security_info info{};
    socklen_t length = sizeof info;
    return shim_getsockopt(fd_.get(), SOL_SHIM, SHIM_SECURITY, &info, &length);
  }
  void wait_not() { CPPUNIT_ASSERT_EQUAL(0, fcntl(fd_.get(), F_SETFL, O_NONBLOCK)); }
  sockaddr_ed begin(const Endpoint& peer) {
    wait_not();
    const sockaddr_ed end = keep(peer, port_);
    CPPUNIT_ASSERT(connect(end) == -1 && errno == EINPROGRESS);
    pollfd writable{fd_.get(), POLLOUT, 0};
    CPPUNIT_ASSERT_EQUAL(1, ::poll(&writable, 1, 1000));
    return end;
  }
  void begin_anew(const Endpoint& peer) {
    fd_ = UniqueFd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    begin(peer);
  }
  void octets_pass(const UniqueFd& there) const {
    for (const auto& [from, to] : {std::pair(fd_.get(), there.get()), std::pair(there.get(), fd_.get())}) {
      char octets[6] = {};
      pollfd readable{to, POLLIN, 0};
      CPPUNIT_ASSERT(::send(from, "octets", 6, MSG_NOSIGNAL) == 6 && ::poll(&readable, 1, 1000) == 1 && ::recv(to, octets, 6, MSG_WAITALL) == 6);
      CPPUNIT_ASSERT_EQUAL(std::string("octets"), std::string(octets, 6));
    }
  }
  void listen_on(sockaddr_ed ed) {
    CPPUNIT_ASSERT_EQUAL(0, shim_bind(fd_.get(), plain(ed), sizeof ed));
    CPPUNIT_ASSERT_EQUAL(0, ::listen(fd_.get(), 5));
    port_ = port_of(fd_.get());
  }
  void listen_at(std::uint32_t value) { listen_on({AF_SHIM, 0, htonl(value)}); }
  // The pair's own is in the queue before.
  UniqueFd accepted() const {
    UniqueFd last(::accept(pair.listener.get(), nullptr, nullptr));
    return last;
  }
  UniqueFd stranger() const {
    UniqueFd made = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    sockaddr_in6 where = kernel::testing::loopback(AF_INET);
    where.sin6_port = htons(port_);
    CPPUNIT_ASSERT(kernel::testing::connect_to(made.get(), where));
    return made;
  }
  static bool is_hung_up(const UniqueFd& fd) {
    char octet;
    pollfd readable{fd.get(), POLLIN, 0};
    return ::poll(&readable, 1, 1000) == 1 && ::recv(fd.get(), &octet, 1, 0) <= 0;
  }
  void let_in() const {
    const UniqueFd client = stranger(), got(shim_accept(fd_.get(), nullptr, nullptr));
    CPPUNIT_ASSERT(got);
  }
  void expect_shut_out(ipsec_err reason) const {
    const UniqueFd client = stranger();
    expect_failure(shim_accept(fd_.get(), nullptr, nullptr), ECONNABORTED, reason);
    CPPUNIT_ASSERT(is_hung_up(client));
  }
  sockaddr_ed own_name() const {
    sockaddr_ed name{};
    socklen_t length = sizeof name;
    CPPUNIT_ASSERT_EQUAL(0, shim_getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &length));
    return name;
  }

  UniqueFd fd_, held_;
  std::uint16_t port_ = 0;
  std::atomic<bool> kept_from_programs_{false}, holds_{false}, swaps_{false}, early_{false};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShimSocketTest);

}  // namespace
}  // namespace gssipsec::api
