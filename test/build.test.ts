import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { withCalls } from '../scripts/builtins.mjs'
import { BASE, ENTRIES, PROGRAMS, SHARING_PROGRAMS } from '../scripts/programs.mjs'
import { buildStamped } from '../scripts/stamped.mjs'
import { readSource } from './support/source-reader.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const SOURCES = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '-z', 'src', 'scripted-agent'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\0')
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && existsSync(join(ROOT, path)))

/** Finds name -> source of each `programFile('name', new URL('./source.ts', import.meta.url))` in the sources. */
function programsCalled(): [string, string][] {
  const call = /programFile\(\s*'([\w-]+)',\s*new URL\('([^']+)', import\.meta\.url\)/g
  return SOURCES.flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(call)].map(([, name = '', to = '']): [string, string] => [
      name,
      posix.join(posix.dirname(path), to),
    ]),
  )
}

describe('the output of the build', () => {
  it('has each program that the sources start, under the name by which they start it', () => {
    expect(Object.fromEntries(programsCalled())).toEqual({ ...PROGRAMS, ...SHARING_PROGRAMS })
  })

  it('has all programs: no source starts one by its own path', () => {
    const started = SOURCES.flatMap((path) => {
      const { imports } = readSource(path, join(ROOT, path))
      return imports.filter((one) => one.started).map(({ to }) => to)
    })
    expect(started.toSorted()).toEqual(Object.values({ ...PROGRAMS, ...SHARING_PROGRAMS }).toSorted())
  })

  it('comes from existing files', () => {
    const missing = Object.values({ ...PROGRAMS, ...SHARING_PROGRAMS, ...ENTRIES }).filter(
      (path) => !existsSync(join(ROOT, path)),
    )
    expect(missing).toEqual([])
  })
})

it('each part of the model that a command loads at its start is in the base', () => {
  const loaded = new Set<string>()
  const load = (path: string): void => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const { to, relative, typeOnly, lazy, started } of readSource(path, join(ROOT, path)).imports)
      if (relative && !typeOnly && !lazy && !started && to.startsWith('src/')) load(to)
  }
  load(ENTRIES.main)
  expect([...loaded].filter((path) => path.startsWith('src/model/') && !BASE.test(path))).toEqual([])
})

describe("imports of Node's own modules in a built file", () => {
  const called = (code: string) => withCalls(code)?.code.split('\n').slice(2).join('\n')

  it.each([
    ['import { a, b as c } from "node:fs";', 'const { a, b: c } = $builtin("node:fs");'],
    ['import http from "node:http";', 'const http = $builtin("node:http");'],
    [
      'import http, { Agent as A } from "node:http";',
      'const http = $builtin("node:http"); const { Agent: A } = $builtin("node:http");',
    ],
    ['import "node:net";\nconst x = 1;', 'const x = 1;'],
  ])('%s becomes a call', (code, expected) => {
    expect(called(code)).toBe(expected)
  })

  it("other imports, and a file without any import of Node's, stay unchanged", () => {
    expect(withCalls('import { z } from "./part-zod.js";')).toBeNull()
  })

  it.each(['import * as fs from "node:fs";', 'export { join } from "node:path";'])('%s stops the build', (code) => {
    expect(() => withCalls(code)).toThrow(code)
  })
})

describe('a build with a stamp', () => {
  const top = mkdtempSync(join(tmpdir(), 'carrel-stamped-'))
  const out = join(top, 'dist')
  const write = (text: string) => (folder: string) => writeFileSync(join(folder, 'made'), text)
  const run = (build: (folder: string) => void, more: { sources?: string[]; force?: boolean } = {}) =>
    buildStamped({ out, sources: ['LICENSE'], title: 'it', build, ...more })
  const made = () => readFileSync(join(out, 'made'), 'utf8')
  vi.spyOn(console, 'log').mockImplementation(() => {})

  beforeEach(() => {
    rmSync(out, { recursive: true, force: true })
    run(write('first'))
  })
  afterAll(() => rmSync(top, { recursive: true, force: true }))

  it('does not run again on the same sources', () => {
    expect(run(write('second'))).toBe('fresh')
    expect(made()).toBe('first')
  })

  it.each([
    ['on other sources', { sources: ['LICENSE', 'README.md'] }],
    ['by force', { force: true }],
  ])('runs again %s', (_when, more) => {
    expect(run(write('second'), more)).toBe('built')
    expect(made()).toBe('second')
  })

  it('keeps the earlier output when it fails, and leaves nothing else', () => {
    const failing = (folder: string) => {
      write('half')(folder)
      throw new Error('no')
    }
    expect(() => run(failing, { force: true })).toThrow('no')
    expect(made()).toBe('first')
    expect(readdirSync(top)).toEqual(['dist'])
  })

  it('is whole when another build of the same sources ends first', () => {
    run(
      (folder) => {
        run(write('theirs'), { force: true })
        mkdirSync(folder, { recursive: true })
        write('ours')(folder)
      },
      { force: true },
    )
    expect(['ours', 'theirs']).toContain(made())
    expect(run(write('third'))).toBe('fresh')
  })

  it('removes the remains of killed builds', () => {
    // No system gives a process this number.
    mkdirSync(join(top, '.unfinished-dist-2147483647'))
    run(write('second'), { force: true })
    expect(readdirSync(top)).toEqual(['dist'])
  })
})
