import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** A browser knows a service worker by its address, so that one has no hash. */
const serviceWorker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  buildStart() {
    const id = new URL('notify/worker.ts', import.meta.url).pathname
    this.emitFile({ type: 'chunk', id, fileName: 'service-worker.js' })
  },
}

// `npm run build` gives the output folder, `npm run dev` the server for work on the page (scripts/dev-page.mjs).
export default defineConfig({
  plugins: [react(), serviceWorker],
  // The worker's grammars come one by one, which the other format cannot do.
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The page is served with a policy that forbids data: scripts and styles, so nothing small is put inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The licences of the packages whose code the page has go along with it.
    license: { fileName: 'THIRD-PARTY-LICENSES.md' },
    chunkSizeWarningLimit: 900,
  },
})
