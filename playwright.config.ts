// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test'

const report = process.env.PLAYWRIGHT_JSON_OUTPUT_FILE

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results/playwright',
  // Each test starts an app of its own; more at a time on two cores only makes them slow.
  workers: 1,
  // Long enough for a machine that does other work meanwhile: no test here is about speed, except where it says so.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [['list'], ...(report === undefined ? [] : [['json', { outputFile: report }] as const])]
})
