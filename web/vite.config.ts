import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** A browser identifies a service worker by its address, so its file name has no hash. */
const serviceWorker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  buildStart() {
    const id = new URL('notify/worker.ts', import.meta.url).pathname
    this.emitFile({ type: 'chunk', id, fileName: 'service-worker.js' })
  },
}

// `npm run build` passes the output folder, `npm run dev` the development server (scripts/dev-page.mjs).
export default defineConfig({
  plugins: [react(), serviceWorker],
  // The worker loads grammars one by one, which needs the module format.
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The page's policy forbids data: scripts and styles, so small files are not inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The licences of the bundled packages are part of the page.
    license: { fileName: 'THIRD-PARTY-LICENSES.md' },
    chunkSizeWarningLimit: 900,
  },
})
