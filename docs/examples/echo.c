/* SPDX-License-Identifier: MIT */
/* An echo server that serves one peer, and its client, who knows the server:
     echo serve ADDRESS PORT fqdn:client.example.org
     echo call ADDRESS PORT fqdn:server.example.org TEXT
   Both latch the connection before a word is said: encrypted, with this peer, or not at all. */
#include <arpa/inet.h>
#include <errno.h>
#include <ipsec/ipsecapi.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain(const char *what) {
  char why[512];
  ipsec_get_error(why, sizeof why);
  printf("refused: %s: %s\n", what, why);
  fflush(stdout);
}

/* Null where the connection is not with whom we want, or not encrypted, or may not have been so since it began: what waits to be read
   would be anybody's. */
static ipsec_latch_t admit(int fd, const char *name) {
  const uint32_t yes = IPSEC_API_ATTR_ENABLE;
  ipsec_latch_t latch = NULL;
  ipsec_pToken_t wanted = ipsec_create_pToken();
  ipsec_iToken_t peer = ipsec_create_iToken();
  if (!wanted || !peer || ipsec_set_token_attr(wanted, IPSEC_API_ATTR_privacyProtected, sizeof yes, &yes) != 0 ||
      ipsec_set_token_attr(peer, IPSEC_API_ATTR_identity, (uint32_t)strlen(name), name) != 0 ||
      ipsec_create_connection_latch(fd, wanted, peer, &latch) != 0)
    complain(name);
  ipsec_free_iToken(peer);
  ipsec_free_pToken(wanted);
  return latch;
}

/* What was read counts only where the latch held until then. */
static int holds(ipsec_latch_t latch) {
  enum ipsec_latch_state state;
  return ipsec_inquire_latch(latch, &state, NULL) == 0 && state == IPSEC_LATCH_ESTABLISHED;
}

static void serve_one(int fd, const char *name) {
  char text[1024];
  ssize_t size = 0;
  ipsec_latch_t latch = admit(fd, name);
  while (latch && (size = recv(fd, text, sizeof text, 0)) > 0) {
    if (!holds(latch)) {
      printf("refused: the latch broke\n");
      break;
    }
    printf("%s: %.*s\n", name, (int)size, text);
    if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size) break;
  }
  if (size < 0) printf("%s: %s\n", name, strerror(errno));
  fflush(stdout);
  ipsec_free_latch(latch);
  close(fd);
}

static int serve(const struct sockaddr_in *where, const char *name) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (const struct sockaddr *)where, sizeof *where) != 0 || listen(listener, 5) != 0) return perror("listen"), 2;
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    if (fd >= 0) {
      serve_one(fd, name);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      perror("accept");
      sleep(1); /* as for too many open files: what will not pass by itself is not asked for without end */
    }
  }
}

static int call(const struct sockaddr_in *where, const char *name, const char *text) {
  char answer[1024];
  ssize_t size;
  int done = 1;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (const struct sockaddr *)where, sizeof *where) != 0) return perror("connect"), 2;
  ipsec_latch_t latch = admit(fd, name);
  if (latch) {
    size = send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
    if (size <= 0)
      printf("no answer: %s\n", size < 0 ? strerror(errno) : "the server hung up");
    else if (!holds(latch))
      printf("refused: the latch broke\n");
    else
      done = printf("%.*s\n", (int)size, answer) < 0;
  }
  ipsec_free_latch(latch);
  close(fd);
  return done;
}

int main(int argc, char **argv) {
  struct sockaddr_in where;
  memset(&where, 0, sizeof where);
  where.sin_family = AF_INET;
  if (argc < 5 || inet_pton(AF_INET, argv[2], &where.sin_addr) != 1) return 2;
  where.sin_port = htons((in_port_t)atoi(argv[3]));
  if (strcmp(argv[1], "serve") == 0) return serve(&where, argv[4]);
  return argc == 6 && strcmp(argv[1], "call") == 0 ? call(&where, argv[4], argv[5]) : 2;
}
