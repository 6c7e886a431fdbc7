// SPDX-License-Identifier: MIT
// A broker for tests of its clients: speaks HELLO with a real latch page, and lets a test misbehave in every other way.
// Sets GSS_IPSEC_BROKER to its own path. Threads: one for accepting, one a connection; the handler runs in those. fork(2) waits
// until they rest, a second at most: AddressSanitizer's malloc stays locked in a child for ever if one of them was in it.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "protocol/latch_page.h"
#include "protocol/events.h"

namespace gssipsec::tests {

struct FakeRequest {
  protocol::Frame frame;
  base::UniqueFd fd;
  ucred credentials{};
  int socket = -1;      // to answer on
  int connection = 0;   // 1 for the first
};

class FakeBroker {
 public:
  using Handler = std::function<void(FakeBroker&, FakeRequest&)>;
  struct Options {
    Handler handler;                     // every request but HELLO; default: obey()
    Handler hello;                       // default: greet()
    uid_t listener = 0;                  // who listens
    std::size_t page_size = sizeof(protocol::LatchPage);
    int seals = -1;                      // -1: all that are wanted
    std::uint32_t slots = protocol::kPageSlots;
    std::uint16_t version = protocol::kVersion;  // that it agrees on
    bool accept = true;                  // false: connections stay in the queue
  };

  FakeBroker() : FakeBroker(Options()) {}
  explicit FakeBroker(Options options);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  // What an honest broker answers, with made-up contents. Latches: slot = 1 + the number of latches so far, generation 7.
  void obey(FakeRequest& request);
  void greet(FakeRequest& request);
  static void answer(const FakeRequest& request, const base::Bytes& body);
  static void send(int socket, const base::Bytes& datagram, const std::vector<int>& fds = {});
  static void hang_up(const FakeRequest& request) { shutdown(request.socket, SHUT_RDWR); }
  [[nodiscard]] protocol::ChannelInfo new_channel(const FakeRequest& request);

  // The page of the connection that came last. It beats each second, as a broker's does, until a test makes it older.
  [[nodiscard]] protocol::LatchPage& page() { return *page_.load(); }
  // The page of the connection that this request came over.
  [[nodiscard]] protocol::LatchPage& page_of(const FakeRequest& request);
  static void beat(protocol::LatchPage& page, int seconds_ago = 0);
  // What it says of the program, on all pages from now on. Nothing at first.
  void say(const protocol::ProgramPolicy& policy) { say_word(protocol::program_word(policy)); }
  void say_word(std::uint32_t word);
  void stop_accepting_new();  // and removes the path
  void hang_up_all();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int open_connections() const { return open_; }
  [[nodiscard]] int requests(protocol::Verb verb) const { return counts_[static_cast<std::size_t>(verb)]; }
  // Waits up to a second for it to become true.
  static bool soon(const std::function<bool()>& condition);

 private:
  void listen_as(uid_t uid);
  void accept_all();
  void accept_one();
  void beat_all();
  void serve(base::UniqueFd socket, int number);
  bool receive(FakeRequest& request, base::Bytes& buffer);

  Options options_;
  std::string directory_, path_;
  base::UniqueFd listener_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0}, open_{0}, latches_{0};
  std::array<std::atomic<int>, static_cast<std::size_t>(protocol::kLastVerb) + 1> counts_{};
  std::atomic<protocol::LatchPage*> page_{nullptr};
  std::atomic<std::uint32_t> program_word_{0};
  std::mutex mutex_;
  std::set<int> sockets_;
  struct Kept {
    protocol::LatchPage* page = nullptr;
    std::uint32_t beaten = 0;  // last; 0: it is too small
  };
  std::map<int, Kept> pages_;  // by connection
  std::thread acceptor_;
  std::vector<std::thread> servers_;  // written by acceptor_ alone while it runs
};

// All threads of a test are there at once; this many ask at once, for a busy machine's broker has two seconds for each.
class AskingInTurn {
 public:
  AskingInTurn() { turns().acquire(); }
  AskingInTurn(const AskingInTurn&) = delete;
  AskingInTurn& operator=(const AskingInTurn&) = delete;
  ~AskingInTurn() { turns().release(); }

 private:
  static std::counting_semaphore<>& turns() {
    static std::counting_semaphore<> some(8);
    return some;
  }
};

}  // namespace gssipsec::tests
