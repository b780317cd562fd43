import { expect, it } from 'vitest'
import { commandWords } from './PlaceOptionFields.tsx'

it.each([
  ['npm ci', ['npm', 'ci']],
  ['  make   "all of it" \'and more\' ', ['make', 'all of it', 'and more']],
  ['', []],
  ['echo $HOME; ls', ['echo', '$HOME;', 'ls']],
])('a command line is a program and its arguments, and no shell reads it: %s', (line, args) => {
  expect(commandWords(line)).toEqual(args)
})
