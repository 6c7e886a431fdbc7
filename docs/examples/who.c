/* SPDX-License-Identifier: MIT */
/* Who is there:  who ADDRESS PORT.  Three lines of it are about IPsec. */
#include <arpa/inet.h>
#include <ipsec/ipsecapi.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  struct sockaddr_in there;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&there, 0, sizeof there);
  there.sin_family = AF_INET;
  if (argc != 3 || inet_pton(AF_INET, argv[1], &there.sin_addr) != 1) return 2;
  there.sin_port = htons((in_port_t)atoi(argv[2]));
  if (connect(fd, (struct sockaddr *)&there, sizeof there) != 0) return perror("connect"), 2;

  char peer[IPSEC_PEER_SIZE];
  const int known = ipsec_get_peer(fd, peer, sizeof peer) == 0;
  if (!known) ipsec_get_error(peer, sizeof peer);

  printf("%s%s\n", known ? "" : "nobody: ", peer);
  return known ? 0 : 1;
}
