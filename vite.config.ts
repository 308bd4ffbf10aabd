import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { machine } from './scripts/vite-plugin-machine.mjs'

export default defineConfig({
  // Any static host, any folder of it.
  base: './',
  plugins: [react(), machine()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1000 },
  server: { watch: { ignored: ['**/test-results/**', '**/dist/**'] } },
})
