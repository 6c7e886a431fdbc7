/* SPDX-License-Identifier: MIT */
/* A file server that knows its users by IPsec alone: who a client is, is what IKE proved of his host; what he may, a file of names says.
   No password, no certificate and no key is in this program.

     files serve ADDRESS PORT DIRECTORY ACL LEVEL            LEVEL: any, low, medium, high, as the administrator has defined them
     files list ADDRESS PORT fqdn:server.example.org
     files get ADDRESS PORT fqdn:server.example.org NAME     to standard output
     files put ADDRESS PORT fqdn:server.example.org NAME     from standard input

   Requests are lines: LIST, GET name, PUT name size. Answers: OK size and the octets, or NO and why. */
#ifndef FILES_H
#define FILES_H

#include <ipsec/ipsecapi.h>
#include <netinet/in.h>
#include <stddef.h>

#define LINE_SIZE 512
#define NAME_LIMIT 200
#define FILE_LIMIT (1L << 30)

/* A connection that is latched. What was read counts only where the latch held until then. */
struct connection {
  int fd;
  ipsec_latch_t latch;
  char octets[16384];
  size_t begin, end;
};
/* -1 on failure, and said why: the latch broke, the peer went away, or is silent for too long. */
int read_line(struct connection *connection, char *line, size_t size);
int copy_in(struct connection *connection, int file, long size);
int copy_out(struct connection *connection, int file, long size);
int send_text(struct connection *connection, const char *text);

/* A line of `path` is "read IDENTITY" or "write IDENTITY"; '#' begins a remark. */
enum right { MAY_NOTHING, MAY_READ, MAY_WRITE };
enum right right_of(const char *path, const ipsec_iToken_t peer);

/* One line of a log, with the reason of the last failed call of the library where `ask` is set. */
void say(int ask, const char *format, ...) __attribute__((format(printf, 2, 3)));
int file_name_is_good(const char *name);

int serve(const struct sockaddr_in *where, const char *directory, const char *acl, const char *level);
int call(const struct sockaddr_in *where, const char *server, const char *verb, const char *name);

#endif
