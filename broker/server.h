// SPDX-License-Identifier: MIT
// The clients: accepts them within the limits, hands each message to a worker, and lets go of those that ended. One
// request of a client at a time; the rest waits in the kernel. Never reads from or closes a client's socket itself
// (session.h says why). Threads: the event thread only.
#pragma once

#include <systemd/sd-event.h>

#include <map>
#include <memory>

#include "broker/mailbox.h"
#include "broker/outbox.h"
#include "broker/session.h"
#include "broker/workers.h"

namespace gssipsec::broker {

class Server {
 public:
  Server(sd_event* events, std::shared_ptr<Core> core, Workers& workers, std::shared_ptr<Mailbox> mailbox);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] base::Status listen(base::UniqueFd socket);
  void beat();            // every second: heartbeat of all pages
  void tell_programs();   // the configuration is another one
  void tick(Time now);    // every 250 ms: BUSY for those who wait too long, accepting again
  // To whom they are for; who does not read waits in his own outbox.
  void deliver(const std::vector<Delivery>& deliveries);
  // Ends connections that listen to more than the configuration now lets them.
  void end_unentitled();
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }

  // A request that no worker has begun by then is answered BUSY.
  static constexpr auto kBusyAfter = std::chrono::seconds(1);

 private:
  struct Client {
    Server* server = nullptr;
    std::uint64_t id = 0;
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Page> page;      // a copy taken while no worker has the connection
    sd_event_source* source = nullptr;
    Time submitted{};
    Outbox outbox;
  };

  static int on_listener(sd_event_source*, int fd, std::uint32_t events, void* self);
  static int on_client(sd_event_source*, int fd, std::uint32_t events, void* client);
  void ready(Client& client, std::uint32_t events);
  void flush(Client& client);
  [[nodiscard]] bool listen_again(Client& client);
  void count_outbox(Client& client);
  void tell_program(const Client& client);
  bool accept_one();
  void admit(base::UniqueFd socket, const Credentials& peer);
  void turn_away(base::UniqueFd socket, const Credentials& peer);
  void submit(Client& client);
  void done(std::uint64_t id, bool keep);
  void remove(std::map<std::uint64_t, Client>::iterator client);

  sd_event* events_;
  std::shared_ptr<Core> core_;
  Workers& workers_;
  std::shared_ptr<Mailbox> mailbox_;
  base::UniqueFd listener_;
  sd_event_source* listening_ = nullptr;
  std::map<std::uint64_t, Client> clients_;
  std::map<std::uint32_t, std::uint32_t> per_user_;
  std::uint64_t next_id_ = 1;
};

}  // namespace gssipsec::broker
