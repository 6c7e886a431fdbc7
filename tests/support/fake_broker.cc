// SPDX-License-Identifier: MIT
#include "tests/support/fake_broker.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <stdexcept>

namespace gssipsec::tests {
namespace {

using protocol::LatchPage;
using protocol::LatchState;
using protocol::Verb;

// While it lives a thread is at work, but when it says that it rests.
class Work {
 public:
  Work() { begin(); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() { rest(); }
  static void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  static void rest() {
    const std::lock_guard lock(mutex_);
    --count_;
    rested_.notify_all();
  }

 private:
  static void before_fork() {
    std::unique_lock lock(mutex_);
    rested_.wait_for(lock, std::chrono::seconds(1), [] { return count_ == 0; });
    lock.release();
  }
  static void in_parent() { mutex_.unlock(); }
  static void in_child() {
    count_ = 0;
    mutex_.unlock();
  }

  static inline std::mutex mutex_;
  static inline std::condition_variable rested_;
  static inline int count_ = 0;
  static inline const int registered_ = pthread_atfork(&before_fork, &in_parent, &in_child);
};

constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_FUTURE_WRITE;

// Of this thread only: glibc's own would change all threads.
void act_as(uid_t uid) {
  if (syscall(SYS_setresuid, -1, uid, -1) != 0) throw std::runtime_error("setresuid");
}

std::uint32_t seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

std::string new_directory() {
  char name[] = "/tmp/fake-broker-XXXXXX";
  if (!mkdtemp(name) || chmod(name, 0777) != 0) throw std::runtime_error("mkdtemp");
  return name;
}

}  // namespace

FakeBroker::FakeBroker(Options options) : options_(std::move(options)), directory_(new_directory()), path_(directory_ + "/sock") {
  if (!options_.handler) options_.handler = [](FakeBroker& self, FakeRequest& request) { self.obey(request); };
  if (!options_.hello) options_.hello = [](FakeBroker& self, FakeRequest& request) { self.greet(request); };
  listen_as(options_.listener);
  setenv("GSS_IPSEC_BROKER", path_.c_str(), 1);
  if (options_.accept) acceptor_ = std::thread([this] { accept_all(); });
}

FakeBroker::~FakeBroker() {
  stop_accepting_new();
  hang_up_all();
  for (std::thread& server : servers_) server.join();
  for (const auto& [connection, kept] : pages_) munmap(kept.page, sizeof(LatchPage));
  rmdir(directory_.c_str());
}

void FakeBroker::stop_accepting_new() {
  if (stopping_.exchange(true)) return;
  shutdown(listener_.get(), SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  listener_.reset();
  unlink(path_.c_str());
}

void FakeBroker::listen_as(uid_t uid) {
  listener_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path_.c_str(), path_.size());
  if (uid != 0) act_as(uid);
  const bool listens = bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                       listen(listener_.get(), options_.accept ? 128 : 0) == 0;
  if (uid != 0) act_as(0);
  if (!listens) throw std::runtime_error("listen");
  chmod(path_.c_str(), 0777);
}

void FakeBroker::accept_all() {
  constexpr int kBeatMs = 1000;
  while (!stopping_) {
    pollfd listener{listener_.get(), POLLIN, 0};
    if (poll(&listener, 1, kBeatMs) > 0) accept_one();
    beat_all();
  }
}

void FakeBroker::accept_one() {
  const Work work;
  base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  const int on = 1, number = ++connections_;
  setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  const std::lock_guard lock(mutex_);
  sockets_.insert(socket.get());
  ++open_;
  servers_.emplace_back([this, number, fd = std::move(socket)]() mutable { serve(std::move(fd), number); });
}

void FakeBroker::hang_up_all() {
  const std::lock_guard lock(mutex_);
  for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
}

void FakeBroker::serve(base::UniqueFd socket, int number) {
  const Work work;
  base::Bytes buffer(protocol::kMaxMessage);
  FakeRequest request;
  request.socket = socket.get();
  request.connection = number;
  while (receive(request, buffer)) {
    ++counts_[static_cast<std::size_t>(request.frame.header.verb)];
    (request.frame.header.verb == Verb::hello ? options_.hello : options_.handler)(*this, request);
    request.fd.reset();
  }
  const std::lock_guard lock(mutex_);
  sockets_.erase(socket.get());
  --open_;
}

bool FakeBroker::receive(FakeRequest& request, base::Bytes& buffer) {
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char room[256];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  Work::rest();
  const ssize_t size = recvmsg(request.socket, &message, MSG_CMSG_CLOEXEC);
  Work::begin();
  if (size <= 0) return false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    int fd = -1;
    if (header->cmsg_type == SCM_CREDENTIALS) memcpy(&request.credentials, CMSG_DATA(header), sizeof request.credentials);
    if (header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd), request.fd.reset(fd);
  }
  auto frame = protocol::decode_frame(base::View(buffer).first(static_cast<std::size_t>(size)));
  if (!frame) return false;
  request.frame = *std::move(frame);
  return true;
}

void FakeBroker::send(int socket, const base::Bytes& datagram, const std::vector<int>& fds) {
  iovec part{const_cast<std::byte*>(datagram.data()), datagram.size()};
  alignas(cmsghdr) char room[256] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = room;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  }
  sendmsg(socket, &message, MSG_NOSIGNAL);
}

void FakeBroker::answer(const FakeRequest& request, const base::Bytes& body) {
  send(request.socket, protocol::encode(request.frame.header, body));
}

void FakeBroker::beat(LatchPage& page, int seconds_ago) { page.heartbeat = seconds_now() - static_cast<std::uint32_t>(seconds_ago); }

// But those that a test made older.
void FakeBroker::beat_all() {
  const std::lock_guard lock(mutex_);
  for (auto& [connection, kept] : pages_) {
    std::uint32_t before = kept.beaten;
    const std::uint32_t now = seconds_now();
    if (before != 0 && kept.page->heartbeat.compare_exchange_strong(before, now)) kept.beaten = now;
  }
}

void FakeBroker::greet(FakeRequest& request) {
  const base::UniqueFd memory(memfd_create("latch-page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const std::size_t mapped = std::max(options_.page_size, sizeof(LatchPage));
  if (ftruncate(memory.get(), static_cast<off_t>(options_.page_size)) != 0) throw std::runtime_error("ftruncate");
  auto* page = static_cast<LatchPage*>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0));
  const bool whole = options_.page_size >= sizeof(LatchPage);
  if (whole) {
    page->version = protocol::kPageVersion;
    beat(*page);
    page->slots[protocol::kProgramWord] = program_word_.load();
  }
  fcntl(memory.get(), F_ADD_SEALS, options_.seals < 0 ? kAllSeals : options_.seals);
  {
    const std::lock_guard lock(mutex_);
    pages_[request.connection] = {page, whole ? page->heartbeat.load() : 0};
  }
  page_ = page;
  const auto body = protocol::encode(protocol::HelloReply{options_.version, 1, options_.slots, true});
  send(request.socket, protocol::encode(request.frame.header, body), {memory.get()});
}

void FakeBroker::say_word(std::uint32_t word) {
  const std::lock_guard lock(mutex_);
  program_word_ = word;
  for (const auto& [connection, kept] : pages_) kept.page->slots[protocol::kProgramWord] = program_word_.load();
}

LatchPage& FakeBroker::page_of(const FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  return *pages_.at(request.connection).page;
}

protocol::ChannelInfo FakeBroker::new_channel(const FakeRequest& request) {
  protocol::ChannelInfo channel;
  channel.latch = LatchState::established;
  channel.slot = static_cast<std::uint32_t>(++latches_);
  channel.generation = 7;
  const std::lock_guard lock(mutex_);
  pages_.at(request.connection).page->slots[channel.slot] = protocol::slot_word(7, LatchState::established);
  return channel;
}

void FakeBroker::obey(FakeRequest& request) {
  protocol::Report report;
  report.is_protected = true;
  protocol::AcceptReply accepted;
  accepted.session_key = base::Secret(32);
  switch (request.frame.header.verb) {
    case Verb::query: case Verb::query_flow: return answer(request, protocol::encode(report));
    case Verb::survey: return answer(request, protocol::encode(protocol::SurveyReply{report, {}, false, false}));
    case Verb::initiate: return answer(request, protocol::encode(protocol::InitiateReply{{}, new_channel(request), base::Secret(32)}));
    case Verb::accept: return accepted.channel = new_channel(request), answer(request, protocol::encode(accepted));
    case Verb::check: {
      const auto channel = new_channel(request);
      return answer(request, protocol::encode(protocol::CheckReply{channel.latch, {}, {}, channel.slot, channel.generation}));
    }
    case Verb::probe: return answer(request, protocol::encode(protocol::ProbeReply{true, "ipsec:fqdn:here"}));
    case Verb::localname: return answer(request, protocol::encode(protocol::LocalnameReply{"bob"}));
    case Verb::subscribe: return answer(request, protocol::encode(protocol::SubscribeReply{1, 501, true}));
    case Verb::unsubscribe: return answer(request, {});
    case Verb::metrics: return answer(request, protocol::encode(protocol::MetricsReply{"ipsec_gssd_clients 1\n"}));
    case Verb::explain: return answer(request, protocol::encode(protocol::ExplainReply{true, "1. so: protected\n"}));
    case Verb::latch: return answer(request, protocol::encode(protocol::LatchReply{new_channel(request), base::Code::ok, {}}));
    case Verb::require: return answer(request, protocol::encode(protocol::RequireReply{true}));
    case Verb::endpoint: return answer(request, protocol::encode(protocol::EndpointReply{1}));
    case Verb::resolve: return answer(request, protocol::encode(protocol::ResolveReply{}));
    case Verb::locators: return answer(request, protocol::encode(protocol::LocatorsReply{}));
    case Verb::unlatch: return answer(request, {});
    case Verb::bind: case Verb::binding: return answer(request, protocol::encode(protocol::BindReply{protocol::KerberosUse::skip, {}, {}, new_channel(request), base::Secret(32)}));
    case Verb::latches: return answer(request, protocol::encode(protocol::LatchesReply{}));
    case Verb::mirror: return answer(request, protocol::encode(protocol::MirrorReply{true, 2, 2, {}}));
    case Verb::hand_over: return answer(request, protocol::encode(protocol::HandOverReply{{}, base::Secret(32)}));
    case Verb::take_over: return answer(request, protocol::encode(protocol::TakeOverReply{new_channel(request), base::Secret(32)}));
    case Verb::bound: return answer(request, protocol::encode(protocol::BoundReply{protocol::KerberosUse::skip, false, false, 128, {}}));
    case Verb::release: case Verb::hello: case Verb::event: return;
  }
}

bool FakeBroker::soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 200; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(5)))
    if (condition()) return true;
  return condition();
}

}  // namespace gssipsec::tests
