// SPDX-License-Identifier: Apache-2.0

/** verify.cmd: what a stock Windows 10 21H1 or later can check (OpenSSH, certutil); it says what it left out. Not run on Windows yet. */
export const verifyCmd = String.raw`@echo off
setlocal EnableDelayedExpansion
rem Checks what stock Windows tools can check. The rest: open the bundle in Affidavit, or use verify.sh on Linux or macOS.
cd /d "%~dp0"
set failed=0
for /f "usebackq delims=" %%p in ("proof\checkpoint") do if not defined principal set "principal=%%p"
ssh-keygen -Y verify -f trust\allowed_signers -I "%principal%" -n affidavit-bundle -s tagmanifest-sha256.txt.sig < tagmanifest-sha256.txt >nul 2>&1
if errorlevel 1 (set failed=1& echo 1  Signature of the bundle: FAILED) else (echo 1  Signature of the bundle: ok)
set changed=0
for %%m in (tagmanifest-sha256.txt manifest-sha256.txt) do (
  for /f "usebackq tokens=1,*" %%h in ("%%m") do (
    set "name=%%i"
    set "name=!name:/=\!"
    set "found="
    for /f "skip=1 delims=" %%c in ('certutil -hashfile "!name!" SHA256 2^>nul') do if not defined found set "found=%%c"
    set "found=!found: =!"
    if /i not "!found!"=="%%h" (set changed=1& echo    file_changed: %%i)
  )
)
if %changed%==1 (set failed=1& echo 2  Both manifests, and no extra files: FAILED) else (echo 2  Both manifests, and no extra files: listed files ok, extra files not checked here)
echo 3  Checkpoint signature: not checked here
echo 4  Timestamp: not checked here
echo 5  Every leaf in the tree: not checked here
echo 6  Every payload against its commitment: not checked here
if %failed%==1 (echo invalid& exit /b 1)
echo no fault found, 5 steps not checked
exit /b 0
`
