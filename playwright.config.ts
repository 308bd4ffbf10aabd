import { defineConfig } from '@playwright/test'
import { findBrowser } from './scripts/browser.mjs'

/** Not the one that `npm start` serves at: both may run at once. */
const port = Number(process.env['E2E_PORT'] ?? 4183)
const dist = process.env['E2E_DIST'] ?? 'dist'
const ci = Boolean(process.env['CI'])

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: ci,
  workers: 2,
  reporter: [['list'], ['json', { outputFile: '.cache/reports/e2e.json' }]],
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    // A recording of every step takes as long as the steps: ask for it with --trace on.
    trace: 'off',
    launchOptions: {
      executablePath: findBrowser(),
      args: [
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        '--disable-quic',
      ],
    },
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 1440, height: 900 } } },
    { name: 'phone', use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } },
  ],
  webServer: {
    command: `npm run -s build -- --outDir ${dist} --emptyOutDir && npm run -s preview -- --outDir ${dist} --host 127.0.0.1 --port ${port} --strictPort`,
    url: `http://127.0.0.1:${port}/`,
    // A server left over from an earlier run would serve an earlier build.
    reuseExistingServer: false,
    timeout: 120_000,
  },
})
