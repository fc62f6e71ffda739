// SPDX-License-Identifier: Apache-2.0
// Stands in for Windows' ssh-keygen under Wine: hands arguments and input to the ssh-keygen of this Linux, and its output and exit code back.
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

typedef int(__cdecl *Spawn)(char *const args[], int wait);
typedef char *(CDECL *UnixName)(const wchar_t *name);

static void copy(FILE *from, FILE *to) {
  static char part[65536];
  for (size_t read; (read = fread(part, 1, sizeof part, from)) > 0;) fwrite(part, 1, read, to);
}

static int reopened(const wchar_t *name, FILE *to) {
  FILE *file = _wfopen(name, L"rb");
  if (!file) return 0;
  copy(file, to);
  fclose(file);
  _wremove(name);
  return 1;
}

int main(int count, char **args) {
  Spawn spawn = (Spawn)(void *)GetProcAddress(GetModuleHandleA("ntdll"), "__wine_unix_spawnvp");
  UnixName unixName = (UnixName)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "wine_get_unix_file_name");
  if (!spawn || !unixName || count > 40) {
    fputs("this ssh-keygen works under Wine only\n", stderr);
    return 255;
  }
  for (int std = 0; std < 3; std++) _setmode(std, _O_BINARY);
  wchar_t folder[MAX_PATH], temporary[MAX_PATH], input[MAX_PATH + 8], output[MAX_PATH + 8], errors[MAX_PATH + 8];
  GetCurrentDirectoryW(MAX_PATH, folder);
  if (!GetTempPathW(MAX_PATH, temporary) || !GetTempFileNameW(temporary, L"key", 0, input)) return 255;
  _snwprintf(output, MAX_PATH + 8, L"%ls.out", input);
  _snwprintf(errors, MAX_PATH + 8, L"%ls.err", input);
  FILE *given = _wfopen(input, L"wb");
  if (!given) return 255;
  copy(stdin, given);
  fclose(given);
  char *line[48] = {"/bin/sh", "-c", "cd \"$0\" || exit 255; in=$1; shift; exec ssh-keygen \"$@\" <\"$in\" >\"$in.out\" 2>\"$in.err\"", unixName(folder), unixName(input)};
  for (int n = 1; n < count; n++) {
    line[n + 4] = args[n];
    // Names of files follow -f and -s.
    if (n > 1 && (strcmp(args[n - 1], "-f") == 0 || strcmp(args[n - 1], "-s") == 0))
      for (char *at = args[n]; *at; at++)
        if (*at == '\\') *at = '/';
  }
  int status = spawn(line, 1);
  _wremove(input);
  return reopened(output, stdout) && reopened(errors, stderr) && status >= 0 ? status : 255;
}
