// SPDX-License-Identifier: Apache-2.0
// A walk through views: pictures light and dark at two sizes, held against axe and the content policy.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { engineRunning, expect, type LaunchedApp, launchApp, projectRoot, test } from '../harness.ts'

const screens = join(projectRoot, 'test-results', 'screens')
const small = { width: 1280, height: 800 } as const
const large = { width: 1920, height: 1080 } as const
const looks = [
  { colorScheme: 'light', size: small },
  { colorScheme: 'dark', size: large },
  // AFFIDAVIT_ALL_LOOKS=1: the other two as well.
  ...(process.env.AFFIDAVIT_ALL_LOOKS
    ? ([
        { colorScheme: 'light', size: large },
        { colorScheme: 'dark', size: small }
      ] as const)
    : [])
] as const

export interface Walk {
  readonly app: LaunchedApp
  readonly page: Page
  /** Shows a route, such as `/records?query=x`. */
  readonly go: (to: string) => Promise<void>
  /** Takes a picture `test-results/screens/NAME-THEME-WxH.png` and notes what axe finds. */
  readonly shoot: (name: string) => Promise<void>
}

/** Walks once for each look, in an app of its own on an empty workspace; fails on findings of axe and on content policy violations. */
export function everyLook(name: string, walk: (at: Walk) => Promise<void>): void {
  walkThrough(name, looks, walk)
}

/** The same in one look, or in all four when they are asked for: each look of a long walk costs most of a minute. */
export function oneLook(theme: 'light' | 'dark', name: string, walk: (at: Walk) => Promise<void>): void {
  walkThrough(name, process.env.AFFIDAVIT_ALL_LOOKS ? looks : looks.filter((look) => look.colorScheme === theme), walk)
}

function walkThrough(name: string, chosen: readonly (typeof looks)[number][], walk: (at: Walk) => Promise<void>): void {
  for (const { colorScheme, size } of chosen) {
    test(`${name}, ${colorScheme}, ${size.width}x${size.height}`, async () => {
      test.setTimeout(300_000)
      mkdirSync(screens, { recursive: true })
      const app = await launchApp({ ...size, colorScheme })
      const { page } = app
      const violations: string[] = []
      await engineRunning(page)
      await walk({
        app,
        page,
        go: async (to) => void (await page.evaluate((hash) => (location.hash = hash), to)),
        shoot: async (picture) => {
          await page.evaluate(() => document.fonts.ready)
          await page.waitForTimeout(350)
          await page.screenshot({ path: join(screens, `${picture}-${colorScheme}-${size.width}x${size.height}.png`) })
          const found = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
          for (const one of found.violations)
            violations.push(`${picture}: ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
        }
      })
      expect(app.complaints.filter((one) => one.kind !== 'console')).toEqual([])
      expect(violations).toEqual([])
    })
  }
}
