import { expect, it } from 'vitest'
import { globMatches } from './glob.ts'

it.each<[string, string, boolean]>([
  ['secrets/.env', 'secrets/**', true],
  ['.env', '*', true],
  ['a/.git/config', '**', true],
  ['src/a.ts', 'src/*', true],
  ['src/b/a.ts', 'src/*', false],
  ['src/b/a.ts', 'src/**/*.ts', true],
  ['SRC/a.ts', 'src/*', false],
  ['a.ts', '{a,b}.ts', true],
  ['src/a.ts', '!secrets/**', false],
  ['lib/src/a.ts', 'src/**', false],
])('%s and %s: %s', (path, glob, matches) => {
  expect(globMatches(path, glob)).toBe(matches)
})
