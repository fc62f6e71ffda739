// SPDX-License-Identifier: Apache-2.0
import { required, SIGNATURE, TAG_MANIFEST } from '../../../shared/evidence/bundle-layout.ts'
import { allowedSignersLine, BUNDLE_NAMESPACE, formatSshsig } from '../../../shared/evidence/sshsig.ts'

// Lengths, which are the same for every key: of the line of a signer behind its number and a colon, up to the key and whole; of a signature.
const signer = `1:${allowedSignersLine(`affidavit.invalid/${'0'.repeat(16)}`, new Uint8Array(32)).trimEnd()}`
const upToKey = signer.lastIndexOf(' ') + 1
const signature = formatSshsig(new Uint8Array(32), BUNDLE_NAMESPACE, new Uint8Array(64))

const listed = required.filter((name) => name !== TAG_MANIFEST && name !== SIGNATURE)
/** The other places of the layout, each number written as 0. */
const places = [
  ...['verify.html', 'trust/tsa-ca.pem', 'data/completeness.json', 'data/report.pdf', 'data/records.parquet'],
  ...['checkpoint.tsr', 'previous-checkpoint', 'consistency.txt', 'anchored-checkpoint', 'anchored-consistency.txt', 'keys.jsonl'].map(
    (name) => `proof/${name}`
  ),
  ...['data/proofs/0.tlog-proof', 'data/payloads/0.jsonl', 'data/tile/0/0', 'data/tile/0/0.p/0'],
  ...['event', 'request', 'response', 'error', 'body', 'attachment.0', 'scope.0'].flatMap((part) => [
    `data/payload/0.${part}`,
    `data/payload/0.${part}.opening`
  ])
]
const names = (all: readonly string[]): string => all.join(' ').replaceAll('/', '\\')
/** One `set` for each of some characters: in Wine's cmd, the variable of a loop between exclamation marks stays as it is written. */
const each = (characters: string, set: (one: string) => string): string => [...characters].map((one) => `  ${set(one)}`).join('\n')

/**
 * verify.cmd: what a stock Windows 10 21H1 or later can check (OpenSSH, certutil); it says what it left out. Run in Wine's cmd with programs that
 * stand in for certutil, findstr and ssh-keygen (`verify-cmd-wine.test.ts`), not on Windows yet.
 * Nothing that a bundle says is expanded before a line is parsed, or given to a program before its characters are known; programs are started
 * by their full paths, because cmd looks into the folder of the bundle first. Lines end as on Windows: with LF alone, cmd misses labels.
 */
const script = String.raw`@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks what stock Windows tools can check. All six steps: open verify.html in a browser, or the bundle in Affidavit.
set "keygen=%SystemRoot%\System32\OpenSSH\ssh-keygen.exe"
set "certutil=%SystemRoot%\System32\certutil.exe"
set "findstr=%SystemRoot%\System32\findstr.exe"
set "DIRCMD="
cd /d "%~dp0" || exit /b 2
if not exist "%findstr%" (echo missing: findstr& exit /b 2)
set failed=0
set unchecked=4
set "first="
rem With its number before it no line is skipped, be it empty or a comment.
for /f "delims=" %%p in ('%findstr% /n "^" proof\checkpoint 2^>nul') do if not defined first set "first=%%p"
set signers=0
set "signer="
for /f "delims=" %%s in ('%findstr% /n "^" trust\allowed_signers 2^>nul') do (set /a signers+=1& if not defined signer set "signer=%%s")
set "purpose= namespaces="affidavit-bundle" ssh-ed25519 "
for /l %%n in (1,1,7) do set "seal_%%n="
for /f "tokens=1,* delims=:" %%a in ('%findstr% /n "^" tagmanifest-sha256.txt.sig 2^>nul') do set "seal_%%a=%%b"
set "size="
for %%f in (tagmanifest-sha256.txt.sig) do set "size=%%~zf"
setlocal EnableDelayedExpansion

rem The name of a log is affidavit.invalid/ and 16 hex digits, and nothing else goes on to a program.
set wrong=1
if defined first if "!first:~0,20!"=="1:affidavit.invalid/" if "!first:~0,36!"=="!first!" if not "!first:~0,35!"=="!first!" (
  set wrong=0
  set "principal=!first:~2!"
  set "rest=!first:~20!"
${each('0123456789abcdef', (one) => `if defined rest set "rest=!rest:${one}=!"`)}
  if defined rest set wrong=1
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
  rem Only an exit with 0 is a signature: errorlevel says nothing of a file that is not there, and less than 0 of a program that broke off.
  set "reason=bundle_signature: the signature does not hold for the tag manifest"
  if exist tagmanifest-sha256.txt %keygen% -Y check-novalidate -n affidavit-bundle -s tagmanifest-sha256.txt.sig <tagmanifest-sha256.txt >nul 2>&1 && set "reason=signer_not_listed: the signing key is not the one signer that the bundle names"
  set named=0
  if exist tagmanifest-sha256.txt %keygen% -Y verify -f trust\allowed_signers -I !principal! -n affidavit-bundle -s tagmanifest-sha256.txt.sig <tagmanifest-sha256.txt >nul 2>&1 && set named=1
  if not !signers!==1 set named=0
  if not "!signer:~0,${upToKey}!"=="1:!principal!!purpose!" set named=0
  if not "!signer:~0,${signer.length}!"=="!signer!" set named=0
  if !named!==1 set "reason="
  rem The one text of a signature over SHA-512, which is in no manifest: ssh-keygen takes others too.
  set form=1
  if not "!size!"=="${signature.length}" set form=0
  if not "!seal_1!"=="-----BEGIN SSH SIGNATURE-----" set form=0
  if not "!seal_2:~0,70!"=="!seal_2!" set form=0
  if not "!seal_3:~0,70!"=="!seal_3!" set form=0
  if not "!seal_4:~0,70!"=="!seal_4!" set form=0
  if not "!seal_5:~0,38!"=="!seal_5!" set form=0
  if not "!seal_3:~54,8!"=="c2hhNTEy" set form=0
  if not "!seal_6!"=="-----END SSH SIGNATURE-----" set form=0
  if defined seal_7 set form=0
  if !form!==0 set "reason=bundle_signature: the signature is not in the form that ssh-keygen writes"
  if defined reason (set failed=1& echo    !reason!& echo 1  Signature of the bundle: FAILED) else (echo 1  Signature of the bundle: ok)
)

if not exist "%certutil%" (
  set /a unchecked+=1
  echo 2  Both manifests, and no extra files: not checked here, it needs certutil
  goto rest
)
set changed=0
for %%m in (tagmanifest-sha256.txt manifest-sha256.txt) do if exist %%m (
  %findstr% /r /c:"[^0-9A-Za-z ._/-]" %%m >nul 2>&1
  if not !errorlevel!==1 set changed=1
)
if !changed!==1 (
  echo    manifest_line: a name with other characters than the files of a bundle have
  goto listed
)
for %%r in (${names(listed)} ${names(places)}) do set "place_%%r=1"
set count=0
for %%m in (tagmanifest-sha256.txt manifest-sha256.txt) do (
  if not exist %%m (set changed=1& echo    missing: %%m)
  set data=0
  if "%%m"=="manifest-sha256.txt" set data=1
  if exist %%m for /f "usebackq delims=" %%l in ("%%m") do (
    set "line=%%l"
    set "hash=!line:~0,64!"
    set "name=!line:~66!"
    set plain=1
    if "!line:~0,66!"=="!line!" set plain=0
    if not "!line:~64,2!"=="  " set plain=0
    if not "!hash: =!"=="!hash!" set plain=0
    if not "!name: =!"=="!name!" set plain=0
    if not "!name:..=!"=="!name!" set plain=0
    if "!name:~0,1!"=="/" set plain=0
    if !plain!==0 (
      set changed=1
      echo    manifest_line: a line of %%m that is no entry
    ) else (
      set "file=!name:/=\!"
      if defined listed_!file! (set changed=1& echo    manifest_line: listed twice: !name!)
      set "listed_!file!=1"
      set other=!data!
      if "!name:~0,5!"=="data/" set /a other=1-data
      if /i "!name:~0,12!"=="tagmanifest-" set other=1
      if !other!==1 (set changed=1& echo    wrong_manifest: !name!)
      set "shape=!file!"
${each('123456789', (one) => `    set "shape=!shape:${one}=0!"`)}
      if "!file:~0,10!"=="data\tile\" for /l %%n in (1,1,9) do set "shape=!shape:\x000\=\!"
      for /l %%n in (1,1,5) do set "shape=!shape:00=0!"
      set place=0
      if defined place_!file! set place=1
      if defined place_!shape! set place=1
      set "kind="
      set "found="
      for %%f in ("!file!") do (
        set "kind=%%~af"
        rem certutil refuses empty files.
        if "%%~zf"=="0" set "found=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      )
      if not exist "!file!" set "kind="
      if !place!==0 (set changed=1& echo    extra_file: without a place in the layout: !name!)
      if not defined kind (
        set changed=1
        echo    missing: !name!
      ) else if "!kind:~0,1!"=="d" (
        set changed=1
        echo    missing: a folder in place of !name!
      ) else if !place!==1 (
        set /a count+=1
        if not defined found for /f "skip=1 delims=" %%c in ('%certutil% -hashfile "!file!" SHA256 2^>nul') do if not defined found set "found=%%c"
        if defined found set "found=!found: =!"
        if /i not "!found!"=="!hash!" (set changed=1& echo    file_changed: !name!)
      )
    )
  )
)
for %%r in (${names(listed)}) do if not defined listed_%%r (set changed=1& echo    missing: %%r is not listed)
if not exist tagmanifest-sha256.txt.sig (set changed=1& echo    missing: tagmanifest-sha256.txt.sig)
set "rest=!cd!"
set skip=1
:measure
if not "!rest:~0,1!"=="!rest!" (
  set "rest=!rest:~1!"
  set /a skip+=1
  goto measure
)
set seen=0
for /f "delims=" %%f in ('dir /s /b /a-d') do (
  set /a seen+=1
  setlocal DisableDelayedExpansion
  set "file=%%f"
  setlocal EnableDelayedExpansion
  set "file=!file:~%skip%!"
  rem Not so at the root of a drive, whose name ends with it.
  if "!file:~0,1!"=="\" set "file=!file:~1!"
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
for %%t in (tagmanifest-sha256.txt tagmanifest-sha256.txt.sig) do if exist %%t set /a count+=1
rem Names with letters of another language are read as other names.
if !changed!==0 if not !seen!==!count! (set changed=1& echo    extra_file: more files than are listed, !seen! in place of !count!)
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
export const verifyCmd = script.replaceAll('\n', '\r\n')
