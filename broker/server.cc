// SPDX-License-Identifier: MIT
#include "broker/server.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "broker/log.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using Phase = Connection::Phase;

constexpr int kAcceptsPerTurn = 64;
constexpr int kLingerMs = 1, kMostInARow = 64;

base::Result<Credentials> peer_of(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return base::system_error(Code::SYSTEM, "SO_PEERCRED", errno);
  return Credentials{peer.pid, peer.uid, peer.gid};
}

base::Status pass_credentials(int socket) {
  const int on = 1;
  if (setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return base::system_error(Code::SYSTEM, "SO_PASSCRED", errno);
  return {};
}

// Groups that are more than this are not looked at: they grant nothing.
std::vector<std::uint32_t> groups_of(int socket, std::uint32_t own) {
  std::vector<gid_t> more(1024);
  auto size = static_cast<socklen_t>(more.size() * sizeof(gid_t));
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, more.data(), &size) != 0) size = 0;
  std::vector<std::uint32_t> groups{own};
  groups.insert(groups.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(size / sizeof(gid_t)));
  return groups;
}

Outbox::Sent send_event(int socket, base::View datagram) {
  if (send_message(socket, datagram, -1)) return Outbox::Sent::yes;
  return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? Outbox::Sent::full : Outbox::Sent::gone;
}

bool readable(int socket) {
  pollfd look{socket, POLLIN, 0};
  return poll(&look, 1, kLingerMs) > 0;
}

// Contexts ask several times in quick succession: while nobody else wants the worker it waits a moment for the next
// request, which then needs no turn of the event loop.
bool serve_some(Core& core, Bench& bench, Connection& connection) {
  for (int i = 0; i < kMostInARow; ++i) {
    if (!serve(core, bench, connection)) return false;
    if (!bench.may_go_on() || !readable(connection.socket.get()) || !bench.may_go_on()) return true;
  }
  return true;
}

// In a worker.
bool work(Core& core, Bench& bench, Connection& connection) {
  Phase waiting = Phase::waiting;
  if (connection.phase.compare_exchange_strong(waiting, Phase::begun)) return serve_some(core, bench, connection);
  // Answered BUSY already: the message goes, with what came with it. A short read; the kernel drops the rest here.
  char nothing = 0;
  (void)recv(connection.socket.get(), &nothing, 1, MSG_DONTWAIT);
  return true;
}

}  // namespace

Server::Server(sd_event* events, std::shared_ptr<Core> core, Workers& workers, std::shared_ptr<Mailbox> mailbox)
    : events_(events), core_(std::move(core)), workers_(workers), mailbox_(std::move(mailbox)) {}

Server::~Server() {
  sd_event_source_disable_unref(listening_);
  for (auto& [id, client] : clients_) sd_event_source_disable_unref(client.source);
}

base::Status Server::listen(base::UniqueFd socket) {
  base::Status status = pass_credentials(socket.get());
  if (!status.ok()) return status;
  listener_ = std::move(socket);
  const int error = sd_event_add_io(events_, &listening_, listener_.get(), EPOLLIN, &Server::on_listener, this);
  if (error < 0) return base::system_error(Code::SYSTEM, "sd_event_add_io", -error);
  return {};
}

int Server::on_listener(sd_event_source*, int, std::uint32_t, void* self) {
  auto* server = static_cast<Server*>(self);
  for (int i = 0; i < kAcceptsPerTurn && server->accept_one(); ++i) {}
  return 0;
}

bool Server::accept_one() {
  base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      log(Level::error, "out of descriptors; not accepting for a moment");
      sd_event_source_set_enabled(listening_, SD_EVENT_OFF);
    }
    return false;
  }
  const auto peer = peer_of(socket.get());
  if (!peer || !pass_credentials(socket.get()).ok()) return true;  // nothing was read; nobody to answer
  const auto config = core_->config();
  const auto user = per_user_.find(peer->uid);
  const bool full = clients_.size() >= config->max_clients || (user != per_user_.end() && user->second >= config->max_clients_per_user);
  if (full)
    turn_away(std::move(socket), *peer);
  else
    admit(std::move(socket), *peer);
  return true;
}

void Server::admit(base::UniqueFd socket, const Credentials& peer) {
  const std::uint64_t id = next_id_++;
  Client& client = clients_[id];
  client.server = this;
  client.id = id;
  client.connection = std::make_shared<Connection>();
  client.connection->socket = std::move(socket);
  client.connection->peer = peer;
  client.connection->number = id;
  client.connection->groups = groups_of(client.connection->socket.get(), peer.gid);
  core_->metrics.connections.fetch_add(1, std::memory_order_relaxed);
  ++per_user_[peer.uid];
  const int error = sd_event_add_io(events_, &client.source, client.connection->socket.get(), EPOLLIN, &Server::on_client, &client);
  if (error < 0 || sd_event_source_set_enabled(client.source, SD_EVENT_ONESHOT) < 0) {
    log(Level::error, "cannot watch a client");
    remove(clients_.find(id));
  }
}

// Says why, and lets a worker close it: what the client has sent already may hold descriptors.
void Server::turn_away(base::UniqueFd socket, const Credentials& peer) {
  core_->metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
  answer_unread(socket.get(), fail(Code::LIMIT, "too many connections to the broker"));
  shutdown(socket.get(), SHUT_RDWR);
  auto doomed = std::make_shared<base::UniqueFd>(std::move(socket));
  workers_.submit(peer.uid, [doomed](Bench&) { doomed->reset(); });
}

int Server::on_client(sd_event_source*, int, std::uint32_t events, void* argument) {
  auto* client = static_cast<Client*>(argument);
  client->server->ready(*client, events);
  return 0;
}

void Server::ready(Client& client, std::uint32_t events) {
  if (events & EPOLLOUT) flush(client);
  if (events & ~static_cast<std::uint32_t>(EPOLLOUT))
    submit(client);
  else if (!listen_again(client))
    remove(clients_.find(client.id));
}

bool Server::listen_again(Client& client) {
  return sd_event_source_set_io_events(client.source, client.outbox.waiting() ? EPOLLIN | EPOLLOUT : EPOLLIN) >= 0 &&
         sd_event_source_set_enabled(client.source, SD_EVENT_ONESHOT) >= 0;
}

// A connection that is gone is found so by whoever reads from it.
void Server::flush(Client& client) {
  const int socket = client.connection->socket.get();
  if (!client.outbox.flush([socket](base::View datagram) { return send_event(socket, datagram); })) shutdown(socket, SHUT_RDWR);
  count_outbox(client);
}

void Server::count_outbox(Client& client) {
  core_->metrics.events_sent.fetch_add(client.outbox.take_sent(), std::memory_order_relaxed);
  core_->metrics.events_dropped.fetch_add(client.outbox.take_dropped(), std::memory_order_relaxed);
}

void Server::deliver(const std::vector<Delivery>& deliveries) {
  const std::size_t most = core_->config()->events_queued;
  for (const Delivery& delivery : deliveries) {
    const auto found = clients_.find(delivery.connection);
    if (found == clients_.end()) continue;
    Client& client = found->second;
    const int socket = client.connection->socket.get();
    const bool waited = client.outbox.waiting();
    const auto send = [socket](base::View datagram) { return send_event(socket, datagram); };
    if (!client.outbox.push(delivery.request, delivery.event, most, send)) shutdown(socket, SHUT_RDWR);
    count_outbox(client);
    // While a worker has the connection, done() looks.
    if (!waited && client.outbox.waiting() && client.connection->phase.load() == Phase::idle) (void)listen_again(client);
  }
}

void Server::end_unentitled() {
  const auto config = core_->config();
  for (const std::uint64_t number : core_->subscriptions.listening_to_all()) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) continue;
    const Connection& connection = *found->second.connection;
    if (!config->rights.allows(Action::subscribe_all, connection.peer.uid, connection.groups)) shutdown(connection.socket.get(), SHUT_RDWR);
  }
}

void Server::submit(Client& client) {
  client.submitted = Clock::now();
  client.outbox.hold();
  client.connection->phase = Phase::waiting;
  workers_.submit(client.connection->peer.uid,
                  [core = core_, connection = client.connection, mailbox = mailbox_, server = this, id = client.id](Bench& bench) {
                    const bool keep = work(*core, bench, *connection);
                    mailbox->post([server, id, keep] { server->done(id, keep); });
                  });
}

void Server::done(std::uint64_t id, bool keep) {
  const auto client = clients_.find(id);
  if (client == clients_.end()) return;
  client->second.connection->phase = Phase::idle;
  // Its first request was HELLO, which may have read the configuration of before.
  if (!std::exchange(client->second.page, client->second.connection->page) && client->second.page) tell_program(client->second);
  client->second.outbox.release();
  flush(client->second);
  if (keep && listen_again(client->second)) return;
  remove(client);
}

void Server::remove(std::map<std::uint64_t, Client>::iterator client) {
  sd_event_source_disable_unref(client->second.source);
  const std::shared_ptr<Connection> connection = client->second.connection;
  const std::uint32_t uid = connection->peer.uid;
  if (client->second.page) core_->latches.drop_page(client->second.page);
  core_->subscriptions.drop(connection->number);
  clients_.erase(client);
  if (--per_user_[uid] == 0) per_user_.erase(uid);
  workers_.submit(uid, [connection](Bench&) { connection->socket.reset(); });
}

void Server::beat() {
  const std::uint32_t now = heartbeat_now();
  for (auto& [id, client] : clients_)
    if (client.page) client.page->beat(now);
}

void Server::tell_program(const Client& client) { client.page->tell(rule_for(*core_->config(), client.page->program()).policy()); }

void Server::tell_programs() {
  for (const auto& [id, client] : clients_)
    if (client.page) tell_program(client);
}

void Server::tick(Time now) {
  sd_event_source_set_enabled(listening_, SD_EVENT_ON);
  for (auto& [id, client] : clients_) {
    if (client.connection->phase.load() != Phase::waiting || now - client.submitted < kBusyAfter) continue;
    Phase waiting = Phase::waiting;
    if (!client.connection->phase.compare_exchange_strong(waiting, Phase::refused)) continue;
    core_->metrics.busy.fetch_add(1, std::memory_order_relaxed);
    answer_unread(client.connection->socket.get(), fail(Code::BUSY, "earlier requests of this user do not come back"));
  }
}

}  // namespace gssipsec::broker
