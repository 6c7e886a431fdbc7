// SPDX-License-Identifier: MIT
// A broker that keeps endpoint descriptors, for tests of PF_SHIM.
#pragma once

#include <ipsec/shim.h>

#include <atomic>
#include <map>
#include <mutex>
#include <span>

#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {

class ShimFixture : public ApiFixture {
 public:
  void setUp() override {
    ApiFixture::setUp();
    kept_.clear();
    refusal_ = latching_ = base::Code::ok;
    proven_ = true;
    report.flow.local = report.flow.remote = loopback();
    report.flow.remote_port = 7000;
  }

 protected:
  struct FreeEnd {
    void operator()(void* octets) const { free(octets); }
  };
  using OwnEnd = std::unique_ptr<sockaddr_ed, FreeEnd>;
  using OwnEndpoint = std::unique_ptr<endpoint, FreeEnd>;
  struct FreeList {
    void operator()(addrinfo* list) const { shim_freeaddrinfo(list); }
  };
  using List = std::unique_ptr<addrinfo, FreeList>;

  static channel::Address loopback(unsigned last = 1) { return *channel::parse_address("127.0.0." + std::to_string(last)); }
  static const sockaddr* plain(const sockaddr_ed& ed) { return reinterpret_cast<const sockaddr*>(&ed); }

  // As if it had been made before.
  sockaddr_ed keep(const protocol::Endpoint& what, std::uint16_t port = 0) {
    const std::lock_guard lock(kept_mutex_);
    kept_[++value_] = what;
    return {AF_SHIM, htons(port), htonl(value_)};
  }
  protocol::Endpoint kept(const sockaddr_ed& ed) {
    const std::lock_guard lock(kept_mutex_);
    return kept_.at(ntohl(ed.ed_val));
  }

  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    using protocol::Verb;
    const Verb verb = request.frame.header.verb;
    if ((verb == Verb::endpoint || verb == Verb::resolve) && refusal_ != base::Code::ok) return refuse(request, refusal_);
    if (verb == Verb::latch && latching_ != base::Code::ok) return refuse(request, latching_);
    if (verb == Verb::endpoint) return keep_for(request);
    if (verb == Verb::resolve) return resolve_for(request);
    if (verb == Verb::latch) return latch(self, request, proven_);
    ApiFixture::answer(self, request);
  }
  static void refuse(tests::FakeRequest& request, base::Code code) {
    tests::FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(code)));
  }

  protocol::EndpointRequest asked_;
  std::atomic<base::Code> refusal_{base::Code::ok}, latching_{base::Code::ok};  // of ENDPOINT and RESOLVE; of LATCH
  std::atomic<bool> proven_{true};

 private:
  void keep_for(tests::FakeRequest& request) {
    asked_ = *protocol::decode_endpoint_request(request.frame.body);
    tests::FakeBroker::answer(request, encode(protocol::EndpointReply{ntohl(keep(asked_.endpoint).ed_val)}));
  }
  void resolve_for(tests::FakeRequest& request) {
    const std::lock_guard lock(kept_mutex_);
    const auto entry = kept_.find(protocol::decode_resolve_request(request.frame.body)->value);
    if (entry == kept_.end()) return refuse(request, base::Code::NO_ENDPOINT);
    tests::FakeBroker::answer(request, encode(protocol::ResolveReply{entry->second}));
  }

  std::mutex kept_mutex_;
  std::map<std::uint32_t, protocol::Endpoint> kept_;
  std::uint32_t value_ = 41;
};

}  // namespace gssipsec::api
