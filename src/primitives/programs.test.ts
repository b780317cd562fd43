import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PACKAGE_ROOT, programFile, useProgramsOf } from './programs.ts'

const source = new URL('./programs.ts', import.meta.url)

beforeEach(() => useProgramsOf(null))
afterEach(() => useProgramsOf(null))

it('sources start sources', () => {
  expect(programFile('keeper', source)).toBe(source)
})

it('a test may have built programs started, until it takes that back', () => {
  useProgramsOf(pathToFileURL('/built/'))
  expect(programFile('keeper', source).href).toBe('file:///built/keeper.js')
  useProgramsOf(null)
  expect(programFile('keeper', source)).toBe(source)
})

it('the root of the package is where package.json is', () => {
  expect(existsSync(join(PACKAGE_ROOT, 'package.json'))).toBe(true)
  expect(PACKAGE_ROOT).not.toMatch(/[\\/]$/)
})
