// SPDX-License-Identifier: MIT
// echo.c in C++:  echo serve ADDRESS PORT PEER | echo call ADDRESS PORT PEER TEXT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <ipsec/ipsecapi.hpp>

namespace {

// Closes it.
struct Socket {
  explicit Socket(int number) : fd(number) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
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

// Throws where the connection is not with whom we want, or not encrypted.
ipsec::Latch admit(int fd, const ipsec::Identity& peer) {
  const ipsec::Protection wanted = std::move(ipsec::Protection().want(IPSEC_API_ATTR_privacyProtected));
  return ipsec::Latch::connection(fd, &wanted, &peer);
}

// What was read counts only where the latch held until then.
std::string heard(int fd, const ipsec::Latch& latch) {
  std::string text(1024, '\0');
  const ssize_t size = read(fd, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (!text.empty() && latch.state() != IPSEC_LATCH_ESTABLISHED) throw std::runtime_error("the latch broke");
  return text;
}

void say(int fd, const std::string& text) {
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) throw std::system_error(errno, std::generic_category(), "send");
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

void serve(const sockaddr_in& where, const ipsec::Identity& peer) {
  const Socket listener(socket(AF_INET, SOCK_STREAM, 0));
  const int on = 1;
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener.fd, plain(where), sizeof where) != 0 || listen(listener.fd, 5) != 0) throw std::system_error(errno, std::generic_category(), "listen");
  for (;;) serve_one(Socket(accept(listener.fd, nullptr, nullptr)), peer);
}

void call(const sockaddr_in& where, const ipsec::Identity& peer, const std::string& text) {
  const Socket server(socket(AF_INET, SOCK_STREAM, 0));
  if (connect(server.fd, plain(where), sizeof where) != 0) throw std::system_error(errno, std::generic_category(), "connect");
  const ipsec::Latch latch = admit(server.fd, peer);
  say(server.fd, text);
  std::cout << heard(server.fd, latch) << std::endl;
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
