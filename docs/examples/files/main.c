/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

int main(int argc, char **argv) {
  struct sockaddr_in where;
  memset(&where, 0, sizeof where);
  where.sin_family = AF_INET;
  if (argc >= 5 && inet_pton(AF_INET, argv[2], &where.sin_addr) == 1) {
    where.sin_port = htons((in_port_t)atoi(argv[3]));
    if (argc == 7 && strcmp(argv[1], "serve") == 0) return serve(&where, argv[4], argv[5], argv[6]);
    if (argc == 5 && strcmp(argv[1], "list") == 0) return call(&where, argv[4], argv[1], "all");
    if (argc == 6 && (strcmp(argv[1], "get") == 0 || strcmp(argv[1], "put") == 0)) return call(&where, argv[4], argv[1], argv[5]);
  }
  fputs("files serve ADDRESS PORT DIRECTORY ACL LEVEL\nfiles list ADDRESS PORT SERVER\nfiles get|put ADDRESS PORT SERVER NAME\n", stderr);
  return 2;
}
