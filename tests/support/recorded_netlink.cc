// SPDX-License-Identifier: MIT
#include "tests/support/recorded_netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace gssipsec::support {

namespace {

constexpr std::string_view kMagic = "GSNLREC1";
constexpr std::size_t kLargest = 1 << 20;

nlmsghdr header_of(base::View datagram) {
  nlmsghdr header{};
  if (datagram.size() >= sizeof header) std::memcpy(&header, datagram.data(), sizeof header);
  return header;
}

// Type, flags and payload; not sequence number and port.
bool same_question(base::View a, base::View b) {
  const nlmsghdr left = header_of(a), right = header_of(b);
  return left.nlmsg_type == right.nlmsg_type && left.nlmsg_flags == right.nlmsg_flags && a.size() == b.size() &&
         std::equal(a.begin() + sizeof(nlmsghdr), a.end(), b.begin() + sizeof(nlmsghdr));
}

void renumber(base::Bytes& datagram, std::uint32_t sequence) {
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= datagram.size();) {
    nlmsghdr header = header_of(base::View(datagram).subspan(at));
    header.nlmsg_seq = sequence;
    std::memcpy(datagram.data() + at, &header, sizeof header);
    if (header.nlmsg_len < sizeof header) return;
    at += (header.nlmsg_len + 3u) & ~3u;
  }
}

base::Bytes refusal(const nlmsghdr& question) {
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } message{};
  message.header = {sizeof message, NLMSG_ERROR, 0, question.nlmsg_seq, 0};
  message.error = {question.nlmsg_type == XFRM_MSG_GETSA ? -ESRCH : -EINVAL, question};
  base::Bytes out(sizeof message);
  std::memcpy(out.data(), &message, sizeof message);
  return out;
}

}  // namespace

base::Result<Recording> Recording::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open()) return base::system_error(base::Code::SYSTEM, path.c_str(), errno);
  base::Reader in(base::view_of(all));
  if (base::text_of(in.take(kMagic.size())) != kMagic) return base::fail(base::Code::NETLINK_MESSAGE, path + " is no recording");
  Recording out;
  while (in.left() > 0) {
    const auto kind = static_cast<Kind>(in.u8());
    const base::View octets = in.block32(kLargest);
    out.datagrams.push_back({kind, base::Bytes(octets.begin(), octets.end())});
  }
  if (in.failed()) return base::fail(base::Code::NETLINK_MESSAGE, path + " is cut off");
  return out;
}

base::Status Recording::save(const std::string& path) const {
  base::Writer out;
  out.raw(kMagic);
  for (const Datagram& one : datagrams) out.u8(static_cast<std::uint8_t>(one.kind)).block32(one.octets);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << base::text_of(out.bytes()) << std::flush;
  return file ? base::Status() : base::Status(base::system_error(base::Code::SYSTEM, path.c_str(), errno));
}

std::vector<base::Bytes> Recording::events() const {
  std::vector<base::Bytes> out;
  for (const Datagram& one : datagrams)
    if (one.kind == Kind::event) out.push_back(one.octets);
  return out;
}

base::Status RecordingPort::send(base::View datagram) {
  into_.datagrams.push_back({Recording::Kind::request, base::Bytes(datagram.begin(), datagram.end())});
  return real_->send(datagram);
}

base::Result<base::Bytes> RecordingPort::receive() {
  auto got = real_->receive();
  if (got && !got->empty()) into_.datagrams.push_back({received_, *got});
  return got;
}

ReplayPort::ReplayPort(const Recording& recording) : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (const Recording::Datagram& one : recording.datagrams) {
    if (one.kind == Recording::Kind::request) exchanges_.push_back({one.octets, {}});
    if (one.kind == Recording::Kind::answer && !exchanges_.empty()) exchanges_.back().answers.push_back(one.octets);
  }
  std::reverse(exchanges_.begin(), exchanges_.end());
}

base::Status ReplayPort::send(base::View datagram) {
  const nlmsghdr question = header_of(datagram);
  const auto found = std::find_if(exchanges_.begin(), exchanges_.end(), [&](const Exchange& one) { return same_question(one.request, datagram); });
  if (found == exchanges_.end()) {
    pending_.push_back(refusal(question));
    return {};
  }
  for (base::Bytes answer : found->answers) {
    renumber(answer, question.nlmsg_seq);
    pending_.push_back(std::move(answer));
  }
  return {};
}

base::Result<base::Bytes> ReplayPort::receive() {
  if (pending_.empty()) return base::fail(base::Code::NETLINK, "the recording has no further answer");
  base::Bytes out = std::move(pending_.front());
  pending_.pop_front();
  return out;
}

ReplayMonitor::ReplayMonitor(std::vector<base::Bytes> events)
    : pending_(std::make_move_iterator(events.begin()), std::make_move_iterator(events.end())), ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  signal();
}

void ReplayMonitor::push(base::Bytes datagram) {
  pending_.push_back(std::move(datagram));
  signal();
}

base::Result<base::Bytes> ReplayMonitor::receive() {
  if (pending_.empty()) return base::Bytes{};
  base::Bytes out = std::move(pending_.front());
  pending_.pop_front();
  signal();
  return out;
}

void ReplayMonitor::signal() noexcept {
  std::uint64_t count = 0;
  if (pending_.empty())
    (void)!::read(ready_.get(), &count, sizeof count);
  else
    (void)!::write(ready_.get(), &(count = 1), sizeof count);
}

base::Result<base::Bytes> ToldMonitor::receive() {
  base::Bytes data(4096);
  const ssize_t length = recv(fd_, data.data(), data.size(), MSG_DONTWAIT);
  if (length < 0) return base::Bytes();
  if (length == 1) return base::fail(base::Code::NETLINK_LOST, "the test says so");
  data.resize(static_cast<std::size_t>(length));
  return data;
}

base::Result<base::Bytes> FaultyPort::receive() {
  auto got = real_.receive();
  if (!got || received_++ != which_) return got;
  return fault_(*std::move(got));
}

}  // namespace gssipsec::support
