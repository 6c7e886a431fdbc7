// SPDX-License-Identifier: MIT
// Who may use which name.
#include "broker/access.h"

#include <cppunit/extensions/HelperMacros.h>

#include "broker/ike_thread.h"
#include "broker/names.h"
#include "broker/options.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using channel::Name;

class AccessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AccessTest);
  CPPUNIT_TEST(root_gets_what_is_asked_and_others_their_lines_for_this_port);
  CPPUNIT_TEST(a_nameless_user_gets_nothing);
  CPPUNIT_TEST(both_services_must_be_granted_and_agree);
  CPPUNIT_TEST(a_peer_that_ike_did_not_authenticate_has_no_name);
  CPPUNIT_TEST(a_psk_names_a_peer_only_by_a_line_for_it);
  CPPUNIT_TEST(credentials_of_connection_and_request_must_agree);
  CPPUNIT_TEST(user_names_are_cached_for_a_minute);
  CPPUNIT_TEST(the_overflow_uid_is_nobody);
  CPPUNIT_TEST(options_are_read_strictly);
  CPPUNIT_TEST_SUITE_END();

 public:
  void root_gets_what_is_asked_and_others_their_lines_for_this_port() {
    const Caller root{0, false, true, "root"}, postgres{26, false, false, "postgres"};
    CPPUNIT_ASSERT(granted(root, 22, {"host", "", "host"}) == std::vector<std::string>{"host"});
    CPPUNIT_ASSERT((granted(postgres, 5432, {"host"}) == std::vector<std::string>{"postgres", "db"}));
    CPPUNIT_ASSERT(granted(postgres, 5433, {"postgres"}).empty());
    CPPUNIT_ASSERT(may_serve(config_, postgres, "db"));
    CPPUNIT_ASSERT(!may_serve(config_, postgres, "host"));
    CPPUNIT_ASSERT(may_serve(config_, root, "host"));
  }

  void a_nameless_user_gets_nothing() {
    config_.services.push_back({"", "any", 22});
    CPPUNIT_ASSERT(granted({4711, true, false, ""}, 22, {"any"}).empty());
    CPPUNIT_ASSERT(granted({26, true, false, "postgres"}, 5432, {"postgres"}).empty());
    CPPUNIT_ASSERT(!may_serve(config_, {4711, true, false, ""}, "any"));
  }

  void both_services_must_be_granted_and_agree() {
    CPPUNIT_ASSERT(service_allowed({}, "", "").ok());
    CPPUNIT_ASSERT(service_allowed({"a"}, "", "a").ok());
    CPPUNIT_ASSERT(service_allowed({"a"}, "a", "").ok());
    CPPUNIT_ASSERT(service_allowed({"a"}, "a", "a").ok());
    CPPUNIT_ASSERT(!service_allowed({}, "", "a").ok());
    CPPUNIT_ASSERT(!service_allowed({}, "a", "").ok());
    CPPUNIT_ASSERT(!service_allowed({"a"}, "a", "b").ok());
    CPPUNIT_ASSERT(!service_allowed({"a", "b"}, "a", "b").ok());
  }

  void a_peer_that_ike_did_not_authenticate_has_no_name() {
    channel::Assertion said;
    said.anonymous = false;
    said.user = "alice";
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    CPPUNIT_ASSERT(name_of(peer, said).kind == Name::Kind::user);
    said.privileged = true;
    CPPUNIT_ASSERT(name_of(peer, said).kind == Name::Kind::host);
    peer.remote_fixed = false;
    CPPUNIT_ASSERT(name_of(peer, said).kind == Name::Kind::anonymous);
    peer.remote_fixed = true;
    said.anonymous = true;
    CPPUNIT_ASSERT(name_of(peer, said).kind == Name::Kind::anonymous);
  }

  void a_psk_names_a_peer_only_by_a_line_for_it() {
    ike::Snapshot snapshot;
    const channel::SaId id = esp_sa(1, "10.1.0.1", "10.1.0.2").id;
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    peer.remote_method = channel::AuthMethod::psk_group;
    const auto with = [&](const char* connection, const char* holder) {
      snapshot.peers[id] = peer;
      apply_psk_rules({{connection, *channel::parse_identity(holder)}}, snapshot);
      return snapshot.peers[id].authenticated();
    };
    CPPUNIT_ASSERT(with("net", "fqdn:b.example.org"));
    CPPUNIT_ASSERT(!with("other", "fqdn:b.example.org"));
    CPPUNIT_ASSERT(!with("net", "fqdn:c.example.org"));
    CPPUNIT_ASSERT(!with("net", "rfc822:b.example.org@x"));
    peer.remote_method = channel::AuthMethod::null_auth;
    CPPUNIT_ASSERT(!with("net", "fqdn:b.example.org"));
  }

  void credentials_of_connection_and_request_must_agree() {
    const Credentials one{10, 1000, 100};
    CPPUNIT_ASSERT(same_caller(one, one).ok());
    CPPUNIT_ASSERT(same_caller(one, {10, 1000, 5}).ok());
    CPPUNIT_ASSERT(same_caller(one, {10, 0, 100}).error().code == Code::CREDENTIALS_CHANGED);
    CPPUNIT_ASSERT(same_caller({10, 0, 0}, {10, 1000, 0}).error().code == Code::CREDENTIALS_CHANGED);
    CPPUNIT_ASSERT(same_caller(one, {11, 1000, 100}).error().code == Code::CREDENTIALS_CHANGED);
  }

  void user_names_are_cached_for_a_minute() {
    const auto host = std::make_shared<StandHost>();
    Names names(host, 65534);
    const Time now = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(std::string("alice"), names.caller(1000, now).user);
    CPPUNIT_ASSERT_EQUAL(1, host->names_asked);
    host->users[1000] = "alicia";
    CPPUNIT_ASSERT_EQUAL(std::string("alicia"), names.caller(1000, now + std::chrono::seconds(61)).user);
  }

  void the_overflow_uid_is_nobody() {
    const auto host = std::make_shared<StandHost>();
    host->users[65534] = "nobody";
    Names names(host, 65534);
    CPPUNIT_ASSERT(names.caller(65534, Clock::now()).anonymous);
    CPPUNIT_ASSERT(names.caller(65534, Clock::now()).user.empty());
    CPPUNIT_ASSERT(!names.caller(65534, Clock::now()).privileged);
    CPPUNIT_ASSERT(names.caller(0, Clock::now()).privileged);
    CPPUNIT_ASSERT(!names.caller(0, Clock::now()).anonymous);
  }

  void options_are_read_strictly() {
    const auto check = parse_options({"--check", "x.conf"});
    CPPUNIT_ASSERT(check->act == Options::Act::check && check->config == "x.conf");
    CPPUNIT_ASSERT(parse_options({"--check"})->act == Options::Act::check);
    CPPUNIT_ASSERT(!parse_options({"--check"})->config);
    CPPUNIT_ASSERT(parse_options({"--check=y"})->config == "y");
    const auto serve = parse_options({"--config=c", "--socket", "/s", "--foreground"});
    CPPUNIT_ASSERT(serve->act == Options::Act::serve && serve->config == "c" && serve->socket == "/s");
    CPPUNIT_ASSERT(parse_options({"--help"})->act == Options::Act::help);
    CPPUNIT_ASSERT(parse_options({"--version"})->act == Options::Act::version);
    for (const std::vector<std::string>& bad : {std::vector<std::string>{"--sock", "x"}, {"--config"}, {"x"}, {"--socket"}})
      CPPUNIT_ASSERT(parse_options(bad).error().code == Code::BAD_ARGUMENT);
  }

 private:
  std::vector<std::string> granted(const Caller& caller, std::uint16_t port, const std::vector<std::string>& asked) {
    return granted_services(config_, caller, port, asked);
  }

  Config config_ = [] {
    Config config;
    config.services = {{"postgres", "postgres", 5432}, {"postgres", "db", 5432}, {"www-data", "HTTP", 80}};
    return config;
  }();
};

CPPUNIT_TEST_SUITE_REGISTRATION(AccessTest);

}  // namespace
}  // namespace gssipsec::broker::testing
