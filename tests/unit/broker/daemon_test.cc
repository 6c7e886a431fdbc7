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

#include "broker/listener.h"
#include "protocol/latch_page.h"
#include "tests/support/recorded_netlink.h"
#include "tests/support/source_dir.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Verb;
using std::chrono::milliseconds;

// The descriptor that a request hangs on: the write end of a pipe.
bool hangs(int fd) {
  struct stat what {};
  return fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

class BrokerProcess {
 public:
  BrokerProcess(const std::string& path, Config config) {
    child_ = fork();
    if (child_ != 0) return;
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    const auto host = std::make_shared<StandHost>();
    host->socket.flow = flow_of_a(22);
    host->socket.cookie = 501;
    host->users[getuid()] = "tester";
    host->make_request_port = [] {
      return std::make_unique<support::ReplayPort>(
          *support::Recording::load(support::source_path("tests/support/recordings/host-a.bin")));
    };
    host->make_monitor_port = [] { return std::make_unique<support::ReplayMonitor>(); };
    host->on_read_socket = [](int fd) {
      while (hangs(fd)) pause();
    };
    auto listener = make_listener(path);
    if (!listener) _exit(3);
    const auto status = run({host, std::move(config), std::move(*listener), [](const Config&, const Board&) { return Sources(); }, {}});
    _exit(status.ok() ? 0 : 4);
  }
  ~BrokerProcess() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  int end() {
    int status = -1;
    kill(child_, SIGTERM);
    for (int i = 0; i < 1000 && waitpid(child_, &status, WNOHANG) == 0; ++i) usleep(5000);
    child_ = -1;
    return status;
  }

 private:
  pid_t child_;
};

class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const timeval patience{5, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  void send(Verb verb, const base::Bytes& body, int fd = -1) {
    const base::Bytes data = protocol::encode(protocol::Header{protocol::kVersion, verb, ++request_, Code::ok}, body);
    char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{const_cast<std::byte*>(data.data()), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (fd >= 0) {
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    (void)sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  }
  base::Result<protocol::Frame> receive() {
    base::Bytes data(protocol::kMaxMessage);
    const ssize_t length = recv(socket_.get(), data.data(), data.size(), 0);
    if (length <= 0) return base::fail(Code::BROKER_TIMEOUT);
    return protocol::decode_frame(base::View(data).first(static_cast<std::size_t>(length)));
  }
  Code hello() {
    send(Verb::hello, encode(protocol::HelloRequest{}));
    return status();
  }
  Code status() {
    const auto frame = receive();
    return frame ? frame->header.status : frame.error().code;
  }
  base::UniqueFd hello_page() {
    send(Verb::hello, encode(protocol::HelloRequest{}));
    char control[CMSG_SPACE(sizeof(int))];
    base::Bytes data(1024);
    iovec part{data.data(), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    int fd = -1;
    if (recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&header)) std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fd);
    return base::UniqueFd(fd);
  }
  Code query(int fd) {
    send(Verb::query, encode(protocol::QueryRequest{}), fd);
    return status();
  }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  base::UniqueFd socket_;
  bool connected_ = false;
  std::uint32_t request_ = 0;
};

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
