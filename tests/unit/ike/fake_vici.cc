// SPDX-License-Identifier: MIT
#include "tests/unit/ike/fake_vici.h"

#include <cppunit/TestAssert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace gssipsec::ike::test {
namespace {

bool put(int fd, base::View octets) {
  return send(fd, octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
}

base::Bytes stream_of(const std::string& event, const std::vector<ViciSection>& messages) {
  base::Bytes out;
  const auto add = [&out](const ViciPacket& packet) {
    const base::Bytes octets = encode_vici(packet);
    out.insert(out.end(), octets.begin(), octets.end());
  };
  for (const ViciSection& message : messages) add({ViciType::event, event, message});
  add({ViciType::response, "", {}});
  return out;
}

// Of this thread alone: the C library would change the whole process.
void become(uid_t user) { CPPUNIT_ASSERT(syscall(SYS_setresuid, -1, user, -1) == 0); }

}  // namespace

FakeVici::FakeVici() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  char folder[] = "/tmp/fake-vici-XXXXXX";
  CPPUNIT_ASSERT(mkdtemp(folder));
  folder_ = folder;
  path_ = folder_ + "/vici";
}

FakeVici::~FakeVici() {
  stop();
  rmdir(folder_.c_str());
}

void FakeVici::answer(const std::string& command, base::Bytes stream) {
  const std::lock_guard lock(mutex_);
  answers_[command] = std::move(stream);
}

void FakeVici::answer(const std::string& command, const std::string& event, const std::vector<ViciSection>& messages) {
  answer(command, stream_of(event, messages));
}

void FakeVici::answer_next(const std::string& command, const std::string& event, const std::vector<ViciSection>& messages) {
  const std::lock_guard lock(mutex_);
  next_[command].push_back(stream_of(event, messages));
}

void FakeVici::misbehave(const std::string& command, Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_[command] = fault;
}

void FakeVici::do_not_know_event(const std::string& event) {
  const std::lock_guard lock(mutex_);
  unknown_events_.push_back(event);
}

void FakeVici::raise(const ViciPacket& event) {
  const base::Bytes octets = encode_vici(event);
  const std::lock_guard lock(mutex_);
  raised_.insert(raised_.end(), octets.begin(), octets.end());
  eventfd_write(wake_.get(), 1);
}

void FakeVici::hang_up() {
  hang_up_ = true;
  eventfd_write(wake_.get(), 1);
}

void FakeVici::listen_as(uid_t user) {
  listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  CPPUNIT_ASSERT(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const uid_t own = geteuid();
  if (user != own) become(user);
  const int listening = listen(listener_.get(), 5);
  if (user != own) become(own);
  CPPUNIT_ASSERT_EQUAL(0, listening);
  stopping_ = false;
}

void FakeVici::start(uid_t as_user) {
  listen_as(as_user);
  thread_ = std::thread([this] { run(); });
}

void FakeVici::serve_here(uid_t as_user) {
  listen_as(as_user);
  run();
}

void FakeVici::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  eventfd_write(wake_.get(), 1);
  thread_.join();
  clients_.clear();
  listener_.reset();
  unlink(path_.c_str());
}

void FakeVici::run() {
  while (!stopping_) {
    std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Client& client : clients_) fds.push_back({client.fd.get(), POLLIN, 0});
    poll(fds.data(), fds.size(), -1);
    for (std::size_t i = clients_.size(); i-- > 0;)
      if (fds[i + 2].revents && !serve(clients_[i])) clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
    if (fds[1].revents) {
      clients_.push_back({base::UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)), {}});
      ++connections_;
    }
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    if (hang_up_.exchange(false)) clients_.clear();
    const std::lock_guard lock(mutex_);
    for (const Client& client : clients_)
      if (!raised_.empty()) put(client.fd.get(), raised_);
    raised_.clear();
  }
}

bool FakeVici::serve(Client& client) {
  std::byte block[4096];
  const ssize_t got = recv(client.fd.get(), block, sizeof block, 0);
  if (got <= 0) return false;
  client.in.append(base::View(block, static_cast<std::size_t>(got)));
  for (;;) {
    const auto segment = client.in.next();
    if (!segment) return false;
    if (!*segment) return true;
    const auto request = decode_vici(**segment);
    if (!request || !reply(client, *request)) return false;
  }
}

bool FakeVici::reply(Client& client, const ViciPacket& request) {
  if (request.type == ViciType::command) return reply_to_command(client, request.name);
  const std::lock_guard lock(mutex_);
  const bool known = std::find(unknown_events_.begin(), unknown_events_.end(), request.name) == unknown_events_.end();
  return put(client.fd.get(), encode_vici({known ? ViciType::confirm_event : ViciType::unknown_event, "", {}}));
}

bool FakeVici::reply_to_command(Client& client, const std::string& command) {
  using namespace std::string_literals;
  const std::lock_guard lock(mutex_);
  const int fd = client.fd.get();
  base::Bytes whole = answers_.count(command) ? answers_[command] : stream_of("", {});
  if (auto& queue = next_[command]; !queue.empty()) {
    whole = std::move(queue.front());
    queue.erase(queue.begin());
  }
  const base::View half = base::View(whole).first(whole.size() / 2);
  switch (faults_.count(command) ? faults_[command] : Fault::none) {
    case Fault::none: return put(fd, whole);
    case Fault::hang: return true;
    case Fault::half_message: return put(fd, half);
    case Fault::close_inside: return put(fd, half) && false;
    case Fault::absurd_length: return put(fd, base::view_of("\x7f\xff\xff\xff\1"));
    case Fault::broken_message: return put(fd, base::view_of("\0\0\0\2\1\2"s));
    case Fault::drip:
      for (int i = 0; i < 12 && !stopping_; ++i) {
        if (!put(fd, base::view_of(i == 0 ? "\0\0\0\x40"s : "\1"s))) return false;
        usleep(30000);
      }
      return true;
    case Fault::unknown_command: return put(fd, encode_vici({ViciType::unknown_command, "", {}}));
    case Fault::refuse: {
      ViciPacket no{ViciType::response, "", {}};
      no.message.values = {{"success", "no"}, {"errmsg", "no"}};
      return put(fd, encode_vici(no));
    }
  }
  return false;
}

}  // namespace gssipsec::ike::test
