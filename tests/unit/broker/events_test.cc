// SPDX-License-Identifier: MIT
// Events through the whole broker: from what its monitor hears to what subscribers read; slow and hostile ones; a new
// configuration.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "client/broker.h"
#include "tests/support/child.h"
#include "tests/unit/broker/broker_process.h"

namespace gssipsec::broker::testing {
namespace {

using protocol::Event;
using protocol::EventType;
using protocol::Scope;
using std::chrono::milliseconds;

template <typename Payload>
base::Bytes netlink_message(std::uint16_t type, const Payload& payload) {
  base::Bytes out(NLMSG_SPACE(sizeof payload));
  const nlmsghdr header{NLMSG_LENGTH(sizeof payload), type, 0, 0, 0};
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + NLMSG_HDRLEN, &payload, sizeof payload);
  return out;
}

base::Bytes expire_message(std::uint32_t spi) {
  xfrm_user_expire expire{};
  expire.state.family = AF_INET;
  expire.state.id.spi = htonl(spi);
  expire.state.id.proto = IPPROTO_ESP;
  expire.state.id.daddr.a4 = htonl(0x0a010002);
  return netlink_message(XFRM_MSG_EXPIRE, expire);
}

class EventsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventsTest);
  CPPUNIT_TEST(what_the_kernel_says_arrives);
  CPPUNIT_TEST(the_answer_comes_before_the_first_event);
  CPPUNIT_TEST(a_slow_reader_loses_with_notice_and_others_nothing);
  CPPUNIT_TEST(lost_messages_of_the_kernel_are_told);
  CPPUNIT_TEST(the_namespace_is_for_those_who_may);
  CPPUNIT_TEST(a_reload_takes_the_namespace_from_those_who_may_no_more);
  CPPUNIT_TEST(a_broken_configuration_changes_nothing);
  CPPUNIT_TEST(a_reload_tells_programs_on_their_pages);
  CPPUNIT_TEST(a_reload_that_hangs_stops_nobody);
  CPPUNIT_TEST(subscriptions_of_a_user_are_limited_and_freed);
  CPPUNIT_TEST(figures_are_for_those_who_may_and_in_the_file);
  CPPUNIT_TEST(explain_tells_the_steps);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    char name[] = "/tmp/gssd-test-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/run/gssd.sock";
    int pair[2];
    CPPUNIT_ASSERT_EQUAL(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
    mouth_.reset(pair[0]);
    ear_.reset(pair[1]);
    config_.metrics_file = directory_ + "/figures.prom";
    config_.metrics_interval = 1;
    // Shared with the broker's process: which configuration the next reload reads.
    choice_ = static_cast<std::atomic<int>*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    *choice_ = 0;
  }

  void tearDown() override {
    broker_.reset();
    munmap(choice_, 4096);
    for (const char* file : {"/run/gssd.sock", "/figures.prom", "/figures.prom.new"}) unlink((directory_ + file).c_str());
    rmdir((directory_ + "/run").c_str());
    rmdir(directory_.c_str());
  }

  void what_the_kernel_says_arrives() {
    start();
    Client all(path_);
    subscribe(all, Scope::all);
    say(expire_message(0x100));
    const Event event = next(all);
    CPPUNIT_ASSERT(event.type == EventType::expiring);
    CPPUNIT_ASSERT_EQUAL(1U, event.subscription);
    CPPUNIT_ASSERT_EQUAL(getuid() == 0, !event.sas.empty());
    xfrm_user_mapping mapping{};
    mapping.id.family = AF_INET;
    mapping.id.proto = IPPROTO_ESP;
    say(netlink_message(XFRM_MSG_MAPPING, mapping));
    CPPUNIT_ASSERT(next(all).type == EventType::nat_mapping);
  }

  void the_answer_comes_before_the_first_event() {
    start();
    for (int i = 0; i < 50; ++i) {
      Client all(path_);
      CPPUNIT_ASSERT(all.hello() == Code::ok);
      all.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}));
      say(expire_message(static_cast<std::uint32_t>(i)));
      CPPUNIT_ASSERT(all.receive()->header.verb == Verb::subscribe);
    }
  }

  void a_slow_reader_loses_with_notice_and_others_nothing() {
    config_.events_queued = 16;
    start();
    Client slow(path_), quick(path_);
    subscribe(slow, Scope::all);
    subscribe(quick, Scope::all);
    constexpr std::uint32_t kMany = 1500;
    for (std::uint32_t i = 0; i < kMany; ++i) {
      say(expire_message(i + 1));
      CPPUNIT_ASSERT(next(quick).type == EventType::expiring);
    }
    std::uint32_t got = 0, missing = 0;
    while (got + missing < kMany) {
      const Event event = next(slow);
      if (event.type == EventType::lost) missing += event.missing;
      else ++got;
    }
    CPPUNIT_ASSERT_EQUAL(kMany, got + missing);
    CPPUNIT_ASSERT(missing > 0 && got > 16);
    say(expire_message(1));
    CPPUNIT_ASSERT(next(slow).type == EventType::expiring);
  }

  void lost_messages_of_the_kernel_are_told() {
    start();
    Client socket(path_);
    subscribe(socket, Scope::socket, STDIN_FILENO);
    say(base::Bytes(1));
    const Event event = next(socket);
    CPPUNIT_ASSERT(event.type == EventType::lost);
    CPPUNIT_ASSERT_EQUAL(0U, event.missing);
    CPPUNIT_ASSERT(event.code == Code::NETLINK_LOST);
  }

  void the_namespace_is_for_those_who_may() {
    start();
    Client client(path_);
    CPPUNIT_ASSERT(client.hello() == Code::ok);
    client.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}), STDIN_FILENO);
    CPPUNIT_ASSERT(client.status() == Code::BAD_MESSAGE);
    client.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::socket}));
    CPPUNIT_ASSERT(client.status() == Code::NO_SOCKET);
    client.send(Verb::event, encode(Event{}));
    CPPUNIT_ASSERT(client.status() == Code::BAD_MESSAGE);
    client.send(Verb::unsubscribe, encode(protocol::UnsubscribeRequest{1}));
    CPPUNIT_ASSERT(client.status() == Code::BAD_ARGUMENT);
    as_nobody([this] {
      Client other(path_);
      CPPUNIT_ASSERT(other.hello() == Code::ok);
      other.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}));
      CPPUNIT_ASSERT(other.status() == Code::NOT_ALLOWED);
      other.send(Verb::metrics, {});
      CPPUNIT_ASSERT(other.status() == Code::NOT_ALLOWED);
      CPPUNIT_ASSERT(other.query(STDIN_FILENO) == Code::ok);
    });
  }

  void a_reload_takes_the_namespace_from_those_who_may_no_more() {
    if (getuid() != 0) return;
    let(kStranger);
    start();
    std::thread soon_after([this] {
      usleep(300000);
      reload(kDefaults);
    });
    as_nobody([this] {
      Client listener(path_);
      subscribe(listener, Scope::all);
      const auto begun = Clock::now();
      CPPUNIT_ASSERT(!listener.receive().ok());
      CPPUNIT_ASSERT(Clock::now() - begun < milliseconds(3000));  // ended, not waited for in vain
      Client again(path_);
      CPPUNIT_ASSERT(again.hello() == Code::ok);
      again.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}));
      CPPUNIT_ASSERT(again.status() == Code::NOT_ALLOWED);
    });
    soon_after.join();
    Client root(path_);
    subscribe(root, Scope::all);
  }

  void a_broken_configuration_changes_nothing() {
    if (getuid() != 0) return;
    let(kStranger);
    start();
    reload(kBroken);
    CPPUNIT_ASSERT(soon([this] { return figure("reloads_failed_total") == 1; }));
    as_nobody([this] {
      Client listener(path_);
      subscribe(listener, Scope::all);
    });
    CPPUNIT_ASSERT_EQUAL(0L, figure("reloads_total"));
  }

  // Without a request.
  void a_reload_tells_programs_on_their_pages() {
    if (getuid() != 0) return;
    ProgramRule rule;
    rule.path = std::filesystem::read_symlink("/proc/self/exe");
    config_.programs = {rule};
    start();
    tests::in_child([this] {
      setenv("GSS_IPSEC_BROKER", path_.c_str(), 1);
      CPPUNIT_ASSERT(client::Broker::program_policy() == protocol::ProgramPolicy{.min_key_bits = 128});
      usleep(500000);  // until the worker has given the connection back
      reload(kProgram);
      const protocol::ProgramPolicy now{protocol::KerberosUse::skip, true, protocol::Seal::always, 256, true};
      CPPUNIT_ASSERT(soon([&now] { return client::Broker::program_policy() == now; }));
    });
  }

  void a_reload_that_hangs_stops_nobody() {
    start();
    Client all(path_);
    subscribe(all, Scope::all);
    reload(kHangs);
    reload(kHangs);
    Client other(path_);
    CPPUNIT_ASSERT(other.hello() == Code::ok && other.query(STDIN_FILENO) == Code::ok);
    say(expire_message(1));
    CPPUNIT_ASSERT(next(all).type == EventType::expiring);
  }

  void subscriptions_of_a_user_are_limited_and_freed() {
    config_.subscriptions_per_user = 3;
    start();
    auto first = std::make_unique<Client>(path_);
    subscribe(*first, Scope::all);
    subscribe_more(*first, Scope::all);
    Client second(path_);
    subscribe(second, Scope::all);
    second.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}));
    CPPUNIT_ASSERT(second.status() == Code::LIMIT);
    first.reset();
    CPPUNIT_ASSERT(soon([&second] {
      second.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, Scope::all}));
      return second.status() == Code::ok;
    }));
  }

  void figures_are_for_those_who_may_and_in_the_file() {
    start();
    Client client(path_);
    CPPUNIT_ASSERT(client.hello() == Code::ok);
    client.send(Verb::metrics, {});
    const auto frame = client.receive();
    if (getuid() == 0) {
      CPPUNIT_ASSERT(frame->header.status == Code::ok);
      const std::string text = protocol::decode_metrics_reply(frame->body)->text;
      CPPUNIT_ASSERT(text.find("ipsec_gssd_requests_total{verb=\"hello\",outcome=\"ok\"}") != std::string::npos);
    }
    CPPUNIT_ASSERT(soon([this] { return figure("clients") >= 1 && figure("sas") > 0 && figure("mirror_fresh") == 1; }));
  }

  void explain_tells_the_steps() {
    start();
    Client client(path_);
    CPPUNIT_ASSERT(client.hello() == Code::ok);
    client.send(Verb::explain, encode(protocol::ExplainRequest{}), STDIN_FILENO);
    const auto reply = protocol::decode_explain_reply(client.receive()->body);
    CPPUNIT_ASSERT(reply.ok());
    for (const char* part : {"1. the connection", "2. what is sent", "3. what is received", "4. the peer", "5. the latch", "6. so:"})
      CPPUNIT_ASSERT_MESSAGE(reply->steps, reply->steps.find(part) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(getuid() == 0, reply->steps.find("considered:") != std::string::npos);
    as_nobody([this] {
      Client other(path_);
      CPPUNIT_ASSERT(other.hello() == Code::ok);
      other.send(Verb::explain, encode(protocol::ExplainRequest{}), STDIN_FILENO);
      const auto told = protocol::decode_explain_reply(other.receive()->body);
      CPPUNIT_ASSERT(told.ok() && told->steps.find("considered:") == std::string::npos && told->steps.find("esp 0x") == std::string::npos);
      other.send(Verb::explain, encode(protocol::ExplainRequest{protocol::Found::named, flow_of_a(22)}));
      CPPUNIT_ASSERT(other.status() == Code::NOT_ALLOWED);
    });
  }

 private:
  static constexpr uid_t kStranger = 4242;
  static constexpr int kDefaults = 1, kBroken = 2, kHangs = 3, kProgram = 4;

  void let(uid_t uid) {
    std::array<Grant, kActions> grants;
    grants[static_cast<std::size_t>(Action::subscribe_all)].users = {uid};
    config_.rights = Rights(std::move(grants));
  }
  void start() {
    const auto read = [this]() -> base::Result<Config> {
      while (*choice_ == kHangs) pause();
      if (*choice_ == kBroken) return base::fail(Code::BAD_CONFIG, "the test says so");
      Config config = config_;
      config.rights = Rights();
      if (*choice_ == kProgram) {
        ProgramRule& rule = config.programs.at(0);
        rule.kerberos = protocol::KerberosUse::skip, rule.seal = protocol::Seal::always, rule.min_key_bits = 256, rule.acquiring = {WithoutTicket::ipsec, Spnego::ipsec_first};
      }
      return config;
    };
    broker_ = std::make_unique<BrokerProcess>(path_, config_, ear_.get(), read);
    CPPUNIT_ASSERT(soon([this] { return Client(path_).hello() == Code::ok; }));
    chmod(directory_.c_str(), 0755);
  }
  void reload(int choice) {
    *choice_ = choice;
    broker_->signal(SIGHUP);
    usleep(100000);
  }
  void say(const base::Bytes& message) { CPPUNIT_ASSERT(::send(mouth_.get(), message.data(), message.size(), 0) > 0); }

  static void subscribe(Client& client, Scope scope, int fd = -1) {
    CPPUNIT_ASSERT(client.hello() == Code::ok);
    subscribe_more(client, scope, fd);
  }
  static void subscribe_more(Client& client, Scope scope, int fd = -1) {
    client.send(Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, scope}), fd);
    CPPUNIT_ASSERT(client.status() == Code::ok);
  }
  static Event next(Client& client) {
    const auto frame = client.receive();
    CPPUNIT_ASSERT(frame.ok() && frame->header.verb == Verb::event);
    return *protocol::decode_event(frame->body);
  }
  static void as_nobody(const std::function<void()>& body) {
    if (getuid() != 0) return;
    tests::in_child([&body] {
      CPPUNIT_ASSERT(setgroups(0, nullptr) == 0 && setresgid(kStranger, kStranger, kStranger) == 0 && setresuid(kStranger, kStranger, kStranger) == 0);
      body();
    });
  }
  // Of the file; -1 when it is not there.
  [[nodiscard]] long figure(const std::string& name) const {
    std::ifstream in(config_.metrics_file);
    for (std::string line; std::getline(in, line);)
      if (line.starts_with("ipsec_gssd_" + name + " ")) return std::stol(line.substr(line.rfind(' ') + 1));
    return -1;
  }
  template <typename Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 500; ++i, usleep(10000))
      if (condition()) return true;
    return false;
  }

  std::string directory_, path_;
  Config config_;
  base::UniqueFd mouth_, ear_;
  std::atomic<int>* choice_ = nullptr;
  std::unique_ptr<BrokerProcess> broker_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
