/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum { TICK_MS = 250, PATIENCE_TICKS = 120 };

void say(int ask, const char *format, ...) {
  char text[LINE_SIZE], why[LINE_SIZE] = "";
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (ask) ipsec_get_error(why, sizeof why);
  fprintf(stderr, "%s%s%s\n", text, ask ? ": " : "", why);
}

int file_name_is_good(const char *name) {
  const size_t size = strlen(name);
  return size > 0 && size <= NAME_LIMIT && *name != '.' && !strchr(name, '/') && strcspn(name, " \t\r\n") == size;
}

/* 1 it holds, 0 nobody can say now, -1 it broke. */
static int holds(const struct connection *connection) {
  enum ipsec_latch_state state;
  if (ipsec_inquire_latch(connection->latch, &state, NULL) != 0) return say(1, "refused: the latch cannot be asked"), -1;
  if (state == IPSEC_LATCH_ESTABLISHED || state == IPSEC_LATCH_STALE) return state == IPSEC_LATCH_ESTABLISHED;
  return say(0, "refused: the latch broke, nothing more is sent or taken"), -1;
}

/* A broken latch makes no socket readable, so it is looked at while we wait. No events: for the latch alone. */
static int wait_for(struct connection *connection, short events) {
  struct pollfd one = {connection->fd, events, 0};
  for (int tick = 0; tick < PATIENCE_TICKS; ++tick) {
    const int ready = poll(&one, events != 0, TICK_MS), held = holds(connection);
    if (held < 0) return -1;
    if (held > 0 && (ready > 0 || events == 0)) return 0;
    if (ready > 0) poll(NULL, 0, TICK_MS);
    if (ready < 0 && errno != EINTR) return say(0, "poll: %s", strerror(errno)), -1;
  }
  return say(0, "the peer is silent for too long"), -1;
}

static int fill(struct connection *connection) {
  ssize_t size;
  if (wait_for(connection, POLLIN) != 0) return -1;
  size = recv(connection->fd, connection->octets, sizeof connection->octets, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return fill(connection);
  if (size <= 0) return -1;
  connection->begin = 0;
  connection->end = (size_t)size;
  return holds(connection) > 0 ? 0 : wait_for(connection, 0);
}

int read_line(struct connection *connection, char *line, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (connection->begin == connection->end && fill(connection) != 0) return -1;
    line[i] = connection->octets[connection->begin++];
    if (line[i] == '\n') return line[i] = '\0', 0;
    if (line[i] == '\0') return -1;
  }
  return -1;
}

static int write_all(int file, const char *octets, size_t size) {
  while (size > 0) {
    const ssize_t done = write(file, octets, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return say(0, "write: %s", strerror(errno)), -1;
    octets += done;
    size -= (size_t)done;
  }
  return 0;
}

int copy_in(struct connection *connection, int file, long size) {
  while (size > 0) {
    size_t now;
    if (connection->begin == connection->end && fill(connection) != 0) return -1;
    now = connection->end - connection->begin;
    if (now > (size_t)size) now = (size_t)size;
    if (write_all(file, connection->octets + connection->begin, now) != 0) return -1;
    connection->begin += now;
    size -= (long)now;
  }
  return 0;
}

static int send_all(struct connection *connection, const char *octets, size_t size) {
  while (size > 0) {
    ssize_t done;
    if (wait_for(connection, POLLOUT) != 0) return -1;
    done = send(connection->fd, octets, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (done < 0) return say(0, "send: %s", strerror(errno)), -1;
    octets += done;
    size -= (size_t)done;
  }
  return 0;
}

int copy_out(struct connection *connection, int file, long size) {
  char octets[65536];
  while (size > 0) {
    const ssize_t now = read(file, octets, size < (long)sizeof octets ? (size_t)size : sizeof octets);
    if (now <= 0) return say(0, "the file is shorter than it was"), -1;
    if (send_all(connection, octets, (size_t)now) != 0) return -1;
    size -= now;
  }
  return 0;
}

int send_text(struct connection *connection, const char *text) { return send_all(connection, text, strlen(text)); }
