// SPDX-License-Identifier: MIT
// News of closed sockets, and what is done where there are none.
#include "broker/closings.h"

#include <cppunit/extensions/HelperMacros.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cstring>
#include <deque>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Bytes;
using base::Code;
using protocol::LatchState;

// What the test says that the kernel says.
struct News final : kernel::NetlinkPort {
  explicit News(std::deque<base::Result<Bytes>>& queue) : queue_(queue) {}
  base::Status send(base::View) override { return {}; }
  base::Result<Bytes> receive() override {
    if (queue_.empty()) return Bytes();
    auto next = std::move(queue_.front());
    queue_.pop_front();
    return next;
  }
  int fd() const noexcept override { return -1; }

 private:
  std::deque<base::Result<Bytes>>& queue_;
};

Bytes closed(std::uint32_t cookie) {
  nlmsghdr header{sizeof(nlmsghdr) + sizeof(inet_diag_msg), SOCK_DIAG_BY_FAMILY, 0, 0, 0};
  inet_diag_msg message{};
  message.idiag_family = AF_INET;
  message.id.idiag_cookie[0] = cookie;
  Bytes out(sizeof header + sizeof message);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, &message, sizeof message);
  return out;
}

class ClosingsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClosingsTest);
  CPPUNIT_TEST(a_socket_that_closed_ends_its_latch_at_once);
  CPPUNIT_TEST(a_latch_that_was_mended_meanwhile_keeps_its_socket);
  CPPUNIT_TEST(nobody_listens_without_a_latch);
  CPPUNIT_TEST(lost_news_ask_for_a_list);
  CPPUNIT_TEST(a_broken_port_is_opened_again);
  CPPUNIT_TEST(a_kernel_that_tells_nothing_leaves_the_list);
  CPPUNIT_TEST(a_list_ends_latches_of_sockets_that_moved);
  CPPUNIT_TEST(a_list_that_fails_ends_nothing);
  CPPUNIT_TEST(own_policies_end_with_their_sockets);
  CPPUNIT_TEST(missed_news_ask_the_kernel_for_its_policies);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    end_->host->make_closings_port = [this]() -> std::unique_ptr<kernel::NetlinkPort> { return std::make_unique<News>(queue_); };
    closings_ = std::make_unique<Closings>(end_->host, end_->core->latches, end_->core->own_policies, [this] { ++lists_; });
    queue_.clear();
    lists_ = 0;
    latch();
  }

  void a_socket_that_closed_ends_its_latch_at_once() {
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(closings_->listening());
    CPPUNIT_ASSERT_EQUAL(1, lists_);  // for what closed before
    tell(closed(777));
    CPPUNIT_ASSERT(state() == LatchState::established);
    tell(closed(501));
    CPPUNIT_ASSERT(state() == LatchState::closed);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, end_->core->latches.size());
    CPPUNIT_ASSERT_EQUAL(1, lists_);
  }

  void a_latch_that_was_mended_meanwhile_keeps_its_socket() {
    const auto policies = end_->databases.spd.policies;
    const auto look = [this] { return end_->publish(), end_->core->latches.reevaluate(end_->core->board, Clock::now()); };
    end_->databases.spd.policies.clear();
    const auto broken = look().at(0);
    close_broken(*end_->host, end_->core->latches, broken);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->sockets_destroyed);
    end_->databases.spd.policies = policies;
    (void)look();
    CPPUNIT_ASSERT(state() == LatchState::established);
    close_broken(*end_->host, end_->core->latches, broken);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->sockets_destroyed);
  }

  void nobody_listens_without_a_latch() {
    closings_->adjust(nullptr);
    tell(closed(501));
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(!closings_->listening());
  }

  void lost_news_ask_for_a_list() {
    closings_->adjust(nullptr);
    tell(base::fail(Code::NETLINK_LOST));
    CPPUNIT_ASSERT_EQUAL(2, lists_);
    CPPUNIT_ASSERT(closings_->listening());
  }

  void a_broken_port_is_opened_again() {
    closings_->adjust(nullptr);
    tell(Bytes(17));
    CPPUNIT_ASSERT(!closings_->listening());
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(closings_->listening());
    CPPUNIT_ASSERT_EQUAL(3, lists_);
  }

  void a_kernel_that_tells_nothing_leaves_the_list() {
    end_->host->make_closings_port = nullptr;
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(!closings_->listening());
    closings_->drain();
  }

  void a_list_ends_latches_of_sockets_that_moved() {
    const auto census = [this](const char* remote, std::uint16_t port) {
      end_->host->sockets[6] = {{501, address("10.1.0.1"), address(remote), 40000, port, 1000, false}};
      end_->core->census.take();
    };
    census("10.1.0.2", 22);
    CPPUNIT_ASSERT(state() == LatchState::established);
    census("10.1.0.3", 22);
    CPPUNIT_ASSERT(state() == LatchState::closed);
    setUp();
    census("10.1.0.2", 23);
    CPPUNIT_ASSERT(state() == LatchState::closed);
  }

  // The one before knows nothing of what came since.
  void a_list_that_fails_ends_nothing() {
    end_->core->census.take();
    CPPUNIT_ASSERT(state() == LatchState::closed);
    latch();
    end_->host->unlistable = {6};
    end_->core->census.take();
    CPPUNIT_ASSERT(state() == LatchState::established);
  }

  void own_policies_end_with_their_sockets() {
    end_->core->latches.close(501);
    require();
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(closings_->listening());
    tell(closed(501));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, end_->core->own_policies.size());
    closings_->adjust(nullptr);
    CPPUNIT_ASSERT(!closings_->listening());
  }

  // A socket that is not connected is in no list of sockets; the kernel's policies are looked at when something was missed only.
  void missed_news_ask_the_kernel_for_its_policies() {
    require();
    closings_->adjust(nullptr);
    expect_listed(true);
    expect_listed(false);
    tell(base::fail(Code::NETLINK_LOST));
    expect_listed(true);
    end_->host->make_closings_port = nullptr;
    tell(Bytes(17));
    expect_listed(true);
    closings_->adjust(nullptr);
    expect_listed(true);
    end_->host->owners = std::vector<kernel::PolicyOwner>();
    closings_->adjust(nullptr);
    end_->core->census.take();
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, end_->core->own_policies.size());
  }

 private:
  void latch() {
    const auto body = encode(protocol::LatchRequest{});
    const auto reply = *protocol::decode_latch_reply(handle_latch(*end_->core, end_->request(body))->body);
    slot_ = {reply.channel.slot, reply.channel.generation};
  }
  void require() {
    end_->host->connected = false;
    const auto body = encode(protocol::RequireRequest{address("10.1.0.2"), 22, protocol::Strength::any, false, false, false, 0});
    CPPUNIT_ASSERT(handle_require(*end_->core, end_->request(body)).ok());
    end_->host->owners = std::vector<kernel::PolicyOwner>{end_->host->owner};
  }
  void expect_listed(bool asked) {
    const int before = end_->host->owners_listed;
    end_->core->census.take();
    CPPUNIT_ASSERT_EQUAL(before + (asked ? 1 : 0), end_->host->owners_listed);
    CPPUNIT_ASSERT(end_->core->own_policies.stays(501));
  }
  void tell(base::Result<Bytes> datagram) {
    queue_.push_back(std::move(datagram));
    closings_->drain();
  }
  LatchState state() { return end_->page->state(slot_); }

  std::deque<base::Result<Bytes>> queue_;
  std::unique_ptr<End> end_;
  std::unique_ptr<Closings> closings_;
  Slot slot_;
  int lists_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClosingsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
