// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cliEnvironment } from '../src/cli/config.ts'
import { mainConfig } from '../src/main/config.ts'

describe('the folder of keys and remembered heads', () => {
  // A workspace that one of them made must open in the other.
  it.each([{}, { XDG_STATE_HOME: '/elsewhere' }, { AFFIDAVIT_STATE: '/named' }])(
    'is the same for the app and the command line with %o',
    (env) => {
      const appData =
        process.platform === 'win32'
          ? (process.env.APPDATA ?? '')
          : join(homedir(), process.platform === 'darwin' ? 'Library/Application Support' : '.config')
      const main = mainConfig({ userData: join(appData, 'Affidavit'), appData, home: homedir() }, false, env)
      expect(main.state).toBe(cliEnvironment({ ...(process.platform === 'win32' ? { APPDATA: appData } : {}), ...env }).state)
    }
  )
})
