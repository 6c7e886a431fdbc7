// SPDX-License-Identifier: MIT
#include "kernel/transaction.h"

#include <atomic>

#include "base/secret.h"

namespace gssipsec::kernel {

namespace {

// Ports share the numbers, so that a late answer to one request is never taken for the answer to the next.
std::uint32_t next_sequence() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

struct Wiped {
  base::Bytes bytes;
  ~Wiped() { base::wipe(bytes); }
};

}  // namespace

Request::Request(std::uint16_t type, std::uint16_t flags) {
  header_.nlmsg_type = type;
  header_.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

Request& Request::raw(base::View data) {
  body_.insert(body_.end(), data.begin(), data.end());
  body_.resize((body_.size() + 3) & ~std::size_t{3});
  return *this;
}

Request& Request::attribute(std::uint16_t type, base::View data) {
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + data.size()), type};
  return fixed(header).raw(data);
}

bool Request::is_dump() const noexcept { return (header_.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP; }

base::Bytes Request::finish(std::uint32_t sequence) const {
  nlmsghdr header = header_;
  header.nlmsg_seq = sequence;
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body_.size());
  base::Bytes out(header.nlmsg_len);
  std::memcpy(out.data(), &header, sizeof header);
  std::copy(body_.begin(), body_.end(), out.begin() + sizeof header);
  return out;
}

base::Status Transaction::begin(const Request& request) {
  sequence_ = next_sequence();
  dump_ = request.is_dump();
  return port_.send(request.finish(sequence_));
}

base::Result<bool> Transaction::go_on() {
  auto received = port_.receive();
  if (!received) return received.error();
  const Wiped datagram{*std::move(received)};
  if (datagram.bytes.empty()) return base::fail(base::Code::NETLINK, "the kernel gave no answer");
  take(datagram.bytes);
  return ended_;
}

base::Result<Outcome> Transaction::outcome() const {
  if (!status_) return status_.error();
  return Outcome{error_};
}

void Transaction::take(base::View datagram) {
  bool cut = false;
  while (const auto message = wire::next_message(datagram, cut))
    if (message->header.nlmsg_seq == sequence_) take(*message);
  if (!cut) return;
  fail(wire::broken("a datagram ends inside a message"));
  ended_ = true;
}

void Transaction::take(const wire::Message& message) {
  if (message.header.nlmsg_flags & NLM_F_DUMP_INTR) fail(base::fail(base::Code::NETLINK_LOST, "the databases changed during their dump"));
  switch (message.header.nlmsg_type) {
    case NLMSG_NOOP: return;
    case NLMSG_OVERRUN: return fail(base::fail(base::Code::NETLINK_LOST, "the kernel says that messages were dropped"));
    case NLMSG_ERROR:
    case NLMSG_DONE: return end(message);
    default: break;
  }
  if (status_.ok())
    if (base::Status consumed = consume_(message); !consumed) fail(consumed.error());
  ended_ = ended_ || !dump_;
}

void Transaction::end(const wire::Message& message) {
  const auto code = wire::head<std::int32_t>(message.payload);
  if (!code && message.header.nlmsg_type == NLMSG_ERROR) fail(wire::broken("an error is cut off"));
  error_ = code ? -*code : 0;
  ended_ = true;
}

void Transaction::fail(base::Error error) {
  if (status_.ok()) status_ = std::move(error);
}

base::Result<Outcome> transact(NetlinkPort& port, const Request& request, const Consumer& consume) {
  Transaction transaction(port, consume);
  if (base::Status begun = transaction.begin(request); !begun) return begun.error();
  while (true) {
    const auto ended = transaction.go_on();
    if (!ended) return ended.error();
    if (*ended) return transaction.outcome();
  }
}

base::Status ask(NetlinkPort& port, const Request& request, const char* what, const Consumer& consume) {
  const auto outcome = transact(port, request, consume);
  if (!outcome) return outcome.error();
  if (outcome->error != 0) return base::system_error(base::Code::NETLINK, what, outcome->error);
  return {};
}

}  // namespace gssipsec::kernel
