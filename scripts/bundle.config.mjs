import { defineConfig } from 'rolldown'
import { builtinsByCall } from './builtins.mjs'
import { ROOT } from './carried.mjs'
import { BASE, ENTRIES, OUTSIDE, PROGRAMS, SHARING_PROGRAMS, TEST_PROGRAMS } from './programs.mjs'

const common = {
  cwd: ROOT,
  platform: 'node',
  // The library, the client and the model are for older ones too.
  transform: { target: 'node20' },
  external: OUTSIDE,
  plugins: [builtinsByCall()],
  // Names and lines stay as written, with the path of each source above its part: a stack trace needs no source map.
  output: {
    dir: process.env.CARREL_BUNDLE_TO,
    format: 'esm',
    minify: false,
    comments: { legal: true, annotation: false, jsdoc: false },
    hashCharacters: 'hex',
  },
}

/** Small parts that are always loaded together, as one file each: every file more costs a start half a millisecond. */
const GROUPS = [
  { name: 'base', test: BASE, priority: 3 },
  { name: 'model', test: /src.(model|api)./, priority: 2 },
]

const shared = (input) => ({
  ...common,
  input,
  output: {
    ...common.output,
    entryFileNames: '[name].js',
    chunkFileNames: 'part-[name]-[hash].js',
    codeSplitting: { groups: GROUPS },
  },
})

/** A part of its own is only what a program loads later, if at all: a keeper its proxy, which takes 4 MB. */
const single = ([name, source]) => ({
  ...common,
  input: { [name]: source },
  output: { ...common.output, entryFileNames: '[name].js', chunkFileNames: `${name}-[name]-[hash].js` },
})

export default defineConfig(
  process.env.CARREL_BUNDLE === 'test'
    ? [shared(TEST_PROGRAMS)]
    : [shared({ ...ENTRIES, ...SHARING_PROGRAMS }), ...Object.entries(PROGRAMS).map(single)],
)
