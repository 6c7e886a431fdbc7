/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* No octet of a request leaves before the server is who he must be; no packet leaves in clear at all. */
static int reach(struct connection *connection, const struct sockaddr_in *where, const char *server) {
  const uint32_t yes = IPSEC_API_ATTR_ENABLE;
  int done = -1;
  ipsec_pToken_t wanted = ipsec_create_pToken();
  ipsec_iToken_t peer = ipsec_create_iToken();
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (wanted && peer && ipsec_set_token_attr(wanted, IPSEC_API_ATTR_privacyProtected, sizeof yes, &yes) == 0 &&
      ipsec_set_token_attr(peer, IPSEC_API_ATTR_identity, (uint32_t)strlen(server), server) == 0)
    done = ipsec_connect(connection->fd, (const struct sockaddr *)where, sizeof *where, wanted, peer, &connection->latch);
  if (done != 0) say(1, "refused: %s", server);
  ipsec_free_iToken(peer);
  ipsec_free_pToken(wanted);
  return done;
}

/* The size that follows, or -1. */
static long read_answer(struct connection *connection) {
  char line[LINE_SIZE];
  if (read_line(connection, line, sizeof line) != 0) return say(0, "the server says nothing"), -1;
  if (strncmp(line, "OK ", 3) == 0) return strtol(line + 3, NULL, 10);
  return say(0, "the server says %s", line), -1;
}

static int send_file(struct connection *connection, const char *name) {
  struct stat about;
  char line[LINE_SIZE];
  if (fstat(STDIN_FILENO, &about) != 0 || !S_ISREG(about.st_mode)) return say(0, "wanted a file as standard input"), -1;
  snprintf(line, sizeof line, "PUT %s %ld\n", name, (long)about.st_size);
  if (send_text(connection, line) != 0 || copy_out(connection, STDIN_FILENO, (long)about.st_size) != 0) return -1;
  return read_answer(connection) < 0 ? -1 : 0;
}

static int fetch(struct connection *connection, const char *verb, const char *name) {
  char line[LINE_SIZE];
  long size;
  snprintf(line, sizeof line, strcmp(verb, "list") == 0 ? "LIST\n" : "GET %s\n", name);
  if (send_text(connection, line) != 0) return -1;
  size = read_answer(connection);
  return size < 0 ? -1 : copy_in(connection, STDOUT_FILENO, size);
}

int call(const struct sockaddr_in *where, const char *server, const char *verb, const char *name) {
  static struct connection connection;
  int done = -1;
  if (!file_name_is_good(name)) return say(0, "%s: no name of a file", name), 2;
  if (reach(&connection, where, server) == 0)
    done = strcmp(verb, "put") == 0 ? send_file(&connection, name) : fetch(&connection, verb, name);
  ipsec_free_latch(connection.latch);
  if (connection.fd >= 0) close(connection.fd);
  return done == 0 ? 0 : 1;
}
