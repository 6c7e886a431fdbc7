// SPDX-License-Identifier: MIT
// Questions while the mirror is stale, answered from the kernel: what it has, and never more than it has.
#include "broker/ask_kernel.h"

#include <cppunit/extensions/HelperMacros.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <cstring>

#include "tests/support/generated_netlink.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using protocol::Report;
using support::GeneratedKernel;

// Another kernel answers from the n-th request of a type on: it changed meanwhile.
class ChangingPort final : public kernel::NetlinkPort {
 public:
  ChangingPort(const GeneratedKernel& before, const GeneratedKernel& after, std::uint16_t type, int which)
      : before_(before.port()), after_(after.port()), asked_(before_.get()), type_(type), which_(which) {}
  base::Status send(base::View datagram) override {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_type == type_ && --which_ == 0) asked_ = after_.get();
    return asked_->send(datagram);
  }
  base::Result<base::Bytes> receive() override { return asked_->receive(); }
  int fd() const noexcept override { return -1; }

 private:
  std::unique_ptr<kernel::NetlinkPort> before_, after_;
  kernel::NetlinkPort* asked_;
  std::uint16_t type_;
  int which_;
};

class AskKernelTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AskKernelTest);
  CPPUNIT_TEST(a_question_is_answered_from_the_kernel);
  CPPUNIT_TEST(what_the_kernel_has_no_more_does_not_count);
  CPPUNIT_TEST(a_fresh_mirror_answers_itself);
  CPPUNIT_TEST(what_a_source_said_counts_for_sas_that_it_has_seen);
  CPPUNIT_TEST(nothing_is_said_of_the_time_before);
  CPPUNIT_TEST(too_many_are_not_read);
  CPPUNIT_TEST(policies_that_change_meanwhile_are_no_answer);
  CPPUNIT_TEST(a_failed_port_is_not_used_again);
  CPPUNIT_TEST(a_latch_waits_for_the_mirror);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_.host->make_request_port = [this] { return kernel_.port(); };
    end_.caller = end_.core->names.caller(0, Clock::now());
    end_.host->socket.flow = flow_;
    mirror(kernel_);
    end_.core->board.set_stale();
  }

  void a_question_is_answered_from_the_kernel() {
    const Report report = question();
    CPPUNIT_ASSERT(report.is_protected && report.out.is_protected && report.in.is_protected);
    CPPUNIT_ASSERT(end_.core->metrics.kernel_asked.load() > 0);
  }

  void what_the_kernel_has_no_more_does_not_count() {
    kernel_ = GeneratedKernel(2, 10);  // not the SAs of flow_
    Report report = question();
    CPPUNIT_ASSERT(!report.is_protected && report.why == base::Code::NO_SA);
    kernel_ = GeneratedKernel(10, 2);  // nor its policies
    report = question();
    CPPUNIT_ASSERT(!report.is_protected && report.why == base::Code::NO_POLICY);
  }

  void a_fresh_mirror_answers_itself() {
    mirror(kernel_);
    kernel_ = GeneratedKernel(0, 0);
    CPPUNIT_ASSERT(question().is_protected);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, end_.core->metrics.kernel_asked.load());
  }

  void what_a_source_said_counts_for_sas_that_it_has_seen() {
    ike::Snapshot snapshot;
    end_.core->board.read([&](const kernel::Tables& tables) { tables.sad.each([&](const channel::SadIndex::Held& held) { snapshot.peers[held.sa.id] = certified("fqdn:a.example.org", "fqdn:b.example.org"); }); });
    end_.core->board.publish_sources({{"vici", true, 1, 1, std::make_shared<const ike::Snapshot>(snapshot)}});
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:b.example.org"), question().peer_id);
    end_.core->board.edit([](kernel::Tables& known, std::uint64_t epoch) {
      known.sad.each([](const channel::SadIndex::Held& held) { ++const_cast<channel::SadIndex::Held&>(held).sa.added; });
      return epoch;
    });
    CPPUNIT_ASSERT(nobody_knows_the_peer());  // others had these names
    mirror(GeneratedKernel(2, 10));
    end_.core->board.set_stale();
    CPPUNIT_ASSERT(nobody_knows_the_peer());  // nobody had them
  }

  void nothing_is_said_of_the_time_before() {
    mirror(kernel_);
    CPPUNIT_ASSERT(of_socket().since_start);
    end_.core->board.set_stale();
    const Report report = of_socket();
    CPPUNIT_ASSERT(report.is_protected && !report.since_start);
  }

  void too_many_are_not_read() {
    kernel_ = GeneratedKernel(250, 250);
    CPPUNIT_ASSERT(ask_kernel(end_.core->board, *end_.bench, flow_).has_value());
    kernel_ = GeneratedKernel(251, 250);
    CPPUNIT_ASSERT(!ask_kernel(end_.core->board, *end_.bench, flow_));
    CPPUNIT_ASSERT(question().why == base::Code::UNKNOWN);
  }

  void policies_that_change_meanwhile_are_no_answer() {
    const GeneratedKernel after(10, 2);
    for (const std::uint16_t when : {XFRM_MSG_GETSA, XFRM_MSG_GETPOLICY}) {
      end_.host->make_request_port = [&, when] { return std::make_unique<ChangingPort>(kernel_, after, when, when == XFRM_MSG_GETSA ? 1 : 2); };
      CPPUNIT_ASSERT(!ask_kernel(end_.core->board, *end_.bench, flow_));
    }
  }

  void a_failed_port_is_not_used_again() {
    const GeneratedKernel nothing(0, 0);
    int opened = 0;
    end_.host->make_request_port = [&] {
      ++opened;
      return std::make_unique<ChangingPort>(kernel_, nothing, XFRM_MSG_GETSA, 1);
    };
    for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT(!ask_kernel(end_.core->board, *end_.bench, flow_));
    CPPUNIT_ASSERT_EQUAL(2, opened);
  }

  void a_latch_waits_for_the_mirror() {
    const auto body = encode(protocol::LatchRequest{});
    CPPUNIT_ASSERT(handle_latch(*end_.core, end_.request(body)).error().code == base::Code::UNKNOWN);
    CPPUNIT_ASSERT_EQUAL(0, end_.host->latches_set);
  }

 private:
  [[nodiscard]] bool nobody_knows_the_peer() {
    const Report report = question();
    return report.is_protected && report.peer_id.empty() && !report.peer_authenticated;
  }
  // What this kernel has is on the board.
  void mirror(const GeneratedKernel& kernel) {
    const auto port = kernel.port();
    put_on(end_.core->board, *kernel::dump(*port), [](const channel::Sa&) { return channel::Arrival{1, Clock::now()}; }, end_.core->history.epoch());
    end_.core->board.publish(true, 1);
  }
  [[nodiscard]] Report question() {
    const auto answer = handle_query_flow(*end_.core, *end_.bench, end_.request(encode(protocol::QueryFlowRequest{flow_}), -1));
    CPPUNIT_ASSERT(answer.ok());
    return *protocol::decode_report(answer->body);
  }
  [[nodiscard]] Report of_socket() {
    const auto body = encode(protocol::QueryRequest{});
    return *protocol::decode_report(handle_query(*end_.core, *end_.bench, end_.request(body))->body);
  }

  const channel::Flow flow_ = GeneratedKernel::flow(4);
  GeneratedKernel kernel_{10, 10};
  End end_{true};
};

CPPUNIT_TEST_SUITE_REGISTRATION(AskKernelTest);

}  // namespace
}  // namespace gssipsec::broker::testing
