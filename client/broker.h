// SPDX-License-Identifier: MIT
// The one client of the broker's protocol. A Broker is a connection of this process: it finds the socket (compiled-in
// path; GSS_IPSEC_BROKER by secure_getenv), checks that root listens there, sends the caller's credentials with every
// request and keeps to a deadline (2 s for a whole call). No threads, no signals, no SIGPIPE, no descriptor inherited over
// exec. After fork() the child never uses the parent's connection; after a change of user it connects anew.
// Threads: every call from any thread; calls do not wait for each other (idle connections are pooled).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/events.h"
#include "protocol/latch_page.h"

namespace gssipsec::client {

class LatchSlot;

// The latch of one context on one connection's page. Reading it costs no system call. Keeps the page mapped and the
// connection open; the slot is released when the last word of it goes (release() does no more than that).
class LatchWord {
 public:
  LatchWord();
  ~LatchWord();
  LatchWord(LatchWord&&) noexcept;
  LatchWord& operator=(LatchWord&&) noexcept;
  // listener, established, broken, closed, monitored; stale when the broker's heartbeat is too old or the page is not ours any more
  // (fork keeps it: memory is shared). none when the slot was given away.
  [[nodiscard]] protocol::LatchState state() const noexcept;
  [[nodiscard]] bool valid() const noexcept;

 private:
  friend class Broker;
  std::shared_ptr<LatchSlot> slot_;
  base::Bytes statement_;  // the broker's, to be returned with CHECK
};

template <typename Reply>
struct Latched {
  Reply reply;
  LatchWord latch;
  std::optional<protocol::ProgramPolicy> program;  // of this program; none: the broker does not say
};

// All functions: NO_BROKER, BROKER_TIMEOUT, FALSE_BROKER, BAD_MESSAGE, PROTOCOL_VERSION, or what the broker says.
class Broker {
 public:
  [[nodiscard]] static base::Result<protocol::Report> query(int fd, const protocol::QueryRequest& request);
  // What query() says and more; also before connect(2), and of a datagram.
  [[nodiscard]] static base::Result<protocol::SurveyReply> survey(int fd, const protocol::SurveyRequest& request);
  [[nodiscard]] static base::Result<protocol::Report> query_flow(const protocol::QueryFlowRequest& request);
  [[nodiscard]] static base::Result<Latched<protocol::InitiateReply>> initiate(int fd, const protocol::InitiateRequest& request);
  [[nodiscard]] static base::Result<Latched<protocol::AcceptReply>> accept(int fd, const protocol::AcceptRequest& request);
  // What the administrator says of this program, without a question once there is a connection; none where nobody says it.
  [[nodiscard]] static std::optional<protocol::ProgramPolicy> program_policy();
  // For a context of another mechanism: what binds it to the SAs. The latch word is valid where the socket could be latched.
  [[nodiscard]] static base::Result<Latched<protocol::BindReply>> bind(int fd, protocol::Found found, channel::Role role);
  // The same for any program: always bound, and latched.
  [[nodiscard]] static base::Result<Latched<protocol::BindReply>> binding(int fd, channel::Role role);
  // Confirms a stale latch: on another connection if need be; the latch word may be replaced. LATCH_BROKEN, SOCKET_CHANGED: it
  // is gone. Everything else: nobody can say now.
  [[nodiscard]] static base::Status check(int fd, std::uint64_t cookie, LatchWord& latch);
  // Latches the socket without a context; the latch word is valid in states listener, established and monitored (the socket
  // was left alone, `why` says why). The kernel's latch outlives the word: it goes with the socket, or by unlatch().
  [[nodiscard]] static base::Result<Latched<protocol::LatchReply>> latch(int fd, const protocol::LatchRequest& request);
  // Before connect(2): nothing leaves the socket in clear from now on. On a connected one: is it as strong as wanted?
  [[nodiscard]] static base::Result<protocol::RequireReply> require(int fd, const protocol::RequireRequest& request);
  // What endpoint descriptors stand for. NO_ENDPOINT: none of the caller's.
  [[nodiscard]] static base::Result<std::uint32_t> endpoint(const protocol::EndpointRequest& request);
  [[nodiscard]] static base::Result<protocol::Endpoint> resolve(std::uint32_t value);
  // Where the packets of a connection go outside.
  [[nodiscard]] static base::Result<protocol::LocatorsReply> locators(int fd);
  // Takes the latch away from the kernel. LATCH_IN_USE while contexts rest on it, LATCH_OF_OTHER, NO_LATCH.
  [[nodiscard]] static base::Status unlatch(int fd);
  // Best effort, never blocks: the context is gone.
  static void release(LatchWord& latch) noexcept;
  [[nodiscard]] static base::Result<protocol::ProbeReply> probe(const protocol::ProbeRequest& request);
  [[nodiscard]] static base::Result<std::string> localname(const std::string& name);
  // A context leaves this process (LATCH_BROKEN, LIMIT), and arrives in another, with a latch (BAD_TOKEN, SOCKET_CHANGED, LATCH_BROKEN).
  [[nodiscard]] static base::Result<protocol::HandOverReply> hand_over(int fd, std::uint64_t cookie);
  [[nodiscard]] static base::Result<Latched<protocol::TakeOverReply>> take_over(int fd, const protocol::TakeOverRequest& request);
  // For people: what bind() was answered last about this socket, and a program's line; `fd` -1: the line alone.
  [[nodiscard]] static base::Result<protocol::BoundReply> bound(int fd, const std::string& program);
  // How the broker comes to what query() answers, and its figures: for people.
  [[nodiscard]] static base::Result<protocol::ExplainReply> explain(int fd, const protocol::ExplainRequest& request);
  [[nodiscard]] static base::Result<std::string> metrics();
  // For root: whether the broker's copy of the SPD and SAD is what the kernel has.
  [[nodiscard]] static base::Result<protocol::MirrorReply> mirror();
  // For root: what the broker knows to be latched, page by page.
  [[nodiscard]] static base::Result<protocol::LatchesReply> latches(std::uint64_t after);

 private:
  template <typename Got>
  [[nodiscard]] static auto latched(Got got);
};

}  // namespace gssipsec::client
