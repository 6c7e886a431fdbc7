// SPDX-License-Identifier: MIT
// A vici server in a thread of the test: answers with what it was given and misbehaves on demand.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "ike/vici_codec.h"

namespace gssipsec::ike::test {

class FakeVici {
 public:
  enum class Fault { none, hang, half_message, close_inside, absurd_length, broken_message, drip, unknown_command, refuse };

  FakeVici();
  ~FakeVici();
  FakeVici(const FakeVici&) = delete;
  FakeVici& operator=(const FakeVici&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // The answer to a command: octets as recorded, or messages of the events that precede an empty response.
  void answer(const std::string& command, base::Bytes stream);
  void answer(const std::string& command, const std::string& event, const std::vector<ViciSection>& messages);
  // What the next answers to the command are, one each, before the lasting one.
  void answer_next(const std::string& command, const std::string& event, const std::vector<ViciSection>& messages);
  void misbehave(const std::string& command, Fault fault);
  void do_not_know_event(const std::string& event);
  void raise(const ViciPacket& event);  // to everybody who is connected
  void hang_up();                       // on everybody

  void start(uid_t as_user = 0);  // listens as this effective user (needs root unless it is the test's own)
  void stop();
  void serve_here(uid_t as_user);  // start() without a thread: for a forked process, which ends by a signal
  [[nodiscard]] int connections() const { return connections_; }

 private:
  struct Client {
    base::UniqueFd fd;
    ViciStream in;
  };
  void listen_as(uid_t user);
  void run();
  bool serve(Client& client);
  bool reply(Client& client, const ViciPacket& request);
  bool reply_to_command(Client& client, const std::string& command);

  std::string folder_, path_;
  base::UniqueFd listener_, wake_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false, hang_up_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::map<std::string, base::Bytes> answers_;
  std::map<std::string, std::vector<base::Bytes>> next_;
  std::map<std::string, Fault> faults_;
  std::vector<std::string> unknown_events_;
  base::Bytes raised_;
  std::vector<Client> clients_;  // the thread's own
};

}  // namespace gssipsec::ike::test
