// SPDX-License-Identifier: Apache-2.0
// Stands in for Windows' findstr under Wine, whose own knows too little: `findstr /c:TEXT [FILE]`, `findstr /r /c:CLASS [FILE]` with one class
// as `[^a-z]`, and `findstr /n "^" [FILE]`, every line after its number. Ranges go by bytes, where Windows sorts letters as its language does.
// Exits: 0 a line was found, 1 none, 2 asked for anything else.
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>

static const char *text;
static enum { TEXT, CLASS, EVERY } kind = TEXT;

static int in_class(unsigned char byte) {
  const char *at = text + 1;
  int negated = *at == '^';
  for (at += negated; *at != ']'; at++) {
    unsigned char low = (unsigned char)*at, high = low;
    if (at[1] == '-' && at[2] != ']') {
      high = (unsigned char)at[2];
      at += 2;
    }
    if (byte >= low && byte <= high) return !negated;
  }
  return negated;
}

static int matches(const char *line, size_t length) {
  size_t wanted = kind == CLASS ? 1 : strlen(text);
  if (kind == EVERY) return 1;
  for (size_t at = 0; at + wanted <= length; at++)
    if (kind == CLASS ? in_class((unsigned char)line[at]) : memcmp(line + at, text, wanted) == 0) return 1;
  return 0;
}

int main(int count, char **args) {
  static char line[1 << 20];
  if (count > 1 && strncmp(args[1], "/c:", 3) == 0) {
    text = args[1] + 3;
    count -= 1;
    args += 1;
  } else if (count > 2 && strcmp(args[1], "/r") == 0 && strncmp(args[2], "/c:[", 4) == 0) {
    text = args[2] + 3;
    kind = CLASS;
    if (strchr(text, ']') != text + strlen(text) - 1) return 2;
  } else if (count > 2 && strcmp(args[1], "/n") == 0 && strcmp(args[2], "^") == 0) {
    text = "";
    kind = EVERY;
  }
  if (kind != TEXT) {
    count -= 2;
    args += 2;
  }
  if (!text || count > 2) return 2;
  FILE *input = count == 2 ? fopen(args[1], "rb") : stdin;
  if (!input) {
    fprintf(stderr, "FINDSTR: Cannot open %s\n", args[1]);
    return 1;
  }
  _setmode(_fileno(input), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
  int found = 0, number = 0;
  while (fgets(line, sizeof line, input)) {
    size_t length = strcspn(line, "\n");
    if (!line[length] && length == sizeof line - 1) return 2;
    number++;
    if (!matches(line, length > 0 && line[length - 1] == '\r' ? length - 1 : length)) continue;
    found = 1;
    if (kind == EVERY) printf("%d:", number);
    printf("%.*s\r\n", (int)length, line);
  }
  return found ? 0 : 1;
}
