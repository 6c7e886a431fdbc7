// SPDX-License-Identifier: MIT
// Runs with libipsecshim-preload.so in LD_PRELOAD, linked with nothing of ours, and tries one thing with it: shim_probe NAME. Exit code 0
// when all was as it should be; otherwise it says what was not. Over loopback, and with a broker that believes it to be under IPsec or not.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <ipsec/shim.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void want(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "not so: %s (%s)\n", what, std::strerror(errno));
  _exit(1);
}

// The calls that a program makes: libc's names, or those of the library, which the preload brought.
struct Calls {
  decltype(&::socket) socket;
  decltype(&::bind) bind;
  decltype(&::connect) connect;
  decltype(&::accept) accept;
  decltype(&::getsockname) getsockname;
  decltype(&::getpeername) getpeername;
  decltype(&::getsockopt) getsockopt;
};
constexpr Calls kPlain = {::socket, ::bind, ::connect, ::accept, ::getsockname, ::getpeername, ::getsockopt};

template <typename Function>
Function* found(const char* name, Function*) {
  auto* function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  want(function, name);
  return function;
}
#define IPSEC_SHIM_FOUND(name) found("shim_" #name, ::name)
Calls own_calls() {
  return {IPSEC_SHIM_FOUND(socket), IPSEC_SHIM_FOUND(bind), IPSEC_SHIM_FOUND(connect), IPSEC_SHIM_FOUND(accept),
          IPSEC_SHIM_FOUND(getsockname), IPSEC_SHIM_FOUND(getpeername), IPSEC_SHIM_FOUND(getsockopt)};
}

int option(const Calls& calls, int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  want(calls.getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0, "an option");
  return value;
}

struct Listener {
  int fd = -1;
  in_port_t port = 0;
};

Listener listener(const Calls& calls = kPlain) {
  Listener made{calls.socket(PF_SHIM, SOCK_STREAM, 0)};
  sockaddr_ed any{AF_SHIM, 0, htonl(SHIM_ED_ANY)};
  auto* address = reinterpret_cast<sockaddr*>(&any);
  socklen_t size = sizeof any;
  want(made.fd >= 0 && calls.bind(made.fd, address, size) == 0 && listen(made.fd, 5) == 0, "it listens");
  want(calls.getsockname(made.fd, address, &size) == 0 && any.ed_family == AF_SHIM && any.ed_val == htonl(SHIM_ED_ANY), "its name is an end");
  made.port = any.ed_port;
  return made;
}

// In clear, by plain sockets.
int stranger(in_port_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_port = port, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  want(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "a stranger connects");
  return fd;
}

void octets_pass(int from, int to) {
  char octets[6] = {};
  want(send(from, "octets", 6, MSG_NOSIGNAL) == 6 && recv(to, octets, 6, MSG_WAITALL) == 6 && std::memcmp(octets, "octets", 6) == 0, "octets pass");
}

void speak_by_ends(const Calls& calls) {
  const Listener server = listener(calls);
  addrinfo hints{}, *end = nullptr;
  hints.ai_family = PF_SHIM, hints.ai_flags = AI_ED, hints.ai_socktype = SOCK_STREAM;
  char port[8];
  std::snprintf(port, sizeof port, "%d", ntohs(server.port));
  want(getaddrinfo("127.0.0.1", port, &hints, &end) == 0 && end->ai_family == PF_SHIM, "the resolver gives an end");
  const int client = calls.socket(PF_SHIM, SOCK_STREAM, 0);
  want(calls.connect(client, end->ai_addr, end->ai_addrlen) == 0, "it connects");
  freeaddrinfo(end);
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int accepted = calls.accept(server.fd, reinterpret_cast<sockaddr*>(&peer), &size);
  want(accepted >= 0 && peer.ss_family == AF_SHIM, "it accepts");
  want(calls.getpeername(client, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.ss_family == AF_SHIM, "the peer is an end");
  for (const int fd : {server.fd, client, accepted}) want(option(calls, fd, SO_DOMAIN) == PF_SHIM && option(calls, fd, SO_ERROR) == 0, "it is of PF_SHIM");
  octets_pass(client, accepted), octets_pass(accepted, client);
}

void plain_calls() { speak_by_ends(kPlain); }
void own_functions() { speak_by_ends(own_calls()); }

void other_sockets() {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  want(bind(server, at, size) == 0 && listen(server, 5) == 0 && getsockname(server, at, &size) == 0 && address.sin_family == AF_INET, "it listens");
  const int client = stranger(address.sin_port), accepted = accept4(server, at, &size, SOCK_CLOEXEC);
  want(accepted >= 0 && address.sin_family == AF_INET && getpeername(client, at, &size) == 0 && address.sin_family == AF_INET, "it accepts");
  want(option(kPlain, accepted, SO_DOMAIN) == AF_INET && option(kPlain, accepted, SO_ERROR) == 0, "its options are the system's");
  const int on = 1;
  want(setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 && option(kPlain, accepted, SO_KEEPALIVE) == 1, "an option is set");
  octets_pass(client, accepted);
  addrinfo hints{}, *list = nullptr;
  hints.ai_flags = AI_NUMERICHOST;
  want(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0 && list->ai_family == AF_INET, "the resolver is the system's");
  freeaddrinfo(list);
  const sockaddr_ed end{AF_SHIM, 0, htonl(SHIM_ED_ANY)};
  want(connect(server, reinterpret_cast<const sockaddr*>(&end), sizeof end) == -1 && errno == EINVAL, "an end is for sockets of PF_SHIM");
  want(accept(-1, nullptr, nullptr) == -1 && errno == EBADF, "errors are the system's");
}

// Where nobody is under IPsec.
void shut_out(int listening, const char* when) { want(accept(listening, nullptr, nullptr) == -1 && errno == ECONNABORTED, when); }

Listener interrupted;
sigjmp_buf before;
pthread_t main_thread;
int how_often = 1;

void* interrupt(void*) {
  if (how_often == 1) poll(nullptr, 0, 200);
  for (int i = 0; i < how_often; ++i) pthread_kill(main_thread, SIGUSR1), usleep(20);
  return nullptr;
}

// By a thread: the alarm that ends a trial which hangs must stay.
void be_interrupted(void (*handler)(int), int times) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  main_thread = pthread_self();
  how_often = times;
  pthread_t thread;
  want(sigaction(SIGUSR1, &action, nullptr) == 0 && pthread_create(&thread, nullptr, interrupt, nullptr) == 0, "a handler");
}

void handler() {
  interrupted = listener();
  const auto shuts_out = [](int) {
    stranger(interrupted.port);
    shut_out(interrupted.fd, "a handler that interrupts accept() shuts him out");
    stranger(interrupted.port);
  };
  be_interrupted(shuts_out, 1);
  shut_out(interrupted.fd, "who was interrupted shuts him out");
}

void jump() {
  interrupted = listener();
  be_interrupted([](int) { siglongjmp(before, 1); }, 1);
  if (sigsetjmp(before, 1) == 0) shut_out(interrupted.fd, "nobody came");
  stranger(interrupted.port);
  shut_out(interrupted.fd, "after a jump out of accept() he is shut out");
}

// A handler asks the same of the same tables as whom it interrupts.
int asked_about = -1;
void ask() {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  want(getsockname(asked_about, reinterpret_cast<sockaddr*>(&name), &size) == 0, "a name");
}

// Of many sockets the table forgets those that are closed, which takes its time.
void many_signals() {
  for (int i = 0; i < 200; ++i) asked_about = socket(AF_INET, SOCK_STREAM, 0);
  be_interrupted([](int) { ask(); }, 100000);
  for (int i = 0; i < 1000; ++i) {
    const int fd = socket(PF_SHIM, SOCK_STREAM, 0);
    want(fd >= 0 && close(fd) == 0, "a socket is made");
  }
}

bool ends_soon(pid_t child) {
  int status = -1;
  for (int tries = 0; tries < 2000; ++tries, poll(nullptr, 0, 1))
    if (waitpid(child, &status, WNOHANG) == child) return status == 0;
  return kill(child, SIGKILL), false;
}

// While another thread asks, too. No socket of PF_SHIM is there.
void many_forks() {
  asked_about = socket(AF_INET, SOCK_STREAM, 0);
  pthread_t thread;
  const auto asks = [](void*) -> void* {
    for (;;) ask();
  };
  want(pthread_create(&thread, nullptr, asks, nullptr) == 0, "a thread");
  for (int i = 0; i < 500; ++i) {
    const pid_t child = fork();
    if (child == 0) ask(), _exit(0);
    want(ends_soon(child), "a child asks as its parent");
  }
}

std::atomic<bool> returned;
void* accept_one(void* fd) {
  const int accepted = accept(*static_cast<int*>(fd), nullptr, nullptr);
  returned = accepted >= 0;
  pthread_testcancel();
  return nullptr;
}

// What of libc's waits may be cancelled; ours returns first.
void cancelled() {
  int plain = socket(AF_INET, SOCK_STREAM, 0);
  want(listen(plain, 1) == 0, "it listens");
  Listener shim = listener();
  for (int* fd : {&plain, &shim.fd}) {
    pthread_t thread;
    void* result = nullptr;
    want(pthread_create(&thread, nullptr, accept_one, fd) == 0, "a thread");
    poll(nullptr, 0, 100);
    want(pthread_cancel(thread) == 0, "it is cancelled");
    if (fd == &shim.fd) poll(nullptr, 0, 100), stranger(shim.port);
    want(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED && returned == (fd == &shim.fd), "it ends when it should");
  }
}

struct Trial {
  const char* name;
  void (*run)();
};
constexpr Trial kTrials[] = {{"plain-calls", plain_calls}, {"own-functions", own_functions}, {"other-sockets", other_sockets}, {"handler", handler},
                             {"jump", jump}, {"many-signals", many_signals}, {"many-forks", many_forks}, {"cancelled", cancelled}};

}  // namespace

int main(int argc, char** argv) {
  for (const Trial& trial : kTrials)
    if (argc == 2 && std::strcmp(argv[1], trial.name) == 0) return trial.run(), 0;
  std::fprintf(stderr, "shim_probe: no trial of that name\n");
  return 2;
}
