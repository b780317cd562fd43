import { defineConfig } from 'rolldown'
import { ROOT } from './carried.mjs'
import { ENTRIES, PROGRAMS, TEST_PROGRAMS } from './programs.mjs'

/** Packages that stay outside: a native one, one that is a program of its own, and the runner of whoever tests a store. */
const OUTSIDE = ['@parcel/watcher', /^chrome-devtools-mcp/, 'vitest']

const common = {
  cwd: ROOT,
  platform: 'node',
  external: OUTSIDE,
  // Names and lines stay as written, with the path of each source above its part: a stack trace needs no source map.
  output: {
    dir: process.env.CARREL_BUNDLE_TO,
    format: 'esm',
    minify: false,
    comments: { legal: true, annotation: false, jsdoc: false },
    hashCharacters: 'hex',
  },
}

const split = (input) => ({
  ...common,
  input,
  output: { ...common.output, entryFileNames: '[name].js', chunkFileNames: 'part-[name]-[hash].js' },
})

const single = ([name, source]) => ({
  ...common,
  input: { [name]: source },
  output: { ...common.output, entryFileNames: '[name].js', codeSplitting: false },
})

export default defineConfig(
  process.env.CARREL_BUNDLE === 'test'
    ? [split(TEST_PROGRAMS)]
    : [split(ENTRIES), ...Object.entries(PROGRAMS).map(single)],
)
