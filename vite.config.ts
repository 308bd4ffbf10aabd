import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { embedClient } from './scripts/vite-plugin-embed.mjs'
import { machine } from './scripts/vite-plugin-machine.mjs'
import { offline } from './scripts/vite-plugin-offline.mjs'

export default defineConfig({
  // Any static host, any folder of it.
  base: './',
  plugins: [react(), machine(), embedClient(), offline()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1000 },
  server: { watch: { ignored: ['**/test-results/**', '**/dist/**'] } },
})
