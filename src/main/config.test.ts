// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mainConfig } from './config.ts'

const folders = { userData: '/home/u/.config/Affidavit', appData: '/home/u/.config', home: '/home/u' }

describe('mainConfig', () => {
  it('serves on the loopback ports when nothing is said', () => {
    const config = mainConfig(folders, false, {})
    expect(config.compliance).toEqual({ host: '127.0.0.1', port: 5000 })
    expect(config.drift).toEqual({ host: '127.0.0.1', port: 5001 })
    expect(config.workspace).toBeNull()
    expect(config.defaultWorkspace).toBe(join(folders.userData, 'workspaces', 'default'))
  })
  it('takes folders, hosts and ports from the environment; empty counts as absent', () => {
    const config = mainConfig(folders, false, {
      AFFIDAVIT_WORKSPACE: 'w',
      AFFIDAVIT_STATE: '/s',
      COMPLIANCE_API_PORT: '0',
      DRIFT_API_PORT: '',
      DRIFT_API_HOST: '::1',
      AFFIDAVIT_ALLOWED_HOSTS: ' a:1, ,b:2 '
    })
    expect(config).toMatchObject({
      workspace: resolve('w'),
      state: resolve('/s'),
      compliance: { port: 0 },
      drift: { host: '::1', port: 5001 },
      allowedHosts: ['a:1', 'b:2']
    })
  })
  it.each(['x', '-1', '65536', '80.5', '1e3'])('refuses the port %s by name', (port) => {
    expect(() => mainConfig(folders, false, { COMPLIANCE_API_PORT: port })).toThrow(/COMPLIANCE_API_PORT/)
  })
  it('knows a development server only on this machine and never in a packaged app', () => {
    const url = 'http://localhost:5173'
    expect(mainConfig(folders, false, { ELECTRON_RENDERER_URL: url }).devServer).toBe(url)
    expect(mainConfig(folders, true, { ELECTRON_RENDERER_URL: url }).devServer).toBeNull()
    expect(() => mainConfig(folders, false, { ELECTRON_RENDERER_URL: 'http://example.org' })).toThrow()
  })
})
