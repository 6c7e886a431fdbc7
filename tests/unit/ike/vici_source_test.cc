// SPDX-License-Identifier: MIT
#include "ike/vici_source.h"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/ike/fake_vici.h"
#include "tests/unit/ike/recordings.h"

namespace gssipsec::ike::test {
namespace {

using channel::AuthMethod;
using channel::PeerInfo;
using std::chrono::milliseconds;
using Fault = FakeVici::Fault;

constexpr const char* kServerName = "server.example.org";
constexpr const char* kNew = "192.0.2.2";

bool readable(int fd, int ms) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, ms) == 1;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

}  // namespace

class ViciSourceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ViciSourceTest);
  CPPUNIT_TEST(a_recorded_daemon_is_read);
  CPPUNIT_TEST(recorded_rekeys_are_followed);
  CPPUNIT_TEST(no_daemon_is_an_error_and_not_a_wait);
  CPPUNIT_TEST(the_second_path_is_tried);
  CPPUNIT_TEST(a_socket_of_another_user_is_not_believed);
  CPPUNIT_TEST(a_hanging_daemon_costs_its_deadline_only);
  CPPUNIT_TEST(a_dripping_daemon_costs_its_deadline_only);
  CPPUNIT_TEST(half_a_message_is_not_an_answer);
  CPPUNIT_TEST(closing_in_the_middle_is_said);
  CPPUNIT_TEST(absurd_lengths_and_broken_messages_end_the_connection);
  CPPUNIT_TEST(a_daemon_without_the_commands_or_events_is_an_error);
  CPPUNIT_TEST(unknown_change_events_are_tolerated);
  CPPUNIT_TEST(it_connects_again_when_the_daemon_comes_back);
  CPPUNIT_TEST(ike_sas_of_two_lives_of_the_daemon_never_share_a_number);
  CPPUNIT_TEST(an_event_asks_for_a_refresh_once);
  CPPUNIT_TEST(a_closed_connection_is_told_by_drain);
  CPPUNIT_TEST(an_answer_to_nothing_ends_the_connection);
  CPPUNIT_TEST(a_rekeyed_ike_sa_is_traced_to_its_origin);
  CPPUNIT_TEST(a_rekey_of_ikev1_is_no_lineage);
  CPPUNIT_TEST(a_connection_configured_anew_proves_nothing_of_older_ike_sas);
  CPPUNIT_TEST(rekeying_does_not_launder_an_old_proof);
  CPPUNIT_TEST(nor_do_several_rekeys_between_two_listings);
  CPPUNIT_TEST(an_ike_sa_first_seen_without_its_connection_is_never_proven);
  CPPUNIT_TEST(a_connection_gone_for_a_while_proves_nothing_meanwhile);
  CPPUNIT_TEST(connections_that_change_during_the_listing_are_listed_again);
  CPPUNIT_TEST(the_next_source_goes_on_where_the_former_was);
  CPPUNIT_TEST(the_configuration_gives_paths_and_owner);
  CPPUNIT_TEST_SUITE_END();

  FakeVici daemon_;

  ViciOptions options() const { return {{daemon_.path()}, geteuid(), milliseconds(200), milliseconds(1000)}; }

  void has(const std::vector<ViciSection>& connections, const std::vector<ViciSection>& sas) {
    daemon_.answer("list-conns", "list-conn", {message(connections)});
    daemon_.answer("list-sas", "list-sa", {message(sas)});
  }
  static ViciSection by(const char* kind, const char* id = kServerName) { return connection("c", {remote_round(kind, id)}); }

  static Snapshot refreshed(ViciSource& source) {
    auto snapshot = source.refresh();
    CPPUNIT_ASSERT_MESSAGE(snapshot.ok() ? "" : base::describe(snapshot.error()), snapshot.ok());
    return *std::move(snapshot);
  }
  static PeerInfo only_peer(ViciSource& source) { return peer_towards(refreshed(source).peers, kNew); }

  void fails_soon(base::Code code, const char* text) {
    ViciSource source(options());
    const auto begun = std::chrono::steady_clock::now();
    const auto snapshot = source.refresh();
    const auto took = std::chrono::steady_clock::now() - begun;
    CPPUNIT_ASSERT(!snapshot.ok());
    CPPUNIT_ASSERT_EQUAL(std::string(base::code_name(code)), std::string(base::code_name(snapshot.error().code)));
    CPPUNIT_ASSERT_MESSAGE(snapshot.error().detail, snapshot.error().detail.find(text) != std::string::npos);
    CPPUNIT_ASSERT(took < milliseconds(900));
    CPPUNIT_ASSERT_EQUAL(-1, source.event_fd());
  }

 public:
  void setUp() override {
    has({by("public key")}, {ike_sa("c", "7", kServerName)});
    daemon_.start(geteuid());
  }

  void a_recorded_daemon_is_read() {
    daemon_.answer("list-conns", recording("client-list-conns"));
    daemon_.answer("list-sas", recording("client-list-sas"));
    ViciSource source(options());
    const Snapshot snapshot = refreshed(source);
    CPPUNIT_ASSERT(snapshot.peers == recorded_peers("client"));
    CPPUNIT_ASSERT(source.event_fd() >= 0);
    CPPUNIT_ASSERT(fcntl(source.event_fd(), F_GETFD) & FD_CLOEXEC);
  }

  void recorded_rekeys_are_followed() {
    daemon_.answer("list-conns", recording("client-list-conns"));
    daemon_.answer("list-sas", recording("client-list-sas"));
    ViciSource source(options());
    refreshed(source);
    for (const ViciPacket& event : packets_of(recording("client-events"))) {
      daemon_.raise(event);
      CPPUNIT_ASSERT(readable(source.event_fd(), 1000) && *source.drain());
    }
    daemon_.answer("list-sas", recording("client-list-sas-after"));
    const Snapshot after = refreshed(source);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, peer_towards(after.peers, "10.1.0.32").ike_sa);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, peer_towards(after.peers, "10.1.0.2").ike_sa);
    CPPUNIT_ASSERT(after.peers.count({0xcad8d5a3, *channel::parse_address("10.1.0.2"), channel::kProtoEsp}));
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, after.peers.size());
  }

  void no_daemon_is_an_error_and_not_a_wait() {
    daemon_.stop();
    fails_soon(base::Code::IKE_SOURCE, daemon_.path().c_str());
    ViciSource off(ViciOptions{});
    CPPUNIT_ASSERT(!off.refresh().ok() && !off.drain().ok());
  }

  void the_second_path_is_tried() {
    ViciOptions both = options();
    both.paths.insert(both.paths.begin(), "/nonexistent/vici");
    ViciSource source(both);
    CPPUNIT_ASSERT(only_peer(source).authenticated());
  }

  void a_socket_of_another_user_is_not_believed() {
    ViciOptions believed = options();
    if (geteuid() == 0) {
      daemon_.stop();
      daemon_.start(4242);
      believed.owner = 4242;
    }
    ViciOptions strict = options();
    strict.owner.reset();
    const auto snapshot = ViciSource(strict).refresh();
    CPPUNIT_ASSERT(!snapshot.ok() && snapshot.error().code == base::Code::IKE_SOURCE);
    CPPUNIT_ASSERT(snapshot.error().detail.find("vici-owner") != std::string::npos);
    ViciSource source(believed);
    CPPUNIT_ASSERT(only_peer(source).authenticated());
  }

  void a_hanging_daemon_costs_its_deadline_only() {
    daemon_.misbehave("list-sas", Fault::hang);
    fails_soon(base::Code::IKE_SOURCE, "in time");
  }

  void a_dripping_daemon_costs_its_deadline_only() {
    daemon_.misbehave("list-sas", Fault::drip);
    fails_soon(base::Code::IKE_SOURCE, "in time");
  }

  void half_a_message_is_not_an_answer() {
    daemon_.misbehave("list-sas", Fault::half_message);
    fails_soon(base::Code::IKE_SOURCE, "in time");
  }

  void closing_in_the_middle_is_said() {
    daemon_.misbehave("list-sas", Fault::close_inside);
    fails_soon(base::Code::IKE_SOURCE, "in the middle");
  }

  void absurd_lengths_and_broken_messages_end_the_connection() {
    daemon_.misbehave("list-conns", Fault::absurd_length);
    fails_soon(base::Code::IKE_MESSAGE, "segment");
    daemon_.misbehave("list-conns", Fault::broken_message);
    fails_soon(base::Code::IKE_MESSAGE, "section");
  }

  void a_daemon_without_the_commands_or_events_is_an_error() {
    daemon_.misbehave("list-sas", Fault::unknown_command);
    fails_soon(base::Code::IKE_SOURCE, "does not know the command list-sas");
    daemon_.misbehave("list-sas", Fault::refuse);
    fails_soon(base::Code::IKE_SOURCE, "refused list-sas");
    daemon_.misbehave("list-sas", Fault::none);
    daemon_.do_not_know_event("list-sa");
    fails_soon(base::Code::IKE_SOURCE, "the event list-sa");
  }

  void unknown_change_events_are_tolerated() {
    daemon_.do_not_know_event("ike-update");
    ViciSource source(options());
    CPPUNIT_ASSERT(only_peer(source).authenticated());
  }

  void it_connects_again_when_the_daemon_comes_back() {
    ViciSource source(options());
    const PeerInfo before = only_peer(source);
    const std::size_t descriptors = open_descriptors();
    daemon_.stop();
    CPPUNIT_ASSERT(!source.refresh().ok());
    daemon_.start(geteuid());
    CPPUNIT_ASSERT(only_peer(source) == before);  // the same process: the same life
    CPPUNIT_ASSERT_EQUAL(descriptors, open_descriptors());
  }

  void ike_sas_of_two_lives_of_the_daemon_never_share_a_number() {
    ViciSource source(options());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, only_peer(source).ike_sa);
    daemon_.stop();
    has({by("pre-shared key")}, {ike_sa("c", "7", kServerName)});
    const pid_t other = fork();
    if (other == 0) {
      daemon_.serve_here(geteuid());
      _exit(1);
    }
    Peers peers;
    for (int i = 0; i < 200 && peers.empty(); ++i, usleep(10000))
      if (auto snapshot = source.refresh()) peers = std::move(snapshot->peers);
    kill(other, SIGKILL);
    waitpid(other, nullptr, 0);
    unlink(daemon_.path().c_str());
    const PeerInfo peer = peer_towards(peers, kNew);
    CPPUNIT_ASSERT_EQUAL((std::uint64_t{1} << 32) + 7, peer.ike_sa);
    CPPUNIT_ASSERT(peer.remote_method == AuthMethod::psk_group);  // not held against it: another IKE_SA
  }

  void an_event_asks_for_a_refresh_once() {
    ViciSource source(options());
    refreshed(source);
    CPPUNIT_ASSERT(source.drain().ok() && !*source.drain());
    daemon_.raise({ViciType::event, "child-updown", message({})});
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000));
    CPPUNIT_ASSERT(*source.drain());
    CPPUNIT_ASSERT(!*source.drain());
    daemon_.raise({ViciType::event, "log", message({})});
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000));
    CPPUNIT_ASSERT(!*source.drain());
  }

  void a_closed_connection_is_told_by_drain() {
    ViciSource source(options());
    refreshed(source);
    daemon_.hang_up();
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000));
    const auto drained = source.drain();
    CPPUNIT_ASSERT(!drained.ok() && drained.error().code == base::Code::IKE_SOURCE);
    CPPUNIT_ASSERT_EQUAL(-1, source.event_fd());
    CPPUNIT_ASSERT(source.refresh().ok());
  }

  void an_answer_to_nothing_ends_the_connection() {
    ViciSource source(options());
    refreshed(source);
    daemon_.raise({ViciType::response, "", message({})});
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000));
    CPPUNIT_ASSERT(!source.drain().ok());
    CPPUNIT_ASSERT_EQUAL(-1, source.event_fd());
  }

  static ViciPacket rekey(const char* from, const char* to) {
    return {ViciType::event, "ike-rekey", message({section("c", {}, {section("old", {{"uniqueid", from}}), section("new", {{"uniqueid", to}})})})};
  }

  void rekey_twice(ViciSource& source) {
    for (const auto& [from, to] : {std::pair{"7", "8"}, std::pair{"8", "9"}}) {
      daemon_.raise(rekey(from, to));
      CPPUNIT_ASSERT(readable(source.event_fd(), 1000) && *source.drain());
    }
  }

  void a_rekeyed_ike_sa_is_traced_to_its_origin() {
    ViciSource source(options());
    refreshed(source);
    rekey_twice(source);
    has({by("public key")}, {ike_sa("c", "9", kServerName)});
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, only_peer(source).ike_sa);
    daemon_.raise(rekey("9", "10"));
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000) && *source.drain());
    has({by("public key")}, {ike_sa("c", "10", kServerName)});
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, only_peer(source).ike_sa);
    has({by("public key")}, {ike_sa("c", "11", kServerName)});
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{11}, only_peer(source).ike_sa);
  }

  void a_rekey_of_ikev1_is_no_lineage() {
    ViciSource source(options());
    refreshed(source);
    daemon_.raise({ViciType::event, "ike-rekey",
                   message({section("c", {}, {section("old", {{"uniqueid", "7"}, {"version", "1"}}), section("new", {{"uniqueid", "8"}, {"version", "1"}})})})});
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000) && *source.drain());
    has({by("public key")}, {ike_sa("c", "8", kServerName)});
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{8}, only_peer(source).ike_sa);
  }

  void a_connection_configured_anew_proves_nothing_of_older_ike_sas() {
    has({by("pre-shared key")}, {ike_sa("c", "7", kServerName)});
    ViciSource source(options());
    CPPUNIT_ASSERT(only_peer(source).remote_method == AuthMethod::psk_group);
    has({by("public key")}, {ike_sa("c", "7", kServerName)});
    CPPUNIT_ASSERT(only_peer(source).remote_method == AuthMethod::unknown);
    CPPUNIT_ASSERT(only_peer(source).remote_method == AuthMethod::unknown);
    has({by("public key")}, {ike_sa("c", "8", kServerName)});
    CPPUNIT_ASSERT(only_peer(source).authenticated());
  }

  void the_next_source_goes_on_where_the_former_was() {
    const auto memory = std::make_shared<ViciMemory>();
    {
      ViciSource former(options(), memory);
      refreshed(former);
      rekey_twice(former);
      has({by("public key")}, {ike_sa("c", "9", kServerName)});
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, only_peer(former).ike_sa);
    }
    ViciSource next(options(), memory);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, only_peer(next).ike_sa);
    has({by("pre-shared key")}, {ike_sa("c", "9", kServerName)});
    ViciSource last(options(), memory);
    CPPUNIT_ASSERT(only_peer(last).remote_method == AuthMethod::unknown);  // it was proven otherwise
  }

  void rekeying_does_not_launder_an_old_proof() {
    has({by("pre-shared key")}, {ike_sa("c", "7", kServerName)});
    ViciSource source(options());
    refreshed(source);
    daemon_.raise(rekey("7", "8"));
    CPPUNIT_ASSERT(readable(source.event_fd(), 1000) && *source.drain());
    has({by("public key")}, {ike_sa("c", "8", kServerName)});
    CPPUNIT_ASSERT(!only_peer(source).authenticated());
  }

  void nor_do_several_rekeys_between_two_listings() {
    has({by("pre-shared key")}, {ike_sa("c", "7", kServerName)});
    ViciSource source(options());
    refreshed(source);
    rekey_twice(source);
    has({by("public key")}, {ike_sa("c", "9", kServerName)});
    CPPUNIT_ASSERT(!only_peer(source).authenticated());
  }

  void an_ike_sa_first_seen_without_its_connection_is_never_proven() {
    has({}, {ike_sa("c", "7", kServerName)});
    ViciSource source(options());
    CPPUNIT_ASSERT(!only_peer(source).authenticated());
    has({by("public key")}, {ike_sa("c", "7", kServerName)});
    CPPUNIT_ASSERT(!only_peer(source).authenticated());
  }

  void a_connection_gone_for_a_while_proves_nothing_meanwhile() {
    ViciSource source(options());
    CPPUNIT_ASSERT(only_peer(source).authenticated());
    has({}, {ike_sa("c", "7", kServerName)});
    CPPUNIT_ASSERT(!only_peer(source).authenticated());
    has({by("public key")}, {ike_sa("c", "7", kServerName)});
    CPPUNIT_ASSERT(only_peer(source).authenticated());
  }

  void connections_that_change_during_the_listing_are_listed_again() {
    // First seen as a certificate's; when the IKE_SAs were listed it was a PSK's already.
    daemon_.answer_next("list-conns", "list-conn", {message({by("public key")})});
    has({by("pre-shared key")}, {ike_sa("c", "7", kServerName)});
    ViciSource source(options());
    CPPUNIT_ASSERT(only_peer(source).remote_method == AuthMethod::psk_group);
    for (int i = 0; i < 8; ++i) daemon_.answer_next("list-conns", "list-conn", {message({by(i % 2 ? "public key" : "pre-shared key")})});
    CPPUNIT_ASSERT(!source.refresh().ok());
  }

  void the_configuration_gives_paths_and_owner() {
    CPPUNIT_ASSERT(vici_options({}, {})->paths == (std::vector<std::string>{"/var/run/charon.vici", "/run/charon.vici"}));
    CPPUNIT_ASSERT(!vici_options({}, {})->owner);
    CPPUNIT_ASSERT(vici_options("", {})->paths.empty());
    CPPUNIT_ASSERT(vici_options("unix:///run/x", {})->paths == (std::vector<std::string>{"/run/x"}));
    CPPUNIT_ASSERT_EQUAL(uid_t{0}, *vici_options("/run/x", "root")->owner);
    CPPUNIT_ASSERT_EQUAL(uid_t{1234}, *vici_options("/run/x", "1234")->owner);
    CPPUNIT_ASSERT(!vici_options("/run/x", "no such user").ok());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ViciSourceTest);

}  // namespace gssipsec::ike::test
