// SPDX-License-Identifier: MIT
// Who may do what; the figures.
#include "broker/rights.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "broker/metrics.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Verb;

class RightsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RightsTest);
  CPPUNIT_TEST(by_default_a_socket_is_enough_and_the_rest_is_roots);
  CPPUNIT_TEST(users_and_groups_by_number);
  CPPUNIT_TEST(names_are_looked_up_and_unknown_ones_grant_nothing);
  CPPUNIT_TEST(an_empty_list_leaves_root);
  CPPUNIT_TEST(verbs_need_what_they_do);
  CPPUNIT_TEST(figures_are_prometheus_text);
  CPPUNIT_TEST(policies_are_counted_by_what_they_do);
  CPPUNIT_TEST(the_file_of_figures_is_replaced_whole);
  CPPUNIT_TEST_SUITE_END();

 public:
  void by_default_a_socket_is_enough_and_the_rest_is_roots() {
    std::vector<std::string> unknown;
    for (const Rights& rights : {Rights(), resolve_rights(default_access(), unknown)}) {
      for (const Action action : {Action::query, Action::latch, Action::subscribe}) CPPUNIT_ASSERT(rights.allows(action, 1000, {}));
      for (const Action action : {Action::subscribe_all, Action::metrics}) {
        CPPUNIT_ASSERT(!rights.allows(action, 1000, {}));
        CPPUNIT_ASSERT(rights.allows(action, 0, {}));
      }
    }
  }

  void users_and_groups_by_number() {
    std::array<Grant, kActions> grants;
    grants[static_cast<std::size_t>(Action::metrics)] = {false, {1000}, {50}};
    const Rights rights(grants);
    const std::uint32_t in[] = {7, 50}, out[] = {7, 1000};
    CPPUNIT_ASSERT(rights.allows(Action::metrics, 1000, {}));
    CPPUNIT_ASSERT(rights.allows(Action::metrics, 1001, in));
    CPPUNIT_ASSERT(!rights.allows(Action::metrics, 1001, out));
    CPPUNIT_ASSERT(!rights.allows(Action::metrics, 50, {}));
    CPPUNIT_ASSERT(!rights.allows(Action::query, 1000, in));
  }

  void names_are_looked_up_and_unknown_ones_grant_nothing() {
    Access access;
    access[static_cast<std::size_t>(Action::metrics)] = {"root", "@root", "no-such-user-here", "@no-such-group-here"};
    std::vector<std::string> unknown;
    const Rights rights = resolve_rights(access, unknown);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, unknown.size());
    const std::uint32_t wheel[] = {0};
    CPPUNIT_ASSERT(rights.allows(Action::metrics, 1000, wheel));
    CPPUNIT_ASSERT(!rights.allows(Action::metrics, 1000, {}));
    CPPUNIT_ASSERT(!rights.allows(Action::metrics, ~0U, {}));
  }

  void an_empty_list_leaves_root() {
    std::vector<std::string> unknown;
    const Rights rights = resolve_rights(Access(), unknown);
    CPPUNIT_ASSERT(!rights.allows(Action::query, 1000, {}));
    CPPUNIT_ASSERT(rights.allows(Action::query, 0, {}));
  }

  void verbs_need_what_they_do() {
    const Rights nothing{std::array<Grant, kActions>()};
    for (const Verb verb : {Verb::query, Verb::query_flow, Verb::explain, Verb::initiate, Verb::accept, Verb::check, Verb::latch, Verb::bind, Verb::binding, Verb::bound, Verb::survey, Verb::unlatch, Verb::require, Verb::endpoint, Verb::resolve, Verb::locators, Verb::metrics})
      CPPUNIT_ASSERT(may_ask(nothing, verb, 1000, {}).error().code == Code::NOT_ALLOWED);
    for (const Verb verb : {Verb::hello, Verb::release, Verb::probe, Verb::localname, Verb::unsubscribe})
      CPPUNIT_ASSERT(may_ask(nothing, verb, 1000, {}).ok());
    CPPUNIT_ASSERT(may_ask(nothing, Verb::metrics, 0, {}).ok());
  }

  void figures_are_prometheus_text() {
    Metrics metrics;
    metrics.count(Verb::query, Code::ok);
    metrics.count(Verb::query, Code::NO_SOCKET);
    metrics.clients = 3;
    SourceState source;
    source.name = "vici", source.healthy = true;
    const std::string text = render(metrics, 5000000000, {source});
    for (const char* line : {"\nipsec_gssd_requests_total{verb=\"query\",outcome=\"ok\"} 1\n", "\nipsec_gssd_requests_total{verb=\"query\",outcome=\"error\"} 1\n",
                             "\n# TYPE ipsec_gssd_clients gauge\n", "\nipsec_gssd_clients 3\n", "\nipsec_gssd_ike_source_up{source=\"vici\"} 1\n",
                             "\nipsec_gssd_requests_total{verb=\"explain\",outcome=\"ok\"} 0\n", "\nipsec_gssd_start_time_seconds 5\n"})
      CPPUNIT_ASSERT_MESSAGE(line + text, text.find(line) != std::string::npos);
    CPPUNIT_ASSERT(protocol::decode_metrics_reply(encode(protocol::MetricsReply{text})).ok());
  }

  void policies_are_counted_by_what_they_do() {
    channel::SpdIndex spd;
    channel::Policy policy;
    policy.index = 1, policy.templates = {channel::Template{}};
    policy.templates[0].reqid = 7;
    spd.put(policy);
    policy.index = 2, policy.templates.push_back(channel::Template{});
    spd.put(policy);
    policy.index = 3, policy.templates.clear(), policy.action = channel::Action::block;
    spd.put(policy);
    Metrics metrics;
    count_policies(spd, metrics);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, metrics.policies.load());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, metrics.policies_blocking.load());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, metrics.policies_without_reqid.load());
  }

  void the_file_of_figures_is_replaced_whole() {
    char folder[] = "/tmp/figures-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(folder));
    const std::string path = std::string(folder) + "/figures.prom", trap = std::string(folder) + "/target";
    std::ofstream(trap) << "precious";
    CPPUNIT_ASSERT_EQUAL(0, symlink(trap.c_str(), (path + ".new").c_str()));
    CPPUNIT_ASSERT(write_file(path, "a 1\n").ok());
    CPPUNIT_ASSERT(write_file(path, "a 2\n").ok());
    CPPUNIT_ASSERT_EQUAL(std::string("a 2\n"), contents(path));
    CPPUNIT_ASSERT_EQUAL(std::string("precious"), contents(trap));
    struct stat about {};
    CPPUNIT_ASSERT(stat(path.c_str(), &about) == 0 && (about.st_mode & 0777) == 0644);
    CPPUNIT_ASSERT(access((path + ".new").c_str(), F_OK) != 0);
    CPPUNIT_ASSERT(!write_file(std::string(folder) + "/absent/figures", "a").ok());
    for (const std::string& file : {path, trap}) unlink(file.c_str());
    rmdir(folder);
  }

 private:
  static std::string contents(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RightsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
