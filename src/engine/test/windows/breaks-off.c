// SPDX-License-Identifier: Apache-2.0
// Ends as a program of Windows does that touches memory which is not its own: with an exit code below 0.
#include <windows.h>

int main(void) { ExitProcess(0xC0000005); }
