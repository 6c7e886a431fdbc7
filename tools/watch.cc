// SPDX-License-Identifier: MIT
#include "tools/watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

#include "tools/options.h"
#include "tools/print.h"
#include "tools/process.h"
#include "tools/render.h"

namespace gssipsec::tools {
namespace {

using base::Code;

// SIGINT and SIGTERM as a descriptor: an end between two lines, never inside one.
base::Result<base::UniqueFd> signals_of_the_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return base::system_error(Code::SYSTEM, "sigprocmask", errno);
  base::UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return base::system_error(Code::SYSTEM, "signalfd", errno);
  return fd;
}

}  // namespace

base::Result<Watch> Watch::open(bool json, Print print) {
  auto signals = signals_of_the_end();
  if (!signals) return signals.error();
  auto stream = client::EventStream::open();
  if (!stream) return stream.error();
  return Watch(*std::move(stream), *std::move(signals), json, std::move(print));
}

base::Status Watch::add(int number, const base::Result<protocol::SubscribeReply>& reply) {
  if (!reply) return reply.error();
  descriptors_[reply->subscription] = number;
  const Watching begun{number, *reply};
  read_ = print_(json_ ? as_json(begun) : as_text(begun));
  return {};
}

base::Status Watch::add(int descriptor) { return add(descriptor, stream_.subscribe(descriptor, protocol::kAllEvents)); }

base::Status Watch::add_all() { return add(-1, stream_.subscribe_all(protocol::kAllEvents)); }

base::Status Watch::add_process(int pid) {
  auto process = open_process(pid);
  if (!process) return process.error();
  process_ = *std::move(process);
  base::Status worst;
  const base::Status done = each_socket(pid, [&](int number, int copy) {
    base::Status added = add(number, stream_.subscribe(copy, protocol::kAllEvents));
    if (!added.ok()) worst = std::move(added);
  });
  return done.ok() && empty() ? worst : done;
}

bool Watch::wanted_still() {
  pollfd ends[] = {{signals_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
  return poll(ends, 2, 0) == 0;
}

// What came, one line each; false: nobody reads.
base::Result<bool> Watch::print_waiting() {
  while (read_) {
    auto event = stream_.next();
    if (!event) return event.error();
    if (!*event) break;
    const auto known = descriptors_.find((*event)->subscription);
    const Watched line{known == descriptors_.end() ? -1 : known->second, **std::move(event)};
    read_ = print_(json_ ? as_json(line) : as_text(line));
    if (!wanted_still()) break;
  }
  return read_;
}

base::Status Watch::run() {
  for (;;) {
    const auto goes_on = print_waiting();
    if (!goes_on) return goes_on.error();
    if (!*goes_on || !wanted_still()) return {};
    // Of stdout only its end is of interest, which poll(2) tells unasked.
    pollfd sources[] = {{stream_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    if (poll(sources, 4, -1) < 0 && errno != EINTR) return base::system_error(Code::SYSTEM, "poll", errno);
    if (sources[3].revents & POLLERR) return {};
  }
}

int run_watch(const Options& options) {
  auto watch = Watch::open(options.json, [](const std::string& text) { return print(text); });
  if (!watch) return complain(watch.error(), options.json);
  const base::Status begun = options.all ? watch->add_all() : options.pid >= 0 ? watch->add_process(options.pid) : watch->add(options.fd);
  if (!begun.ok()) return complain(begun.error(), options.json);
  if (watch->empty()) return complain(base::fail(Code::NO_SOCKET, "process " + std::to_string(options.pid)), options.json);
  const base::Status ended = watch->run();
  return ended.ok() ? kProtected : complain(ended.error(), options.json);
}

}  // namespace gssipsec::tools
