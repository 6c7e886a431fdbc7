// SPDX-License-Identifier: MIT
// ipsec-gss watch and explain against a broker that says what the test wants.
#include "tools/watch.h"

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/child.h"
#include "tests/support/fake_broker.h"
#include "tests/unit/tools/text.h"
#include "tools/explain.h"
#include "tools/render.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using protocol::EventType;
using protocol::Verb;
using tests::FakeBroker;
using tests::FakeRequest;

protocol::Event an_event(EventType type) {
  protocol::Event event;
  event.type = type;
  event.subscription = 1;
  event.when = 1234567890123456789;
  event.cookie = 77;
  event.flow = *parse_flow("tcp", "10.1.0.1:40000", "10.1.0.2:22");
  event.peer = "fqdn:b.example";
  return event;
}

void say(const FakeRequest& request, const protocol::Event& event) {
  FakeBroker::send(request.socket, encode(protocol::Header{protocol::kVersion, Verb::event, 2, Code::ok}, encode(event)));
}

class WatchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WatchTest);
  CPPUNIT_TEST(events_are_lines);
  CPPUNIT_TEST(a_line_is_one_line_whatever_the_peer_is_called);
  CPPUNIT_TEST(json_lines_have_the_same_facts);
  CPPUNIT_TEST(the_end_of_the_broker_is_an_error_after_the_last_line);
  CPPUNIT_TEST(a_signal_ends_it_well);
  CPPUNIT_TEST(a_reader_who_went_away_ends_it_well);
  CPPUNIT_TEST(the_end_of_the_process_ends_it_well);
  CPPUNIT_TEST(no_copy_of_a_watched_socket_is_kept);
  CPPUNIT_TEST(a_refusal_is_told);
  CPPUNIT_TEST(explanations_show_their_steps);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    FakeBroker::Options options;
    options.handler = [this](FakeBroker& broker, FakeRequest& request) {
      if (request.frame.header.verb == Verb::subscribe && refuses_) {
        FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(Code::NOT_ALLOWED)));
        return;
      }
      broker.obey(request);
      if (request.frame.header.verb != Verb::subscribe) return;
      for (int i = 0; i < events_; ++i) say(request, an_event(EventType::rekeyed));
      if (hangs_up_) FakeBroker::hang_up(request);
    };
    broker_ = std::make_unique<FakeBroker>(options);
    output_.clear();
    sigprocmask(SIG_SETMASK, nullptr, &mask_);
  }
  void tearDown() override {
    broker_.reset();
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

  void events_are_lines() {
    CPPUNIT_ASSERT_EQUAL(std::string("2009-02-13T23:31:30.123456789Z rekeyed descriptor 5, tcp 10.1.0.1:40000 > 10.1.0.2:22, peer fqdn:b.example [esp 0x1 > 10.1.0.2]\n"),
                         as_text(Watched{5, with_sa(an_event(EventType::rekeyed))}));
    protocol::Event lost;
    lost.code = Code::LIMIT, lost.missing = 12;
    CPPUNIT_ASSERT(has(as_text(Watched{-1, lost}), "lost: ") && has(as_text(Watched{-1, lost}), "(12 events)"));
    CPPUNIT_ASSERT(has(as_text(Watched{-1, an_event(EventType::expiring)}), "expiring the namespace, "));
    protocol::Event unprotected = an_event(EventType::protection);
    CPPUNIT_ASSERT(has(as_text(Watched{5, unprotected}), ": protected\n"));
    unprotected.code = Code::NO_POLICY;
    CPPUNIT_ASSERT(has(as_text(Watched{5, unprotected}), base::code_text(Code::NO_POLICY)));
    CPPUNIT_ASSERT_EQUAL(std::string("watching descriptor 5: protected\n"), as_text(Watching{5, {1, 77, true}}));
    CPPUNIT_ASSERT_EQUAL(std::string("watching the namespace\n"), as_text(Watching{-1, {1, 0, false}}));
  }

  void a_line_is_one_line_whatever_the_peer_is_called() {
    protocol::Event event = an_event(EventType::rekeyed);
    event.peer = "dn:CN=x\n2009 latch-restored\x1b[2J";
    const std::string text = as_text(Watched{5, event});
    CPPUNIT_ASSERT_EQUAL(text.size() - 1, text.find('\n'));
    CPPUNIT_ASSERT(text.find('\x1b') == std::string::npos);
  }

  void json_lines_have_the_same_facts() {
    const std::string text = as_json(Watched{5, with_sa(an_event(EventType::rekeyed))});
    CPPUNIT_ASSERT(has(text, R"({"event":"rekeyed","subscription":1,"time":"2009-02-13T23:31:30.123456789Z","descriptor":5,"cookie":77,"flow":{"protocol":6,)"));
    CPPUNIT_ASSERT(has(text, R"("peer":"fqdn:b.example","why":null,"detail":"","sas":["esp 0x1 > 10.1.0.2"]})"));
    CPPUNIT_ASSERT_EQUAL(text.size() - 1, text.find('\n'));
    protocol::Event lost;
    lost.code = Code::LIMIT, lost.missing = 12;
    CPPUNIT_ASSERT(has(as_json(Watched{-1, lost}), R"("flow":null)") && has(as_json(Watched{-1, lost}), R"("missing":12)"));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"event\":\"subscribed\",\"subscription\":3,\"descriptor\":5,\"cookie\":77,\"protected\":true}\n"), as_json(Watching{5, {3, 77, true}}));
    CPPUNIT_ASSERT(has(as_json(Watching{-1, {3, 0, false}}), R"("protected":null)"));
  }

  void the_end_of_the_broker_is_an_error_after_the_last_line() {
    events_ = 3, hangs_up_ = true;
    Watch watch = opened();
    CPPUNIT_ASSERT(watch.add_all().ok());
    const base::Status ended = watch.run();
    CPPUNIT_ASSERT(!ended.ok() && ended.error().code == Code::NO_BROKER);
    CPPUNIT_ASSERT_EQUAL(3, count("rekeyed"));
  }

  void a_signal_ends_it_well() {
    for (const int number : {SIGINT, SIGTERM})
      tests::in_child([this, number] {  // which has one thread
        Watch watch = opened();
        CPPUNIT_ASSERT(watch.add_all().ok());
        kill(getpid(), number);  // blocked by now: waits in the descriptor
        CPPUNIT_ASSERT(watch.run().ok());
      });
  }

  void a_reader_who_went_away_ends_it_well() {
    events_ = 3;
    Watch watch = *Watch::open(false, [this](const std::string& text) {
      output_ += text;
      return count("rekeyed") < 2;
    });
    CPPUNIT_ASSERT(watch.add_all().ok());
    CPPUNIT_ASSERT(watch.run().ok());
    CPPUNIT_ASSERT_EQUAL(2, count("rekeyed"));
  }

  void the_end_of_the_process_ends_it_well() {
    const pid_t child = with_connection();
    Watch watch = opened();
    CPPUNIT_ASSERT(watch.add_process(child).ok() && !watch.empty());
    kill(child, SIGKILL);
    CPPUNIT_ASSERT(watch.run().ok());
    waitpid(child, nullptr, 0);
    CPPUNIT_ASSERT(Watch(opened()).add_process(child).error().code == Code::BAD_ARGUMENT);
  }

  // A copy would keep the process's FIN from being sent.
  void no_copy_of_a_watched_socket_is_kept() {
    const pid_t child = with_connection();
    Watch watch = opened();
    CPPUNIT_ASSERT(watch.add_process(child).ok());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    char octet = 0;
    CPPUNIT_ASSERT_EQUAL(ssize_t{0}, recv(other_end_.get(), &octet, 1, 0));
  }

  void a_refusal_is_told() {
    refuses_ = true;
    Watch watch = opened();
    CPPUNIT_ASSERT(watch.add_all().error().code == Code::NOT_ALLOWED);
    const pid_t child = with_connection();
    CPPUNIT_ASSERT(watch.add_process(child).error().code == Code::NOT_ALLOWED);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  void explanations_show_their_steps() {
    const protocol::ExplainReply reply{true, "1. the connection\n   - a detail\n"};
    CPPUNIT_ASSERT_EQUAL(std::string("descriptor 5\n1. the connection\n   - a detail\n"), as_text({Explained{5, reply}}));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"sockets\":[{\"descriptor\":5,\"protected\":true,\"why_not\":null,\"steps\":[\"1. the connection\",\"   - a detail\"]}]}\n"),
                         as_json({Explained{5, reply}}));
    const Explained refused{5, base::fail(Code::NOT_ALLOWED)};
    CPPUNIT_ASSERT(has(as_json({refused}), R"("protected":false,"why_not":{"code":"GSS_IPSEC_E_NOT_ALLOWED")") && has(as_text({refused}), "not explained"));
    CPPUNIT_ASSERT_EQUAL(kProtected, exit_code({Explained{5, reply}}));
    CPPUNIT_ASSERT_EQUAL(kNotProtected, exit_code({Explained{5, reply}, Explained{6, protocol::ExplainReply{}}}));
    CPPUNIT_ASSERT_EQUAL(kOther, exit_code({refused}));
    const pid_t child = with_connection();
    const auto answers = explain_process(child);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CPPUNIT_ASSERT(answers.ok() && answers->size() == 1 && answers->front().descriptor == kConnection && answers->front().reply.ok());
  }

 private:
  static constexpr int kConnection = 40;

  static protocol::Event with_sa(protocol::Event event) {
    event.sas = {"esp 0x1 > 10.1.0.2"};
    return event;
  }
  Watch opened() {
    auto watch = Watch::open(false, [this](const std::string& text) { return output_ += text, true; });
    CPPUNIT_ASSERT(watch.ok());
    return *std::move(watch);
  }
  [[nodiscard]] int count(const std::string& word) const {
    int found = 0;
    for (std::size_t at = output_.find(word); at != std::string::npos; at = output_.find(word, at + 1)) ++found;
    return found;
  }
  // A process that holds one end of a connection, as descriptor kConnection.
  pid_t with_connection() {
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CPPUNIT_ASSERT(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener.get(), 1) == 0);
    getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    CPPUNIT_ASSERT_EQUAL(0, connect(client.get(), reinterpret_cast<sockaddr*>(&address), size));
    other_end_.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval patience{5, 0};
    setsockopt(other_end_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int ready[2];
    CPPUNIT_ASSERT_EQUAL(0, pipe2(ready, O_CLOEXEC));
    const pid_t child = fork();
    if (child == 0) {
      dup2(client.get(), kConnection);
      for (int fd = 3; fd < 1024; ++fd)
        if (fd != kConnection && fd != ready[1]) close(fd);
      [[maybe_unused]] const ssize_t written = write(ready[1], "r", 1);
      for (;;) pause();
    }
    char octet = 0;
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, read(ready[0], &octet, 1));
    close(ready[0]);
    close(ready[1]);
    return child;
  }

  std::unique_ptr<FakeBroker> broker_;
  std::string output_;
  base::UniqueFd other_end_;
  sigset_t mask_{};
  std::atomic<int> events_{0};
  std::atomic<bool> hangs_up_{false}, refuses_{false};
};

CPPUNIT_TEST_SUITE_REGISTRATION(WatchTest);

}  // namespace
}  // namespace gssipsec::tools
