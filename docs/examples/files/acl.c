/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "files.h"

static int is_peer(const char *name, const ipsec_iToken_t peer) {
  int same = 0;
  ipsec_iToken_t wanted = ipsec_create_iToken();
  if (wanted && ipsec_set_token_attr(wanted, IPSEC_API_ATTR_identity, (uint32_t)strlen(name), name) == 0)
    same = ipsec_cmp_iToken(wanted, peer) == 0;
  else
    say(1, "the access list names nobody by %s", name);
  ipsec_free_iToken(wanted);
  return same;
}

static enum right right_in(char *line, const ipsec_iToken_t peer) {
  char *name = strchr(line, ' ');
  line[strcspn(line, "#\n")] = '\0';
  if (*line == '\0') return MAY_NOTHING;
  if (!name || name > line + strlen(line)) return say(0, "the access list has a line without a name: %s", line), MAY_NOTHING;
  *name++ = '\0';
  if (strcmp(line, "read") != 0 && strcmp(line, "write") != 0) return say(0, "the access list has a right that is none: %s", line), MAY_NOTHING;
  if (!is_peer(name, peer)) return MAY_NOTHING;
  return *line == 'w' ? MAY_WRITE : MAY_READ;
}

/* What does not fit is no line, and its end is none either: it could grant what a comment says. */
static int is_whole(const char *line, FILE *file) {
  if (strchr(line, '\n') || feof(file)) return 1;
  for (int c = getc(file); c != '\n' && c != EOF; c = getc(file)) continue;
  return say(0, "the access list has a line that is too long: %.32s...", line), 0;
}

/* Read anew for each client: what the administrator takes away is gone with the next connection. */
enum right right_of(const char *path, const ipsec_iToken_t peer) {
  char line[LINE_SIZE];
  enum right most = MAY_NOTHING;
  FILE *file = fopen(path, "re");
  if (!file) return say(0, "no access list, so nobody is let in: %s", path), MAY_NOTHING;
  while (fgets(line, sizeof line, file)) {
    const enum right here = is_whole(line, file) ? right_in(line, peer) : MAY_NOTHING;
    if (here > most) most = here;
  }
  fclose(file);
  return most;
}
