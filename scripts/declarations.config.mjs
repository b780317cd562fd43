import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import { ROOT } from './carried.mjs'
import { ENTRIES } from './programs.mjs'

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const { main: _command, ...LIBRARIES } = ENTRIES

/** Zod's types go along, since ours are made of them. All other packages are for the inside only, but for `vitest`. */
export default defineConfig({
  cwd: ROOT,
  platform: 'node',
  input: LIBRARIES,
  external: Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name !== 'zod'),
  plugins: [dts({ emitDtsOnly: true, tsconfig: join(ROOT, 'tsconfig.types.json') })],
  // Locales of zod that are written for CommonJS are left out, and are part of no type of ours.
  onLog: (level, log, handler) => {
    if (!/CommonJS dts/.test(log.message)) handler(level, log)
  },
  output: {
    dir: process.env.CARREL_BUNDLE_TO,
    format: 'esm',
    hashCharacters: 'hex',
    entryFileNames: '[name].js',
    chunkFileNames: 'part-[name]-[hash].js',
  },
})
