@echo off
rem SPDX-License-Identifier: Apache-2.0
rem The command line of Affidavit, run by the app's own runtime.
"%~dp0..\..\Affidavit.exe" --log-level=3 --command-line -- %*
exit /b %ERRORLEVEL%
