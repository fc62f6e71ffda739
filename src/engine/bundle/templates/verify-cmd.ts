// SPDX-License-Identifier: Apache-2.0

/**
 * verify.cmd: what a stock Windows 10 21H1 or later can check (OpenSSH, certutil); it says what it left out. Not run on Windows yet.
 * Nothing that a bundle says is expanded before a line is parsed, or given to a program before its characters are known; programs are started
 * by their full paths, because cmd looks into the folder of the bundle first.
 */
export const verifyCmd = String.raw`@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks what stock Windows tools can check. All six steps: open verify.html in a browser, or the bundle in Affidavit.
set "keygen=%SystemRoot%\System32\OpenSSH\ssh-keygen.exe"
set "certutil=%SystemRoot%\System32\certutil.exe"
set "findstr=%SystemRoot%\System32\findstr.exe"
cd /d "%~dp0" || exit /b 2
set failed=0
set unchecked=4
set "principal="
for /f "usebackq delims=" %%p in ("proof\checkpoint") do if not defined principal set "principal=%%p"
setlocal EnableDelayedExpansion

rem The name of a log is affidavit.invalid/ and 16 hex digits, and nothing else goes on to a program.
set wrong=1
if defined principal if "!principal:~0,18!"=="affidavit.invalid/" if not "!principal:~33,1!"=="" if "!principal:~34!"=="" (
  set wrong=0
  for /f "eol=0 delims=0123456789abcdef" %%x in ("!principal:~18!") do set wrong=1
)
set usable=1
if not exist "%keygen%" set usable=0
if !usable!==1 %keygen% -Y verify <nul 2>&1 | %findstr% /c:"option -- " >nul && set usable=0
if !wrong!==1 (
  set failed=1
  echo    checkpoint_unreadable: proof/checkpoint does not begin with the name of a log
  echo 1  Signature of the bundle: FAILED
) else if !usable!==0 (
  set /a unchecked+=1
  echo 1  Signature of the bundle: not checked here, it needs ssh-keygen of OpenSSH 8.2 or newer
) else (
  %keygen% -Y verify -f trust\allowed_signers -I !principal! -n affidavit-bundle -s tagmanifest-sha256.txt.sig <tagmanifest-sha256.txt >nul 2>&1
  if errorlevel 1 (set failed=1& echo 1  Signature of the bundle: FAILED) else (echo 1  Signature of the bundle: ok)
)

if not exist "%certutil%" (
  set /a unchecked+=1
  echo 2  Both manifests, and no extra files: not checked here, it needs certutil
  goto rest
)
set changed=0
%findstr% /r /c:"[^0-9A-Za-z ._/-]" tagmanifest-sha256.txt manifest-sha256.txt >nul 2>&1 && set changed=1
if !changed!==1 (
  echo    manifest_line: a name with other characters than the files of a bundle have
  goto listed
)
for %%m in (tagmanifest-sha256.txt manifest-sha256.txt) do (
  if not exist %%m (set changed=1& echo    missing: %%m)
  for /f "usebackq tokens=1,*" %%h in ("%%m") do (
    set "name=%%i"
    set plain=1
    if not defined name set plain=0
    if not "!name: =!"=="!name!" set plain=0
    if not "!name:..=!"=="!name!" set plain=0
    if "!name:~0,1!"=="/" set plain=0
    if !plain!==0 (
      set changed=1
      echo    manifest_line: a line of %%m that is no entry
    ) else (
      set "file=!name:/=\!"
      set "listed_!file!=1"
      set "found="
      if not exist "!file!" (set changed=1& echo    missing: !name!) else (
        rem certutil refuses empty files.
        for %%f in ("!file!") do if %%~zf==0 set "found=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        if not defined found for /f "skip=1 delims=" %%c in ('%certutil% -hashfile "!file!" SHA256 2^>nul') do if not defined found set "found=%%c"
        if defined found set "found=!found: =!"
        if /i not "!found!"=="%%h" (set changed=1& echo    file_changed: !name!)
      )
    )
  )
)
set "rest=!cd!"
set skip=1
:measure
if defined rest (
  set "rest=!rest:~1!"
  set /a skip+=1
  goto measure
)
for /f "delims=" %%f in ('dir /s /b /a-d') do (
  setlocal DisableDelayedExpansion
  set "file=%%f"
  setlocal EnableDelayedExpansion
  set "file=!file:~%skip%!"
  set known=0
  if defined listed_!file! set known=1
  if /i "!file!"=="tagmanifest-sha256.txt" set known=1
  if /i "!file!"=="tagmanifest-sha256.txt.sig" set known=1
  if !known!==1 (
    endlocal
    endlocal
  ) else (
    echo    extra_file: !file!
    endlocal
    endlocal
    set changed=1
  )
)
:listed
if !changed!==1 (set failed=1& echo 2  Both manifests, and no extra files: FAILED) else (echo 2  Both manifests, and no extra files: ok)
:rest
echo 3  Checkpoint signature: not checked here
echo 4  Timestamp: not checked here
echo 5  Every leaf in the tree: not checked here
echo 6  Every payload against its commitment: not checked here
echo    All six steps: open a verify.html that you trust in a browser, and drop the bundle on it.
if !failed!==1 (echo invalid& exit /b 1)
echo no fault found, !unchecked! steps not checked
exit /b 0
`
