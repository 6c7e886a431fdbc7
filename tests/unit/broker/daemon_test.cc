// SPDX-License-Identifier: MIT
// The whole broker in a process of its own, over its real socket: limits, hostile clients, stuck requests, its end.
#include "broker/daemon.h"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "protocol/latch_page.h"
#include "tests/unit/broker/broker_process.h"

namespace gssipsec::broker::testing {
namespace {

using std::chrono::milliseconds;

class DaemonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DaemonTest);
  CPPUNIT_TEST(it_serves_and_ends_on_a_signal);
  CPPUNIT_TEST(a_dead_brokers_socket_is_replaced_and_a_live_ones_is_not);
  CPPUNIT_TEST(what_is_no_socket_is_not_replaced);
  CPPUNIT_TEST(connections_of_a_user_are_limited_and_freed);
  CPPUNIT_TEST(requests_that_hang_make_later_ones_busy);
  CPPUNIT_TEST(a_client_that_does_not_read_hurts_nobody);
  CPPUNIT_TEST(connections_that_say_nothing_hurt_nobody);
  CPPUNIT_TEST(the_pages_heart_beats);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    char name[] = "/tmp/gssd-test-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/run/gssd.sock";
    config_.workers = 4;
    config_.workers_per_user = 2;
    config_.max_clients_per_user = 20;
    pipe_ends();
  }

  void tearDown() override {
    broker_.reset();
    unlink(path_.c_str());
    rmdir((directory_ + "/run").c_str());
    rmdir(directory_.c_str());
  }

  void it_serves_and_ends_on_a_signal() {
    start();
    Client client(path_);
    CPPUNIT_ASSERT(client.hello() == Code::ok);
    CPPUNIT_ASSERT(client.query(STDIN_FILENO) == Code::ok);
    struct stat socket {};
    CPPUNIT_ASSERT_EQUAL(0, stat(path_.c_str(), &socket));
    CPPUNIT_ASSERT_EQUAL(0666, static_cast<int>(socket.st_mode & 0777));
    CPPUNIT_ASSERT_EQUAL(0, broker_->end());
  }

  void a_dead_brokers_socket_is_replaced_and_a_live_ones_is_not() {
    start();
    CPPUNIT_ASSERT(!make_listener(path_));
    CPPUNIT_ASSERT(Client(path_).hello() == Code::ok);
    broker_.reset();  // killed: its socket stays
    CPPUNIT_ASSERT(!Client(path_).connected());
    start();
    CPPUNIT_ASSERT(Client(path_).hello() == Code::ok);
  }

  void what_is_no_socket_is_not_replaced() {
    const std::string file = directory_ + "/file";
    fclose(fopen(file.c_str(), "w"));
    CPPUNIT_ASSERT(!make_listener(file));
    CPPUNIT_ASSERT_EQUAL(0, access(file.c_str(), F_OK));
    unlink(file.c_str());
    CPPUNIT_ASSERT(make_listener("relative").error().code == Code::BAD_CONFIG);
    CPPUNIT_ASSERT(make_listener("/" + std::string(200, 'x')).error().code == Code::BAD_CONFIG);
  }

  void connections_of_a_user_are_limited_and_freed() {
    start();
    std::vector<std::unique_ptr<Client>> clients;
    for (std::uint32_t i = 0; i < config_.max_clients_per_user; ++i) {
      clients.push_back(std::make_unique<Client>(path_));
      CPPUNIT_ASSERT(clients.back()->hello() == Code::ok);
    }
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(Client(path_).status() == Code::LIMIT);
    CPPUNIT_ASSERT(clients.front()->query(STDIN_FILENO) == Code::ok);
    clients.clear();
    CPPUNIT_ASSERT(soon([this] { return Client(path_).hello() == Code::ok; }));
  }

  void requests_that_hang_make_later_ones_busy() {
    start();
    Client first(path_), second(path_), third(path_);
    for (Client* client : {&first, &second, &third}) CPPUNIT_ASSERT(client->hello() == Code::ok);
    first.send(Verb::query, encode(protocol::QueryRequest{}), write_end_.get());
    second.send(Verb::query, encode(protocol::QueryRequest{}), write_end_.get());
    usleep(50000);
    const auto begun = Clock::now();
    CPPUNIT_ASSERT(third.query(STDIN_FILENO) == Code::BUSY);
    CPPUNIT_ASSERT(Clock::now() - begun < milliseconds(1900));
    usleep(2500000);  // both workers are abandoned and replaced by now; the user's share is still used up
    CPPUNIT_ASSERT(Client(path_).connected());
    CPPUNIT_ASSERT_EQUAL(0, broker_->end());
  }

  void a_client_that_does_not_read_hurts_nobody() {
    start();
    Client deaf(path_);
    CPPUNIT_ASSERT(deaf.hello() == Code::ok);
    for (int i = 0; i < 3000; ++i) {
      const base::Bytes data = protocol::encode(protocol::Header{protocol::kVersion, Verb::probe, 9, Code::ok}, encode(protocol::ProbeRequest{}));
      if (::send(deaf.fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) usleep(100);
    }
    Client other(path_);
    CPPUNIT_ASSERT(other.hello() == Code::ok);
    CPPUNIT_ASSERT(other.query(STDIN_FILENO) == Code::ok);
  }

  void connections_that_say_nothing_hurt_nobody() {
    start();
    std::vector<std::unique_ptr<Client>> silent;
    for (int i = 0; i < 15; ++i) silent.push_back(std::make_unique<Client>(path_));
    Client other(path_);
    CPPUNIT_ASSERT(other.hello() == Code::ok);
    for (int i = 0; i < 200; ++i) CPPUNIT_ASSERT(other.query(STDIN_FILENO) == Code::ok);
  }

  void the_pages_heart_beats() {
    start();
    Client client(path_);
    const base::UniqueFd file = client.hello_page();
    void* memory = mmap(nullptr, sizeof(protocol::LatchPage), PROT_READ, MAP_SHARED, file.get(), 0);
    CPPUNIT_ASSERT(memory != MAP_FAILED);
    const auto* page = static_cast<const protocol::LatchPage*>(memory);
    const std::uint32_t first = page->heartbeat.load();
    CPPUNIT_ASSERT(soon([&] { return page->heartbeat.load() > first; }));
    munmap(memory, sizeof(protocol::LatchPage));
  }

 private:
  void start() {
    broker_ = std::make_unique<BrokerProcess>(path_, config_);
    CPPUNIT_ASSERT(soon([this] { return Client(path_).hello() == Code::ok; }));
  }
  void pipe_ends() {
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, pipe2(ends, O_CLOEXEC));
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
  }
  template <typename Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      usleep(10000);
    }
    return false;
  }

  std::string directory_, path_;
  Config config_;
  base::UniqueFd read_end_, write_end_;
  std::unique_ptr<BrokerProcess> broker_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(DaemonTest);

}  // namespace
}  // namespace gssipsec::broker::testing
