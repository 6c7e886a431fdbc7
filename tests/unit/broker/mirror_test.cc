// SPDX-License-Identifier: MIT
// The mirror against recorded netlink: the first dump, events, losses, and when the IKE sources' word counts.
#include "broker/mirror.h"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>

#include "broker/ike_thread.h"
#include "tests/support/generated_netlink.h"
#include "tests/support/recorded_netlink.h"
#include "tests/support/source_dir.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

support::Recording recording(const char* name) {
  auto loaded = support::Recording::load(support::source_path("tests/support/recordings/") + name + ".bin");
  CPPUNIT_ASSERT(loaded.ok());
  return *std::move(loaded);
}

// A monitor that others may push into, and that can lose.
class SharedMonitor final : public kernel::NetlinkPort {
 public:
  explicit SharedMonitor(support::ReplayMonitor& inner, int& lose) : inner_(inner), lose_(lose) {}
  base::Status send(base::View) override { return {}; }
  base::Result<base::Bytes> receive() override {
    if (lose_ > 0) return --lose_, base::fail(base::Code::NETLINK_LOST);
    return inner_.receive();
  }
  int fd() const noexcept override { return inner_.fd(); }

 private:
  support::ReplayMonitor& inner_;
  int& lose_;
};

// Each datagram takes longer than the mirror reads at a time.
class SlowPort final : public kernel::NetlinkPort {
 public:
  explicit SlowPort(std::unique_ptr<kernel::NetlinkPort> inner) : inner_(std::move(inner)) {}
  base::Status send(base::View datagram) override { return inner_->send(datagram); }
  base::Result<base::Bytes> receive() override {
    std::this_thread::sleep_for(milliseconds(3));
    return inner_->receive();
  }
  int fd() const noexcept override { return -1; }

 private:
  std::unique_ptr<kernel::NetlinkPort> inner_;
};

// A source whose answers a test sets.
class StandSource final : public ike::Source {
 public:
  struct Shared {
    std::mutex mutex;
    ike::Snapshot snapshot;
    bool away = false;
    int asked = 0;
  };
  explicit StandSource(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  base::Result<ike::Snapshot> refresh() override {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->asked;
    if (shared_->away) return base::fail(base::Code::IKE_SOURCE);
    return shared_->snapshot;
  }
  int event_fd() const noexcept override { return -1; }
  base::Result<bool> drain() override { return false; }
  const char* name() const noexcept override { return "stand"; }

 private:
  std::shared_ptr<Shared> shared_;
};

class MirrorTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MirrorTest);
  CPPUNIT_TEST(the_first_dump_is_on_the_board);
  CPPUNIT_TEST(events_change_the_board);
  CPPUNIT_TEST(lost_events_make_it_stale_until_the_next_dump);
  CPPUNIT_TEST(dumps_keep_their_distance);
  CPPUNIT_TEST(sas_are_read_in_slices_and_events_are_not_lost_between_them);
  CPPUNIT_TEST(policies_change_while_sas_are_read);
  CPPUNIT_TEST(a_loss_while_sas_are_read_begins_anew);
  CPPUNIT_TEST(more_events_than_are_held_are_a_loss);
  CPPUNIT_TEST(what_was_said_before_a_loss_does_not_change_what_is_read_after_it);
  CPPUNIT_TEST(counts_that_stay_different_are_a_loss);
  CPPUNIT_TEST(counts_that_an_event_explains_are_none);
  CPPUNIT_TEST(counts_that_reading_does_not_cure_are_left_alone);
  CPPUNIT_TEST(a_failed_start_is_made_good_later);
  CPPUNIT_TEST(a_source_is_believed_about_sas_that_it_can_have_seen);
  CPPUNIT_TEST(a_source_that_left_is_believed_about_what_it_said);
  CPPUNIT_TEST(a_source_that_says_the_same_again_moves_nothing);
  CPPUNIT_TEST(a_reader_is_woken_by_the_next_view);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    recording_ = recording("host-a");
    host_ = std::make_shared<StandHost>();
    host_->make_request_port = [this]() -> std::unique_ptr<kernel::NetlinkPort> {
      ++dumps_;
      if (refuse_) return std::make_unique<support::ReplayPort>(support::Recording{});
      return std::make_unique<support::ReplayPort>(recording_);
    };
    host_->make_monitor_port = [this] { return std::make_unique<SharedMonitor>(monitor_, lose_); };
    board_ = std::make_unique<Board>();
    history_ = std::make_unique<History>();
    mirror_ = std::make_unique<Mirror>(host_, *board_, *history_,
                                       Mirror::Listener{[this](const Changes&) { ++changes_; }, [this] { ++policy_changes_; }, [this] { ++unknown_; }, {}});
  }

  void the_first_dump_is_on_the_board() {
    CPPUNIT_ASSERT(mirror_->start().ok());
    const View view = board_->look(flow_of_a(22));
    CPPUNIT_ASSERT(view.fresh);
    CPPUNIT_ASSERT(!view.databases->sad.sas.empty());
    CPPUNIT_ASSERT(!view.databases->spd.policies.empty());
    CPPUNIT_ASSERT_EQUAL(view.databases->sad.sas.size(), view.arrivals.size());
    CPPUNIT_ASSERT_EQUAL(1, changes_);
    CPPUNIT_ASSERT_EQUAL(1, unknown_);
  }

  void events_change_the_board() {
    CPPUNIT_ASSERT(mirror_->start().ok());
    const Outline before = board_->outline();
    for (base::Bytes& event : recording("events").events()) monitor_.push(std::move(event));
    mirror_->drain();
    (void)read_on();
    const Outline after = board_->outline();
    CPPUNIT_ASSERT(after.fresh);
    CPPUNIT_ASSERT(after.version > before.version);
    CPPUNIT_ASSERT(after.epoch > before.epoch);
    CPPUNIT_ASSERT(policy_changes_ >= 2);
  }

  void lost_events_make_it_stale_until_the_next_dump() {
    CPPUNIT_ASSERT(mirror_->start().ok());
    const std::uint64_t epoch = board_->outline().epoch;
    lose_ = 1;
    mirror_->drain();
    CPPUNIT_ASSERT(!board_->outline().fresh);
    CPPUNIT_ASSERT(assess(flow_of_a(22), {}, board_->look(flow_of_a(22)), Clock::now()).verdict.why_not.code == base::Code::UNKNOWN);
    (void)read_on();
    CPPUNIT_ASSERT(board_->outline().fresh);
    CPPUNIT_ASSERT(board_->outline().epoch > epoch);  // nobody knows what the SPD was in between
  }

  void dumps_keep_their_distance() {
    CPPUNIT_ASSERT(mirror_->start().ok());
    for (int i = 0; i < 100; ++i) {
      lose_ = 1;
      mirror_->drain();
      CPPUNIT_ASSERT(mirror_->tick(Clock::now()) > Time::duration{});
    }
    CPPUNIT_ASSERT(!mirror_->fresh());
    CPPUNIT_ASSERT_EQUAL(1, changes_);
    (void)mirror_->tick(Clock::now() + Mirror::kDumpInterval);
    CPPUNIT_ASSERT(mirror_->fresh());
  }

  void sas_are_read_in_slices_and_events_are_not_lost_between_them() {
    read_slowly();
    const channel::Flow gone = support::GeneratedKernel::flow(0), stays = support::GeneratedKernel::flow(150);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas_of(gone));  // the dump will show it again
    monitor_.push(support::GeneratedKernel::pair_goes(0));
    monitor_.push(support::GeneratedKernel::pair_comes(900));
    mirror_->drain();
    CPPUNIT_ASSERT(!board_->outline().fresh);
    CPPUNIT_ASSERT(read_on() > 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, sas_of(gone));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas_of(stays));
    CPPUNIT_ASSERT_EQUAL(std::size_t{400}, board_->tables().sad.size());  // one pair went, one came
  }

  void policies_change_while_sas_are_read() {
    read_slowly();
    const std::size_t before = board_->tables().spd.size();
    for (base::Bytes& event : recording("events").events())
      if (event.size() > 4 && event[4] == std::byte{0x13}) monitor_.push(std::move(event));  // XFRM_MSG_NEWPOLICY
    mirror_->drain();
    CPPUNIT_ASSERT(board_->tables().spd.size() > before);
    (void)read_on();
    CPPUNIT_ASSERT(board_->tables().spd.size() > before);
  }

  void a_loss_while_sas_are_read_begins_anew() {
    read_slowly();
    kernel_ = support::GeneratedKernel(100, 200);
    lose_ = 1;
    mirror_->drain();
    CPPUNIT_ASSERT(!board_->outline().fresh);
    (void)read_on();
    CPPUNIT_ASSERT_EQUAL(std::size_t{200}, board_->tables().sad.size());
  }

  void more_events_than_are_held_are_a_loss() {
    read_slowly();
    base::Bytes many;
    for (int i = 0; i < 512; ++i) {
      const base::Bytes one = support::GeneratedKernel::pair_goes(0);
      many.insert(many.end(), one.begin(), one.end());
    }
    for (std::size_t events = 0; events <= Mirror::kMostHeld; events += 1024) monitor_.push(many);
    mirror_->drain();
    CPPUNIT_ASSERT(mirror_->last_error().code == base::Code::NETLINK_LOST);
    (void)read_on();
    CPPUNIT_ASSERT_EQUAL(std::size_t{400}, board_->tables().sad.size());  // what was queued before was forgotten
  }

  void what_was_said_before_a_loss_does_not_change_what_is_read_after_it() {
    generate();
    monitor_.push(support::GeneratedKernel::pair_goes(0));  // and came again, which was lost
    lose_ = 2;
    mirror_->drain();
    (void)read_on();
    mirror_->drain();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas_of(support::GeneratedKernel::flow(0)));
  }

  void counts_that_stay_different_are_a_loss() {
    generate();
    mirror_->audit(Clock::now());
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(mirror_->fresh());
    kernel_ = support::GeneratedKernel(200, 201);  // and no event says so
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(mirror_->fresh());  // it may be on its way
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(!mirror_->fresh());
    (void)read_on();
    CPPUNIT_ASSERT_EQUAL(std::size_t{402}, board_->tables().spd.size());
    kernel_ = support::GeneratedKernel(199, 201);  // an SA fewer
    mirror_->audit(Clock::now());
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(!mirror_->fresh());
    (void)read_on();
    kernel_ = support::GeneratedKernel(300, 201);  // more may be larval ones
    for (int i = 0; i < 3; ++i) mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(mirror_->fresh());
  }

  void counts_that_an_event_explains_are_none() {
    generate();
    kernel_ = support::GeneratedKernel(199, 200);
    mirror_->audit(Clock::now());
    monitor_.push(support::GeneratedKernel::pair_goes(199));
    mirror_->audit(Clock::now());
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(mirror_->fresh());
  }

  void counts_that_reading_does_not_cure_are_left_alone() {
    generate();
    kernel_.miscount(3);
    mirror_->audit(Clock::now());
    mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(!mirror_->fresh());
    (void)read_on();
    for (int i = 0; i < 4; ++i) mirror_->audit(Clock::now());
    CPPUNIT_ASSERT(mirror_->fresh());
  }

  void a_failed_start_is_made_good_later() {
    refuse_ = true;
    CPPUNIT_ASSERT(!mirror_->start().ok());
    CPPUNIT_ASSERT(!board_->outline().fresh);
    refuse_ = false;
    (void)read_on();
    CPPUNIT_ASSERT(board_->outline().fresh);
  }

  void a_source_is_believed_about_sas_that_it_can_have_seen() {
    const auto shared = std::make_shared<StandSource::Shared>();
    IkeThread ike(*board_, sources(shared), {}, [](const auto&) {});
    board_->set_refresh_bell([&ike] { ike.ring(); });
    CPPUNIT_ASSERT(mirror_->start().ok());
    const channel::SaId id = view().databases->sad.sas.front().id;
    ike.start();
    CPPUNIT_ASSERT(soon([&] { return asked(*shared) > 0; }));
    CPPUNIT_ASSERT(!view().peer_of(id, Clock::now()));
    {
      const std::lock_guard lock(shared->mutex);
      shared->snapshot.peers[id] = certified("fqdn:a.example.org", "fqdn:b.example.org");
    }
    board_->ask_refresh();
    CPPUNIT_ASSERT(soon([&] { return view().peer_of(id, Clock::now()).has_value(); }));
    // The same name appears anew: what was said was about another SA.
    put_on(*board_, *view().databases, [](const channel::Sa&) { return channel::Arrival{999, Clock::now()}; }, 1);
    board_->publish(true, 999);
    CPPUNIT_ASSERT(!view().peer_of(id, Clock::now()));
    CPPUNIT_ASSERT(view().peer_may_come(id, Clock::now()));
    board_->ask_refresh();
    CPPUNIT_ASSERT(soon([&] { return view().peer_of(id, Clock::now()).has_value(); }));
  }

  void a_source_that_left_is_believed_about_what_it_said() {
    const auto shared = std::make_shared<StandSource::Shared>();
    CPPUNIT_ASSERT(mirror_->start().ok());
    const channel::SaId id = view().databases->sad.sas.front().id;
    shared->snapshot.peers[id] = certified("fqdn:a.example.org", "fqdn:b.example.org");
    IkeThread ike(*board_, sources(shared), {}, [](const auto&) {});
    ike.start();
    CPPUNIT_ASSERT(soon([&] { return view().peer_of(id, Clock::now()).has_value(); }));
    {
      const std::lock_guard lock(shared->mutex);
      shared->away = true;
    }
    ike.ring();
    CPPUNIT_ASSERT(soon([&] { return !board_->outline().sources.at(0).healthy; }));
    CPPUNIT_ASSERT(view().peer_of(id, Clock::now()).has_value());
  }

  void a_source_that_says_the_same_again_moves_nothing() {
    const auto shared = std::make_shared<StandSource::Shared>();
    CPPUNIT_ASSERT(mirror_->start().ok());
    const channel::SaId id = view().databases->sad.sas.front().id;
    shared->snapshot.peers[id] = certified("fqdn:a.example.org", "fqdn:b.example.org");
    std::atomic<int> published = 0;
    IkeThread ike(*board_, sources(shared), {}, [&](const auto&) { ++published; });
    const auto ask = [&] {
      const int before = asked(*shared);
      ike.ring();
      CPPUNIT_ASSERT(soon([&] { return asked(*shared) > before; }));
    };
    ike.start();
    CPPUNIT_ASSERT(soon([&] { return published == 2; }));  // that nothing is known, and what the source said
    const std::uint64_t version = board_->version();
    ask();
    ask();  // the former one's answer is through
    CPPUNIT_ASSERT_EQUAL(2, published.load());
    CPPUNIT_ASSERT_EQUAL(version, board_->version());
    {
      const std::lock_guard lock(shared->mutex);
      shared->snapshot.peers.clear();
    }
    ask();
    CPPUNIT_ASSERT(soon([&] { return published == 3; }));
    CPPUNIT_ASSERT(!view().peer_of(id, Clock::now()));
  }

  void a_reader_is_woken_by_the_next_view() {
    const std::uint64_t version = board_->outline().version;
    std::thread writer([this] { (void)mirror_->start().ok(); });
    board_->wait_newer(version, Clock::now() + seconds(5));
    CPPUNIT_ASSERT(board_->outline().version > version);
    writer.join();
    const auto begun = Clock::now();
    board_->wait_newer(board_->outline().version, begun + milliseconds(20));
    CPPUNIT_ASSERT(Clock::now() - begun >= milliseconds(20));
  }

 private:
  // A kernel of 200 pairs, mirrored.
  void generate() {
    host_->make_request_port = [this] { return std::make_unique<SlowPort>(kernel_.port()); };
    CPPUNIT_ASSERT(mirror_->start().ok());
  }
  // The same lost, and the first of its SAs read anew.
  void read_slowly() {
    generate();
    lose_ = 1;
    mirror_->drain();
    CPPUNIT_ASSERT(mirror_->tick(Clock::now() + seconds(1)) == Time::duration::zero());
    CPPUNIT_ASSERT(!mirror_->fresh());
  }
  // To its end; how many turns that took.
  int read_on() {
    int turns = 0;
    for (Time now = Clock::now() + seconds(2); !mirror_->fresh() && turns < 1000; ++turns) (void)mirror_->tick(now += milliseconds(1));
    CPPUNIT_ASSERT(mirror_->fresh());
    return turns;
  }
  [[nodiscard]] std::size_t sas_of(const channel::Flow& flow) const { return board_->look(flow).databases->sad.sas.size(); }
  [[nodiscard]] View view() const { return board_->look(flow_of_a(22)); }
  static std::vector<std::unique_ptr<ike::Source>> sources(const std::shared_ptr<StandSource::Shared>& shared) {
    std::vector<std::unique_ptr<ike::Source>> list;
    list.push_back(std::make_unique<StandSource>(shared));
    return list;
  }
  static int asked(StandSource::Shared& shared) {
    const std::lock_guard lock(shared.mutex);
    return shared.asked;
  }
  template <typename Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(3));
    }
    return false;
  }

  support::Recording recording_;
  support::GeneratedKernel kernel_{200, 200};
  support::ReplayMonitor monitor_;
  bool refuse_ = false;
  int lose_ = 0;  // so many of the next datagrams
  int dumps_ = 0, changes_ = 0, policy_changes_ = 0, unknown_ = 0;
  std::shared_ptr<StandHost> host_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Mirror> mirror_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MirrorTest);

}  // namespace
}  // namespace gssipsec::broker::testing
