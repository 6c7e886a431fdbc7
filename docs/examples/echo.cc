// SPDX-License-Identifier: MIT
// echo.c in C++:  echo serve ADDRESS PORT PEER | echo call ADDRESS PORT PEER TEXT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <ipsec/ipsecapi.hpp>

namespace {

[[noreturn]] void give_up(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

// Closes it.
struct Socket {
  Socket(int number, const char* call) : fd(number) {
    if (fd < 0) give_up(call);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd); }
  int fd;
};

sockaddr_in address_of(const std::string& address, const std::string& port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<in_port_t>(std::stoi(port)));
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) throw std::invalid_argument(address);
  return where;
}

const sockaddr* plain(const sockaddr_in& where) { return reinterpret_cast<const sockaddr*>(&where); }

// Throws where the connection is not with whom we want, or not encrypted, or may not have been so since it began: what waits to be read
// would be anybody's.
ipsec::Latch admit(int fd, const ipsec::Identity& peer) {
  const ipsec::Protection wanted = std::move(ipsec::Protection().want(IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_ENABLE));
  return ipsec::Latch::connection(fd, &wanted, &peer);
}

// What was read counts only where the latch held until then. Empty: the other end hung up.
std::string heard(int fd, const ipsec::Latch& latch) {
  std::string text(1024, '\0');
  const ssize_t size = recv(fd, text.data(), text.size(), 0);
  if (size < 0) give_up("recv");
  text.resize(static_cast<std::size_t>(size));
  if (!text.empty() && latch.state() != IPSEC_LATCH_ESTABLISHED) throw std::runtime_error("the latch broke");
  return text;
}

void say(int fd, const std::string& text) {
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) give_up("send");
}

void serve_one(const Socket& client, const ipsec::Identity& peer) try {
  const ipsec::Latch latch = admit(client.fd, peer);
  for (std::string text = heard(client.fd, latch); !text.empty(); text = heard(client.fd, latch)) {
    std::cout << ipsec::peer(client.fd) << ": " << text << std::endl;
    say(client.fd, text);
  }
} catch (const std::exception& error) {
  std::cout << "refused: " << error.what() << std::endl;
}

void accept_one(const Socket& listener, const ipsec::Identity& peer) try {
  serve_one(Socket(accept(listener.fd, nullptr, nullptr), "accept"), peer);
} catch (const std::system_error& error) {
  std::cout << error.what() << std::endl;
  sleep(1);  // as for too many open files: what will not pass by itself is not asked for without end
}

void serve(const sockaddr_in& where, const ipsec::Identity& peer) {
  const Socket listener(socket(AF_INET, SOCK_STREAM, 0), "socket");
  const int on = 1;
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener.fd, plain(where), sizeof where) != 0 || listen(listener.fd, 5) != 0) give_up("listen");
  for (;;) accept_one(listener, peer);
}

void call(const sockaddr_in& where, const ipsec::Identity& peer, const std::string& text) {
  const Socket server(socket(AF_INET, SOCK_STREAM, 0), "socket");
  if (connect(server.fd, plain(where), sizeof where) != 0) give_up("connect");
  const ipsec::Latch latch = admit(server.fd, peer);
  say(server.fd, text);
  const std::string answer = heard(server.fd, latch);
  if (answer.empty()) throw std::runtime_error("the server hung up");
  std::cout << answer << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "serve") serve(address_of(words[1], words[2]), ipsec::Identity(words[3]));
  if (words.size() != 5 || words[0] != "call") return 2;
  call(address_of(words[1], words[2]), ipsec::Identity(words[3]), words[4]);
  return 0;
} catch (const std::exception& error) {
  std::cout << "refused: " << error.what() << std::endl;
  return 1;
}
