// SPDX-License-Identifier: MIT
#include "tests/bench/hostile.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/unit/broker/broker_process.h"

namespace gssipsec::bench {
namespace {

using broker::testing::Client;
using protocol::Verb;

constexpr uid_t kFirstUser = 65531, kSecondUser = 65532;
constexpr int kIdle = 100, kDeaf = 20, kGreeted = 4;

std::unique_ptr<Client> greeted(const std::string& path) {
  auto client = std::make_unique<Client>(path);
  if (client->hello() != base::Code::ok) _exit(3);
  return client;
}

void become(uid_t user) {
  if (setgroups(0, nullptr) != 0 || setgid(user) != 0 || setuid(user) != 0) _exit(4);
}

// Unsent data and patience: the last close() waits until the peer has read it all.
void fill(int fd) {
  const linger patient{1, 3600};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &patient, sizeof patient);
  const std::vector<char> data(65536);
  while (::send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {}
}

}  // namespace

Attackers::Attackers(const Hosts& hosts, const std::string& broker) : broker_(broker) {
  for (Hosts::Ends& ends : lingering_) {
    ends = hosts.connection_here();
    fill(ends.client.get());
  }
  first_ = start(&Attackers::hold);
  for (Hosts::Ends& ends : lingering_) ends.client.reset();  // before it is passed on, or this close() were the one that waits
  send();
  second_ = start(&Attackers::serve);
  send();
}

Attackers::~Attackers() {
  for (const pid_t pid : {first_, second_}) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

pid_t Attackers::start(void (*attack)(const Attackers&, int, int)) {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd order(down[0]), done(up[1]);
  tell_.reset(down[1]);
  told_.reset(up[0]);
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    attack(*this, order.get(), done.get());
    _exit(0);
  }
  return pid;
}

void Attackers::send() const {
  char octet = 'g';
  if (write(tell_.get(), &octet, 1) != 1 || read(told_.get(), &octet, 1) != 1) throw std::runtime_error("an attacker ended");
}

void Attackers::hold(const Attackers& all, int told, int tell) {
  become(kFirstUser);
  char octet;
  if (read(told, &octet, 1) != 1) return;
  std::vector<std::unique_ptr<Client>> held;
  for (int i = 0; i < kIdle; ++i) held.push_back(greeted(all.broker_));
  for (int i = 0; i < kDeaf; ++i) {
    held.push_back(greeted(all.broker_));
    for (int n = 0; n < 20; ++n) held.back()->send(Verb::probe, encode(protocol::ProbeRequest{}));
  }
  for (const Hosts::Ends& ends : all.lingering_) {
    held.push_back(greeted(all.broker_));
    for (int n = 0; n < 20; ++n) held.back()->send(Verb::probe, encode(protocol::ProbeRequest{}));  // the broker is still at these
    held.back()->send(Verb::query, encode(protocol::QueryRequest{}), ends.client.get());
    close(ends.client.get());  // when this is done: its copy is the last; this process ends without destructors
  }
  if (write(tell, &octet, 1) == 1) pause();
}

void Attackers::serve(const Attackers& all, int told, int tell) {
  become(kSecondUser);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kGreeted; ++i) clients.push_back(greeted(all.broker_));
  char octet, answers[4096];
  while (read(told, &octet, 1) == 1) {
    for (const auto& client : clients)
      while (recv(client->fd(), answers, sizeof answers, MSG_DONTWAIT) > 0) {}
    const Client gone(all.broker_);
    (void)::send(gone.fd(), "half a", 7, MSG_NOSIGNAL);
    for (std::size_t i = 0; i + 1 < clients.size(); ++i) clients[i]->send(Verb::probe, encode(protocol::ProbeRequest{}));
    clients.back()->send(Verb::query, encode(protocol::QueryRequest{}), told);
    if (write(tell, &octet, 1) != 1) return;
  }
}

}  // namespace gssipsec::bench
