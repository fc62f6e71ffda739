// SPDX-License-Identifier: Apache-2.0
// The command line in the app's own runtime: no second runtime is packed for it, and none has to be there.
import { pathToFileURL } from 'node:url'

/** The arguments of `affidavit`, when its wrapper started this process (`--command-line -- …`); null for the app. */
export function commandLineArguments(argv: readonly string[]): readonly string[] | null {
  const at = argv.indexOf('--command-line')
  // Behind `--` nothing is a switch of the runtime, so that no argument of a command can be taken for one.
  return at > 0 && argv[at + 1] === '--' && argv.indexOf('--') === at + 1 ? argv.slice(at + 2) : null
}

/**
 * Runs the built command line and ends the process with its status. To be awaited before the module of the entry ends: until then the runtime
 * opens no connection to a display, which a server does not have.
 */
export async function runCommandLine(args: readonly string[], entry: string): Promise<never> {
  const broken = (error: unknown): never => {
    process.stderr.write(`affidavit: ${error instanceof Error ? error.message : String(error)}\n`)
    return process.exit(2)
  }
  // Otherwise a box would be shown.
  process.on('uncaughtException', broken)
  process.argv = [process.execPath, entry, ...args]
  try {
    await import(pathToFileURL(entry).href)
  } catch (error) {
    return broken(error)
  }
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  return process.exit(process.exitCode ?? 0)
}
