/* SPDX-License-Identifier: MIT */
/* Greets a host and remembers who it was; the next time it must be the same one, or nothing is said. The clients that
   draft-komu-btns-api-01 describes in its appendix:
     hello stream ADDRESS PORT MEMORY
     hello datagram ADDRESS PORT MEMORY
     hello tls ADDRESS PORT MEMORY NAME CA
   MEMORY is a file for the peer's identity, as IKE proved it. The last one has TLS (OpenSSL) inside of IPsec, and believes the name
   in a certificate by the authority CA: both ends compare, inside of TLS, that they mean the same IPsec channel. hello.py serves. */
#include <arpa/inet.h>
#include <errno.h>
#include <ipsec/ipsecapi.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kHello[] = "hello world";

static int refused(const char *what) {
  char why[512];
  ipsec_get_error(why, sizeof why);
  printf("refused: %s: %s\n", what, why);
  return -1;
}

/* Null where there is no such file: nobody was met yet. -1: there is one, and nobody's name is in it, or it cannot be read: whoever can
   bring that about must not become the one who was met. */
static int recall(const char *memory, ipsec_iToken_t *peer) {
  char octets[IPSEC_IDENTITY_SIZE];
  FILE *file = fopen(memory, "rb");
  *peer = NULL;
  if (!file) return errno == ENOENT ? 0 : (perror(memory), -1);
  const size_t size = fread(octets, 1, sizeof octets, file);
  const int bad = ferror(file);
  fclose(file);
  if (bad) return printf("refused: %s cannot be read\n", memory), -1;
  return ipsec_import_iToken(octets, size, peer) == 0 ? 0 : refused(memory);
}

/* Who is at the other end, once IKE has proven it. */
static int remember(const char *memory, int fd) {
  char octets[IPSEC_IDENTITY_SIZE];
  size_t size = sizeof octets;
  ipsec_iToken_t peer = NULL;
  uint32_t length = sizeof peer;
  ipsec_pToken_t found = ipsec_create_pToken();
  int result = -1;
  if (ipsec_get_socket_pToken(fd, found) != 0 || ipsec_get_token_attr(found, IPSEC_API_ATTR_peerId, &length, &peer) != 0 ||
      ipsec_export_iToken(peer, octets, &size) != 0) {
    refused("nobody who could be remembered");
  } else {
    FILE *file = fopen(memory, "wbx");
    if (file && fwrite(octets, 1, size, file) == size) result = 0;
    if (file && fclose(file) != 0) result = -1;
    if (result != 0) perror(memory);
    if (file && result != 0) remove(memory); /* half a name is nobody's */
  }
  ipsec_free_iToken(peer);
  ipsec_free_pToken(found);
  return result;
}

/* Both directions encrypted from the first packet on, with whom we know, or else with anybody. */
static int reach(int fd, const struct sockaddr_in *where, const char *memory, ipsec_latch_t *latch, int *known) {
  const uint32_t yes = IPSEC_API_ATTR_ENABLE;
  ipsec_pToken_t wanted = ipsec_create_pToken();
  ipsec_iToken_t peer = NULL;
  int result = recall(memory, &peer);
  if (result == 0 && (ipsec_set_token_attr(wanted, IPSEC_API_ATTR_privacyProtected, sizeof yes, &yes) != 0 ||
                      ipsec_connect(fd, (const struct sockaddr *)where, sizeof *where, wanted, peer, latch) != 0))
    result = refused("connect");
  *known = peer != NULL;
  ipsec_free_iToken(peer);
  ipsec_free_pToken(wanted);
  return result;
}

/* What was read counts where the latch held until then. */
static int answered(ipsec_latch_t latch, const char *text, ssize_t size) {
  enum ipsec_latch_state state;
  if (size <= 0) return printf("no answer\n"), -1;
  if (ipsec_inquire_latch(latch, &state, NULL) != 0 || state != IPSEC_LATCH_ESTABLISHED) return printf("the latch broke\n"), -1;
  return printf("%.*s\n", (int)size, text), 0;
}

static int greet(int fd, ipsec_latch_t latch) {
  char text[256];
  if (send(fd, kHello, strlen(kHello), MSG_NOSIGNAL) < 0) return perror("send"), -1;
  return answered(latch, text, recv(fd, text, sizeof text, 0));
}

/* The binding goes first: who is in the middle of IPsec has another one with each end, and TLS has nobody in its middle. */
static int greet_inside(SSL *tls, int fd, ipsec_latch_t latch) {
  char text[256], binding[IP_SEC_CBINDING_DATA_BUFSIZE];
  size_t size = sizeof binding;
  if (SSL_set_fd(tls, fd) != 1 || SSL_connect(tls) != 1) return printf("refused: TLS: %s\n", X509_verify_cert_error_string(SSL_get_verify_result(tls))), -1;
  if (ipsec_cbinding_data(fd, IPSEC_CB_EXPORTER_NAME, 1, binding, &size) != 0) return refused("binding");
  if (SSL_write(tls, binding, (int)size) <= 0 || SSL_write(tls, kHello, (int)strlen(kHello)) <= 0) return printf("TLS ended\n"), -1;
  return answered(latch, text, SSL_read(tls, text, sizeof text));
}

static int greet_by_tls(int fd, ipsec_latch_t latch, const char *name, const char *authority) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *tls = context ? SSL_new(context) : NULL;
  int result = -1;
  if (tls && SSL_CTX_load_verify_file(context, authority) == 1 && SSL_set1_host(tls, name) == 1) {
    SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
    result = greet_inside(tls, fd, latch);
  }
  SSL_free(tls);
  SSL_CTX_free(context);
  return result;
}

int main(int argc, char **argv) {
  struct sockaddr_in where;
  ipsec_latch_t latch = NULL;
  int known = 0, result = -1;
  memset(&where, 0, sizeof where);
  where.sin_family = AF_INET;
  const int tls = argc == 7 && strcmp(argv[1], "tls") == 0, datagram = argc == 5 && strcmp(argv[1], "datagram") == 0;
  if (!tls && !datagram && (argc != 5 || strcmp(argv[1], "stream") != 0)) return 2;
  if (inet_pton(AF_INET, argv[2], &where.sin_addr) != 1) return 2;
  where.sin_port = htons((in_port_t)atoi(argv[3]));
  const int fd = socket(AF_INET, datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
  if (fd >= 0 && reach(fd, &where, argv[4], &latch, &known) == 0) result = tls ? greet_by_tls(fd, latch, argv[5], argv[6]) : greet(fd, latch);
  if (result == 0 && !known) result = remember(argv[4], fd);
  ipsec_free_latch(latch);
  close(fd);
  return result == 0 ? 0 : 1;
}
