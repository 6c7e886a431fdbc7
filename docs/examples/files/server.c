/* SPDX-License-Identifier: MIT */
/* A child for each client: latched first, then named, then served what the access list says. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

struct session {
  struct connection connection;
  int directory;
  enum right right;
  char peer[IPSEC_PEER_SIZE];
};

static ipsec_pToken_t template_of(const char *level) {
  static const struct { const char *name; uint32_t value; } kLevels[] = {
      {"any", IPSEC_API_ATTR_ENABLE}, {"low", IPSEC_API_ATTR_LEVEL_LOW}, {"medium", IPSEC_API_ATTR_LEVEL_MEDIUM}, {"high", IPSEC_API_ATTR_LEVEL_HIGH}};
  const uint32_t no = IPSEC_API_ATTR_DISABLE;
  ipsec_pToken_t wanted = ipsec_create_pToken();
  for (size_t i = 0; wanted && i < sizeof kLevels / sizeof *kLevels; ++i)
    if (strcmp(level, kLevels[i].name) == 0 &&
        ipsec_set_token_attr(wanted, IPSEC_API_ATTR_privacyProtected, sizeof kLevels[i].value, &kLevels[i].value) == 0 &&
        ipsec_set_token_attr(wanted, IPSEC_API_ATTR_btns, sizeof no, &no) == 0)
      return wanted;
  ipsec_free_pToken(wanted);
  return NULL;
}

/* Of what the latch holds, not of what the socket says a moment later. */
static int name_peer(struct session *session, const char *acl) {
  enum ipsec_latch_state state;
  ipsec_iToken_t peer = NULL;
  uint32_t size = sizeof peer, room = sizeof session->peer;
  ipsec_pToken_t found = ipsec_create_pToken();
  int done = -1;
  if (found && ipsec_inquire_latch(session->connection.latch, &state, found) == 0 && state == IPSEC_LATCH_ESTABLISHED &&
      ipsec_get_token_attr(found, IPSEC_API_ATTR_peerId, &size, &peer) == 0 &&
      ipsec_get_token_attr(peer, IPSEC_API_ATTR_identity, &room, session->peer) == 0)
    session->right = right_of(acl, peer), done = 0;
  else
    say(1, "refused: nobody names the peer");
  ipsec_free_iToken(peer);
  ipsec_free_pToken(found);
  if (done == 0 && session->right == MAY_NOTHING) return say(0, "refused: %s is not in the access list", session->peer), -1;
  return done;
}

static int answer(struct session *session, const char *text) { return send_text(&session->connection, text); }

static int refuse(struct session *session, const char *what, const char *why) {
  char text[LINE_SIZE];
  say(0, "%s: %s: no, %s", session->peer, what, why);
  snprintf(text, sizeof text, "NO %s\n", why);
  return answer(session, text);
}

static int list(struct session *session) {
  char head[64], *names = NULL;
  size_t size = 0;
  int done = -1;
  const int copy = dup(session->directory);
  DIR *directory = copy < 0 ? NULL : fdopendir(copy);
  FILE *text = open_memstream(&names, &size);
  if (directory && text) {
    rewinddir(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
      if (file_name_is_good(entry->d_name)) fprintf(text, "%s\n", entry->d_name);
    fflush(text);
    snprintf(head, sizeof head, "OK %zu\n", size);
    done = answer(session, head) == 0 && answer(session, names) == 0 ? 0 : -1;
  }
  if (directory) closedir(directory);
  else if (copy >= 0) close(copy);
  if (text) fclose(text);
  free(names);
  return done;
}

static int get(struct session *session, const char *name) {
  struct stat about;
  char head[64];
  int done;
  const int file = openat(session->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
    if (file >= 0) close(file);
    return refuse(session, name, "there is no such file");
  }
  snprintf(head, sizeof head, "OK %ld\n", (long)about.st_size);
  done = answer(session, head) == 0 ? copy_out(&session->connection, file, (long)about.st_size) : -1;
  close(file);
  if (done == 0) say(0, "%s: GET %s, %ld octets", session->peer, name, (long)about.st_size);
  return done;
}

/* Under another name until all of it is there, and came while the latch held. */
static int put(struct session *session, const char *name, long size) {
  char part[NAME_LIMIT + 32];
  int done, file;
  snprintf(part, sizeof part, ".%s.%ld", name, (long)getpid());
  file = openat(session->directory, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return refuse(session, name, "it cannot be written");
  done = copy_in(&session->connection, file, size);
  if (close(file) != 0) done = -1;
  if (done == 0) done = renameat(session->directory, part, session->directory, name);
  if (done != 0) return unlinkat(session->directory, part, 0), -1;
  say(0, "%s: PUT %s, %ld octets", session->peer, name, size);
  return answer(session, "OK 0\n");
}

static int obey(struct session *session, char *line) {
  char *rest = NULL, *name, *words = NULL;
  long size = 0;
  if (strcmp(line, "LIST") == 0) return list(session);
  if (strncmp(line, "GET ", 4) != 0 && strncmp(line, "PUT ", 4) != 0) return refuse(session, "request", "it is none of LIST, GET and PUT"), -1;
  name = strtok_r(line + 4, " ", &words);
  if (!name || !file_name_is_good(name)) return refuse(session, "request", "that is no name of a file"), -1;
  if (*line == 'G') return get(session, name);
  if (session->right < MAY_WRITE) return refuse(session, name, "you may read only"), -1;
  words = strtok_r(NULL, " ", &words);
  if (words) size = strtol(words, &rest, 10);
  if (!rest || rest == words || *rest != '\0' || size < 0 || size > FILE_LIMIT) return refuse(session, name, "that is no size"), -1;
  return put(session, name, size);
}

/* The template also has a client refused whose connection may have begun in clear: his first request would be anybody's. */
static void serve_client(struct session *session, const char *acl, const ipsec_pToken_t wanted) {
  char line[LINE_SIZE];
  if (ipsec_create_connection_latch(session->connection.fd, wanted, NULL, &session->connection.latch) != 0) {
    say(1, "refused");
    return;
  }
  if (name_peer(session, acl) != 0) return;
  say(0, "%s: admitted, %s", session->peer, session->right == MAY_WRITE ? "may write" : "may read");
  while (read_line(&session->connection, line, sizeof line) == 0 && obey(session, line) == 0) {}
}

static int listen_at(const struct sockaddr_in *where) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)where, sizeof *where) == 0 && listen(fd, 64) == 0) return fd;
  close(fd);
  return -1;
}

int serve(const struct sockaddr_in *where, const char *directory, const char *acl, const char *level) {
  static struct session session;
  const int listener = listen_at(where);
  ipsec_pToken_t wanted = template_of(level);
  session.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listener < 0 || session.directory < 0) return say(0, "%s: %s", listener < 0 ? "listen" : directory, strerror(errno)), 2;
  if (!wanted) return say(0, "%s: wanted any, low, medium or high", level), 2;
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      if (errno != EINTR && errno != ECONNABORTED) say(0, "accept: %s", strerror(errno)), sleep(1);
      continue;
    }
    if (fork() == 0) {
      close(listener);
      session.connection.fd = fd;
      serve_client(&session, acl, wanted);
      ipsec_free_latch(session.connection.latch);
      close(fd);
      ipsec_free_pToken(wanted);
      close(session.directory);
      exit(0);
    }
    close(fd);
  }
}
