// SPDX-License-Identifier: MIT
#include "broker/workers.h"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "broker/mailbox.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A door that jobs wait behind.
class Gate {
 public:
  ~Gate() { open(); }  // a failed test leaves nobody behind
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(5), [this, count] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

template <typename Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return false;
}

class WorkersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkersTest);
  CPPUNIT_TEST(jobs_run_in_order_of_their_user);
  CPPUNIT_TEST(a_user_holds_no_more_than_his_share);
  CPPUNIT_TEST(another_user_is_served_while_one_is_stuck);
  CPPUNIT_TEST(stuck_workers_are_replaced_and_stay_counted);
  CPPUNIT_TEST(many_stuck_users_leave_the_pool_as_large_as_it_was);
  CPPUNIT_TEST(an_abandoned_worker_that_returns_ends_and_frees_its_share);
  CPPUNIT_TEST(stop_does_not_wait_for_a_stuck_job_and_drops_waiting_ones);
  CPPUNIT_TEST(a_worker_goes_on_with_a_client_only_while_nobody_waits);
  CPPUNIT_TEST(letters_run_in_the_thread_that_opens_the_mailbox);
  CPPUNIT_TEST_SUITE_END();

 public:
  void jobs_run_in_order_of_their_user() {
    Workers workers(host_, {1, 1, seconds(3)});
    std::mutex mutex;
    std::vector<int> order;
    std::atomic<int> count = 0;
    for (int i = 0; i < 50; ++i)
      workers.submit(1000, [&, i](Bench&) {
        const std::lock_guard lock(mutex);
        order.push_back(i);
        ++count;
      });
    CPPUNIT_ASSERT(soon([&] { return count == 50; }));
    CPPUNIT_ASSERT(std::is_sorted(order.begin(), order.end()));
  }

  void a_user_holds_no_more_than_his_share() {
    Gate gate;
    Workers workers(host_, {4, 2, seconds(3)});
    for (int i = 0; i < 10; ++i) workers.submit(1000, [&](Bench&) { gate.pass(); });
    CPPUNIT_ASSERT(gate.wait_for(2));
    std::this_thread::sleep_for(milliseconds(30));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.running(1000));
    CPPUNIT_ASSERT_EQUAL(std::size_t{8}, workers.waiting());
    gate.open();
    CPPUNIT_ASSERT(soon([&] { return workers.waiting() == 0 && workers.running(1000) == 0; }));
  }

  void another_user_is_served_while_one_is_stuck() {
    Gate gate;
    Workers workers(host_, {4, 2, seconds(3)});
    for (int i = 0; i < 10; ++i) workers.submit(1001, [&](Bench&) { gate.pass(); });
    CPPUNIT_ASSERT(gate.wait_for(2));
    std::atomic<int> served = 0;
    for (int i = 0; i < 20; ++i) workers.submit(1000, [&](Bench&) { ++served; });
    CPPUNIT_ASSERT(soon([&] { return served == 20; }));
    gate.open();
  }

  void stuck_workers_are_replaced_and_stay_counted() {
    Workers workers(host_, {2, 2, seconds(3)});
    const auto gate = std::make_shared<Gate>();
    for (int i = 0; i < 4; ++i) workers.submit(1001, [gate](Bench&) { gate->pass(); });
    CPPUNIT_ASSERT(gate->wait_for(2));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, workers.tick(Clock::now()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.tick(Clock::now() + seconds(4)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.abandoned());
    std::atomic<int> served = 0;
    workers.submit(1000, [&](Bench&) { ++served; });
    CPPUNIT_ASSERT(soon([&] { return served == 1; }));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.running(1001));  // his waiting jobs got no other workers
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.waiting());
    gate->open();
  }

  void many_stuck_users_leave_the_pool_as_large_as_it_was() {
    Workers workers(host_, {2, 1, seconds(3)});
    const auto gate = std::make_shared<Gate>();
    for (std::uint32_t uid = 2000; uid < 2010; ++uid) {
      workers.submit(uid, [gate](Bench&) { gate->pass(); });
      CPPUNIT_ASSERT(gate->wait_for(static_cast<int>(uid - 1999)));
      (void)workers.tick(Clock::now() + seconds(4));
    }
    std::atomic<int> served = 0;
    workers.submit(1000, [&](Bench&) { ++served; });
    CPPUNIT_ASSERT(soon([&] { return served == 1; }));
    gate->open();
    CPPUNIT_ASSERT(soon([&] { return workers.abandoned() == 0; }));
  }

  void an_abandoned_worker_that_returns_ends_and_frees_its_share() {
    Workers workers(host_, {2, 1, seconds(3)});
    const auto gate = std::make_shared<Gate>();
    std::atomic<int> served = 0;
    workers.submit(1001, [gate](Bench&) { gate->pass(); });
    workers.submit(1001, [&](Bench&) { ++served; });
    CPPUNIT_ASSERT(gate->wait_for(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, workers.tick(Clock::now() + seconds(4)));
    CPPUNIT_ASSERT_EQUAL(0, served.load());
    gate->open();
    CPPUNIT_ASSERT(soon([&] { return served == 1 && workers.abandoned() == 0; }));
  }

  void stop_does_not_wait_for_a_stuck_job_and_drops_waiting_ones() {
    const auto gate = std::make_shared<Gate>();
    const auto ran = std::make_shared<std::atomic<int>>(0);
    const auto token = std::make_shared<int>(1);
    {
      Workers workers(host_, {1, 1, milliseconds(50)});
      workers.submit(1001, [gate](Bench&) { gate->pass(); });
      workers.submit(1001, [ran, token](Bench&) { ++*ran; });
      CPPUNIT_ASSERT(gate->wait_for(1));
    }
    CPPUNIT_ASSERT_EQUAL(1L, token.use_count());
    gate->open();
    CPPUNIT_ASSERT_EQUAL(0, ran->load());
  }

  void a_worker_goes_on_with_a_client_only_while_nobody_waits() {
    Gate gate;
    Workers workers(host_, {2, 2, seconds(3)});
    std::atomic<int> alone = -1, share_used = -1, others_wait = -1;
    workers.submit(1000, [&](Bench& bench) { alone = bench.may_go_on(); });
    CPPUNIT_ASSERT(soon([&] { return alone == 1; }));
    workers.submit(1000, [&](Bench&) { gate.pass(); });
    CPPUNIT_ASSERT(gate.wait_for(1));
    workers.submit(1000, [&](Bench& bench) {
      share_used = bench.may_go_on();
      workers.submit(2000, [](Bench&) {});  // finds no free worker
      others_wait = bench.may_go_on();
    });
    CPPUNIT_ASSERT(soon([&] { return share_used == 0 && others_wait == 0; }));
    gate.open();
  }

  void letters_run_in_the_thread_that_opens_the_mailbox() {
    Mailbox mailbox;
    std::thread::id ran;
    std::thread sender([&] { mailbox.post([&] { ran = std::this_thread::get_id(); }); });
    sender.join();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mailbox.run_all());
    CPPUNIT_ASSERT(ran == std::this_thread::get_id());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, mailbox.run_all());
  }

 private:
  std::shared_ptr<StandHost> host_ = std::make_shared<StandHost>();
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkersTest);

}  // namespace
}  // namespace gssipsec::broker::testing
