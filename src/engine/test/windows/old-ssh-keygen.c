// SPDX-License-Identifier: Apache-2.0
// Answers as ssh-keygen did before it knew signatures of files.
#include <stdio.h>

int main(void) {
  fputs("ssh-keygen: unknown option -- Y\n", stderr);
  return 1;
}
