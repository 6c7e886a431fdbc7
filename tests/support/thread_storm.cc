// SPDX-License-Identifier: MIT
// Many threads of one process, each with a context of its own over a connection of its own:
//   thread_storm server|client ADDRESS PORT THREADS MAKING SPEAKING
// Each client's thread says the port of its connection in each message, sealed and not; each server's thread compares it with the port
// at the other end of its own, and answers. All connections and contexts are there at once; MAKING is how many are being made at a time,
// SPEAKING how many have a message under way. Prints one line: "N of THREADS".
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <latch>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}
#include <gss-ipsec/gss_ipsec.h>

namespace {

constexpr int kRounds = 5, kSeconds = 300;
// A library waits two seconds for its broker.
std::counting_semaphore<> making(0), speaking(0);

void want(bool condition, const std::string& text) {
  if (!condition) throw std::runtime_error(text);
}

std::string text_of(OM_uint32 code, int type, gss_OID mech) {
  OM_uint32 minor, more = 0;
  gss_buffer_desc text{0, nullptr};
  if (gss_display_status(&minor, code, type, mech, &more, &text) != GSS_S_COMPLETE) return {};
  std::string out(static_cast<char*>(text.value), text.length);
  gss_release_buffer(&minor, &text);
  return out;
}

gss_OID mechanism() {
  static const gss_OID oid = [] {
    std::string braces = std::string("{ ") + GSS_IPSEC_OID_MECHANISM + " }";
    for (char& c : braces) c = c == '.' ? ' ' : c;
    gss_buffer_desc text{braces.size(), braces.data()};
    OM_uint32 minor;
    gss_OID made = GSS_C_NO_OID;
    (void)gss_str_to_oid(&minor, &text, &made);
    return made;
  }();
  return oid;
}

void want(const char* call, OM_uint32 major, const OM_uint32& minor) {
  if (GSS_ERROR(major)) throw std::runtime_error(std::string(call) + ": " + text_of(major, GSS_C_GSS_CODE, mechanism()) + ": " + text_of(minor, GSS_C_MECH_CODE, mechanism()));
}

std::string taken(gss_buffer_desc& buffer) {
  std::string out(static_cast<char*>(buffer.value), buffer.length);
  OM_uint32 minor;
  gss_release_buffer(&minor, &buffer);
  return out;
}

int port_of(int fd, bool peer) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  return (peer ? getpeername(fd, where, &size) : getsockname(fd, where, &size)) == 0 ? ntohs(address.sin_port) : -1;
}

// One connection and its context, of one thread.
class Line {
 public:
  Line(int fd, bool client) : fd_(fd), client_(client) {
    const timeval limit{kSeconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential_);
    gss_release_name(&minor, &target_);
    close(fd_);
  }

  void begin() {
    acquire();
    std::string token;
    for (OM_uint32 major = GSS_S_CONTINUE_NEEDED; major != GSS_S_COMPLETE;) {
      if (!client_) token = receive();
      major = client_ ? initiate(token) : accept(token);
      if (!token.empty()) send(token);
      if (client_ && major == GSS_S_CONTINUE_NEEDED) token = receive();
    }
  }

  void hang_up() { shutdown(fd_, SHUT_RDWR); }
  // A message of this line, by turns sealed and not.
  void say(const std::string& words, int round) {
    gss_buffer_desc text{words.size(), const_cast<char*>(words.data())}, token{0, nullptr};
    OM_uint32 minor;
    want("gss_wrap", gss_wrap(&minor, context_, 1, static_cast<gss_qop_t>(round % 2), &text, nullptr, &token), minor);
    send(taken(token));
  }
  std::string hear() {
    std::string token = receive();
    gss_buffer_desc input{token.size(), token.data()}, text{0, nullptr};
    OM_uint32 minor;
    const OM_uint32 major = gss_unwrap(&minor, context_, &input, &text, nullptr, nullptr);
    want("gss_unwrap", major, minor);
    want(major == GSS_S_COMPLETE, "a message out of sequence");
    return taken(text);
  }
  [[nodiscard]] int initiators_port() const { return port_of(fd_, !client_); }

 private:
  void acquire() {
    const std::string number = std::to_string(fd_);
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    gss_OID_set_desc mechs{1, mechanism()};
    OM_uint32 minor;
    want("gss_acquire_cred_from", gss_acquire_cred_from(&minor, GSS_C_NO_NAME, 0, &mechs, client_ ? GSS_C_INITIATE : GSS_C_ACCEPT, &store, &credential_, nullptr, nullptr), minor);
    std::string name = "host@server.example.org";
    gss_buffer_desc text{name.size(), name.data()};
    if (client_) want("gss_import_name", gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &target_), minor);
  }
  OM_uint32 initiate(std::string& token) {
    gss_buffer_desc input{token.size(), token.data()}, output{0, nullptr};
    OM_uint32 minor;
    const OM_uint32 major = gss_init_sec_context(&minor, credential_, &context_, target_, mechanism(), GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG, 0,
                                                 GSS_C_NO_CHANNEL_BINDINGS, &input, nullptr, &output, nullptr, nullptr);
    token = taken(output);
    want("gss_init_sec_context", major, minor);
    return major;
  }
  OM_uint32 accept(std::string& token) {
    gss_buffer_desc input{token.size(), token.data()}, output{0, nullptr};
    OM_uint32 minor;
    const OM_uint32 major = gss_accept_sec_context(&minor, &context_, credential_, &input, GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr, &output, nullptr, nullptr, nullptr);
    token = taken(output);
    want("gss_accept_sec_context", major, minor);
    return major;
  }

  void send(const std::string& token) {
    const auto size = htonl(static_cast<std::uint32_t>(token.size()));
    std::string framed(reinterpret_cast<const char*>(&size), sizeof size);
    framed += token;
    want(::send(fd_, framed.data(), framed.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(framed.size()), "send");
  }
  std::string receive() {
    std::uint32_t size = 0;
    want(recv(fd_, &size, sizeof size, MSG_WAITALL) == sizeof size, "nothing came");
    std::string token(std::min(ntohl(size), 65536u), 0);
    want(recv(fd_, token.data(), token.size(), MSG_WAITALL) == static_cast<ssize_t>(token.size()), "half a token came");
    return token;
  }

  int fd_;
  bool client_;
  gss_name_t target_ = GSS_C_NO_NAME;
  gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
};

// Comes back when all have begun, or failed to.
void begin(Line& line, bool client, std::latch& all) {
  struct Begun {
    bool client;
    std::latch& all;
    ~Begun() {
      if (client) making.release();
      all.arrive_and_wait();
    }
  };
  const Begun begun{client, all};
  try {
    line.begin();
  } catch (const std::exception&) {
    line.hang_up();  // or the other end would wait
    throw;
  }
}

// To speak; a server's thread answers whoever speaks.
class Turn {
 public:
  explicit Turn(bool client) : client_(client) {
    if (client_) speaking.acquire();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (client_) speaking.release();
  }

 private:
  bool client_;
};

void converse(Line& line, bool client) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string words = "port " + std::to_string(line.initiators_port()) + " round " + std::to_string(round);
    const Turn turn(client);
    if (client) line.say(words, round);
    const std::string heard = line.hear();
    want(heard == words, "wanted '" + words + "', found '" + heard + "'");
    if (!client) line.say(words, round);
  }
}

int connection(bool client, const sockaddr_in& where, int listener) {
  if (!client) return accept(listener, nullptr, nullptr);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 ? fd : -1;
}

int listen_at(const sockaddr_in& where) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  want(bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 && listen(fd, 1024) == 0, "listen");
  return fd;
}

int run(bool client, const sockaddr_in& where, int count) {
  const int listener = client ? -1 : listen_at(where);
  if (!client) std::cout << "listening" << std::endl;
  std::atomic<int> good = 0;
  std::latch established(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    if (client) making.acquire();
    const int fd = connection(client, where, listener);
    threads.emplace_back([&, fd] {
      try {
        Line line(fd, client);
        begin(line, client, established);
        converse(line, client);
        ++good;
      } catch (const std::exception& fault) {
        std::cerr << fault.what() + std::string("\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::cout << good << " of " << count << std::endl;
  return good == count ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  making.release(std::stoi(argv[5]));
  speaking.release(std::stoi(argv[6]));
  const rlimit files{4096, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(argv[3])));
  inet_pton(AF_INET, argv[2], &where.sin_addr);
  return run(strcmp(argv[1], "client") == 0, where, std::stoi(argv[4]));
}
