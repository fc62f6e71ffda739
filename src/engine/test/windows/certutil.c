// SPDX-License-Identifier: Apache-2.0
// Stands in for Windows' certutil under Wine: `certutil -hashfile FILE SHA256`, hashed by CNG. As there, an empty file is refused.
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <bcrypt.h>

static int failed(unsigned long code, const char *why) {
  printf("CertUtil: -hashfile command FAILED: 0x%lx\nCertUtil: %s\n", code, why);
  return (int)code;
}

int main(int count, char **args) {
  if (count != 4 || _stricmp(args[1], "-hashfile") != 0 || _stricmp(args[3], "SHA256") != 0)
    return failed(0x80070057, "The parameter is incorrect.");
  HANDLE file = CreateFileA(args[2], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return failed(0x80070000 | GetLastError(), "The system cannot find the file specified.");
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file, &size)) return failed(0x80070000 | GetLastError(), "The file cannot be read.");
  if (size.QuadPart == 0)
    return failed(0x800703ee, "The volume for a file has been externally altered so that the opened file is no longer valid.");
  BCRYPT_ALG_HANDLE algorithm;
  BCRYPT_HASH_HANDLE hash;
  if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0) || BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0))
    return failed(0x80090016, "There is no SHA-256.");
  static unsigned char part[65536], digest[32];
  DWORD read;
  do {
    if (!ReadFile(file, part, sizeof part, &read, NULL)) return failed(0x80070000 | GetLastError(), "The file cannot be read.");
    if (BCryptHashData(hash, part, read, 0)) return failed(0x80090020, "The file cannot be hashed.");
  } while (read > 0);
  if (BCryptFinishHash(hash, digest, sizeof digest, 0)) return failed(0x80090020, "The file cannot be hashed.");
  printf("SHA256 hash of %s:\n", args[2]);
  for (size_t n = 0; n < sizeof digest; n++) printf("%02x", digest[n]);
  puts("\nCertUtil: -hashfile command completed successfully.");
  return 0;
}
