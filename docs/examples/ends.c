/* SPDX-License-Identifier: MIT */
/* An echo server and its client that know plain sockets alone: what is about IPsec is a family and a flag. It is linked with nothing:
     LD_PRELOAD=.../gss-ipsec/libipsecshim-preload.so ends serve PORT
     LD_PRELOAD=.../gss-ipsec/libipsecshim-preload.so ends call NAME PORT TEXT
   Without the preload, or without a broker, the resolver knows nothing of it, and nothing is sent. */
#include <errno.h>
#include <ipsec/shim.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int problem(const char *what) {
  fprintf(stderr, "ends: %s: %s\n", what, strerror(errno));
  return 1;
}

/* How sure: both kinds of programs may ask. */
static void tell(int fd) {
  struct ipsec_security_info info;
  socklen_t length = sizeof info;
  if (getsockopt(fd, SOL_SHIM, SHIM_SECURITY, &info, &length) == 0)
    printf("%s, %s\n", info.flags & IPSEC_INFO_ENFORCED ? "enforced" : "not enforced", info.flags & IPSEC_INFO_ENCRYPTED ? "encrypted" : "not encrypted");
}

static int serve(const struct addrinfo *end) {
  char text[1024];
  ssize_t size;
  const int on = 1, listener = socket(end->ai_family, end->ai_socktype, end->ai_protocol);
  if (listener < 0) return problem("socket");
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(listener, end->ai_addr, end->ai_addrlen) != 0 || listen(listener, 5) != 0)
    return problem("bind");
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      if (errno != ECONNABORTED && errno != EINTR) return problem("accept");
      printf("somebody was refused\n");
    } else {
      tell(fd);
      while ((size = recv(fd, text, sizeof text, 0)) > 0) send(fd, text, (size_t)size, MSG_NOSIGNAL);
      close(fd);
    }
    fflush(stdout);
  }
}

static int call(const struct addrinfo *end, const char *text) {
  char answer[1024];
  const int fd = socket(end->ai_family, end->ai_socktype, end->ai_protocol);
  if (fd < 0) return problem("socket");
  if (connect(fd, end->ai_addr, end->ai_addrlen) != 0) return problem("connect");
  tell(fd);
  send(fd, text, strlen(text), MSG_NOSIGNAL);
  const ssize_t size = recv(fd, answer, sizeof answer, 0);
  if (size > 0) printf("%.*s\n", (int)size, answer);
  return size > 0 ? 0 : problem("recv");
}

int main(int argc, char **argv) {
  const int serves = argc == 3 && strcmp(argv[1], "serve") == 0;
  struct addrinfo hints, *end;
  if (!serves && (argc != 5 || strcmp(argv[1], "call") != 0)) return 2;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = PF_SHIM;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = serves ? AI_ED_ANY_PUB : AI_ED;
  const int bad = getaddrinfo(serves ? NULL : argv[2], argv[argc - (serves ? 1 : 2)], &hints, &end);
  if (bad) return fprintf(stderr, "ends: %s\n", gai_strerror(bad)), 1;
  return serves ? serve(end) : call(end, argv[4]);
}
