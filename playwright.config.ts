// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test'

const report = process.env.PLAYWRIGHT_JSON_OUTPUT_FILE

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results/playwright',
  // An app mostly waits for its window: two at a time take two thirds of the time of one after the other, more only make each other slow.
  workers: 2,
  // Long enough for a machine that does other work meanwhile: no test here is about speed, except where it says so.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [['list'], ...(report === undefined ? [] : [['json', { outputFile: report }] as const])]
})
