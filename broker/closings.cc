// SPDX-License-Identifier: MIT
#include "broker/closings.h"

#include <sys/epoll.h>

#include "kernel/socket.h"

namespace gssipsec::broker {
namespace {

constexpr int kMostAtOnce = 1024;  // datagrams in one turn of the event loop

}  // namespace

void close_broken(Host& host, const Latches& latches, const Latches::Broken& broken) {
  if (!latches.holds(broken.cookie, broken.flow)) (void)host.destroy_socket(broken.flow, broken.cookie).ok();
}

Closings::Closings(std::shared_ptr<Host> host, Latches& latches, OwnPolicies& own_policies, std::function<void()> lost)
    : host_(std::move(host)), latches_(latches), own_policies_(own_policies), lost_(std::move(lost)) {}

void Closings::adjust(sd_event* events) {
  const bool wanted = latches_.size() > 0 || own_policies_.size() > 0;
  if (wanted && !port_) start(events);
  if (!wanted && port_) stop();
}

void Closings::start(sd_event* events) {
  auto port = host_->open_closings_port();
  if (!port) return own_policies_.unheard(now());  // the next sweep
  port_ = *std::move(port);
  if (events)
    (void)sd_event_add_io(events, &source_, port_->fd(), EPOLLIN,
                          [](sd_event_source*, int, std::uint32_t, void* self) { return static_cast<Closings*>(self)->drain(), 0; }, this);
  miss();  // what closed before is in a list only
}

void Closings::stop() {
  sd_event_source_disable_unref(source_);
  source_ = nullptr;
  port_.reset();
}

void Closings::miss() {
  own_policies_.unheard(now());
  lost_();
}

void Closings::drain() {
  for (int i = 0; i < kMostAtOnce && port_; ++i) {
    const auto datagram = port_->receive();
    if (datagram.ok() && datagram->empty()) return;
    const auto cookies = datagram.ok() ? kernel::decode_closings(*datagram) : base::Result<std::vector<std::uint64_t>>(datagram.error());
    if (cookies) {
      for (const std::uint64_t cookie : *cookies) latches_.close(cookie), own_policies_.close(cookie);
      continue;
    }
    miss();
    if (cookies.error().code != base::Code::NETLINK_LOST) return stop();
  }
}

}  // namespace gssipsec::broker
