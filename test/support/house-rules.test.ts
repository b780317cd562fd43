import { expect, it } from 'vitest'
import {
  checkAccounts,
  checkCalls,
  checkCircles,
  checkExports,
  checkFloors,
  checkLength,
  checkMachinePaths,
  checkNames,
  checkOwners,
  checkTexts,
  readOwners,
} from './house-rules.ts'
import { parseSource } from './source-reader.ts'

// Each rule of architecture.test.ts meets a source that breaks it and one that does not.

it.each([
  ['src/model/a.ts', "import { b } from '../api/b.ts'"],
  ['src/model/a.ts', "import type { B } from '../api/b.ts'"],
  ['src/model/a.ts', "export * from '../api/b.ts'"],
  ['src/store/a.ts', "export { b } from '../host/b.ts'"],
  ['src/store/a.ts', "new Worker(new URL('../host/b.ts', import.meta.url))"],
  ['src/faces/a.ts', "const b = await import('../store/b.ts')"],
  ['src/client/a.ts', "type B = import('../engine/b.ts').B"],
  ['src/engine/a.ts', "import { openCarrel } from '../index.ts'"],
  ['src/engine/a.ts', "import { b } from '../../test/b.ts'"],
  ['web/a.tsx', "import { b } from '../src/engine/b.ts'"],
  ['scripted-agent/a.ts', "import { b } from '../src/model/b.ts'"],
  ['src/host/a.ts', "import { b } from '../../scripted-agent/b.ts'"],
  ['src/primitives/a.ts', "import { b } from '../model/b.ts'"],
  ['src/store/a.ts', "new URL('../../scripted-agent/b.ts', import.meta.url)"],
  ['src/attic/a.ts', 'export const a = 1'],
])('floors: %s may not %s', (path, text) => {
  expect(checkFloors([parseSource(path, text)])).toHaveLength(1)
})

it.each([
  ['src/api/a.ts', "import { b } from '../model/b.ts'"],
  ['src/faces/cli/a.ts', "import { b } from '../../client/b.ts'"],
  ['src/main.ts', "import { b } from './faces/cli/b.ts'"],
  ['src/store/a.ts', "import { b } from '../primitives/b.ts'"],
  ['src/host/a.ts', "new URL('../../scripted-agent/b.ts', import.meta.url)"],
  ['scripted-agent/a.ts', "import { b } from './b.ts'"],
  ['web/session/a.tsx', "import { b } from '../../src/client/b.ts'"],
  ['test/e2e/a.test.ts', "import { b } from '../../src/engine/b.ts'"],
  ['src/model/a.test.ts', "import { b } from '../engine/b.ts'"],
])('floors: %s may %s', (path, text) => {
  expect(checkFloors([parseSource(path, text)])).toEqual([])
})

it('circles: the rule finds circles of values, not of types', () => {
  const closing = (text: string) => [
    parseSource('src/model/a.ts', "import { b } from './b.ts'"),
    parseSource('src/model/b.ts', "export { c } from './c.ts'"),
    parseSource('src/model/c.ts', text),
  ]
  expect(checkCircles(closing("import { a } from './a.ts'"))).toEqual([
    'src/model/a.ts: imports itself by src/model/a.ts -> src/model/b.ts -> src/model/c.ts -> src/model/a.ts.',
  ])
  expect(checkCircles(closing("import type { a } from './a.ts'"))).toEqual([])
  expect(checkCircles(closing("import { type a } from './a.ts'"))).toEqual([])
})

it('length: 400 lines are allowed, 401 are not', () => {
  expect(checkLength([parseSource('src/model/a.ts', '// a\n'.repeat(400))])).toEqual([])
  expect(checkLength([parseSource('src/model/a.ts', '// a\n'.repeat(401))])).toHaveLength(1)
})

it.each([
  'src/model/utils.ts',
  'src/utils/a.ts',
  'web/lib/a.ts',
  'src/api/session-types.ts',
  'test/helpers/a.ts',
  'src/store/storeManager.ts',
  'web/main_page.tsx',
])('names: %s is refused', (path) => {
  expect(checkNames([path])).toHaveLength(1)
})

it('names: kebab-case, components and hooks pass', () => {
  const names = [
    'src/model/events/acp1.ts',
    'src/store/sql/0001-first.ts',
    'web/session/transcript/Transcript.tsx',
    'web/session/useSession.ts',
    'src/model/a.test.ts',
  ]
  expect(checkNames([...names, 'web/main.tsx', 'web/page.css', 'vitest.config.ts', 'src/model/liberty.ts'])).toEqual([])
})

it('calls: the world is read where it may be', () => {
  const text = 'const a = [Date.now(), Math.random(), process.env.HOME, new Date()]\n\nconst b = process["env"]'
  expect(checkCalls([parseSource('src/engine/a.ts', text)]).map((one) => one.split(' is ')[0])).toEqual([
    'src/engine/a.ts:1: Date.now',
    'src/engine/a.ts:1: Math.random',
    'src/engine/a.ts:1: process.env',
    'src/engine/a.ts:1: new Date()',
    'src/engine/a.ts:3: process.env',
  ])
  for (const path of [
    'src/engine/open.ts',
    'src/faces/cli/deep/a.ts',
    'src/main.ts',
    'web/a.ts',
    'src/engine/a.test.ts',
  ]) {
    expect(checkCalls([parseSource(path, text)])).toEqual([])
  }
  expect(checkCalls([parseSource('src/engine/a.ts', 'const a = new Date(at) // Date.now()')])).toEqual([])
})

it('texts: a text of the page outside its table is a complaint with the sentence', () => {
  const check = (path: string) => checkTexts([parseSource(path, '<p>\n  Nobody waits\n  for you\n</p>')])
  expect(check('web/inbox/A.tsx')).toEqual([
    'web/inbox/A.tsx:2: "Nobody waits for you" is read by people; move it to a table in web/texts/.',
  ])
  for (const path of ['web/texts/A.tsx', 'web/gallery/A.tsx', 'web/inbox/A.test.tsx', 'src/faces/A.tsx', 'test/A.tsx'])
    expect(check(path)).toEqual([])
})

it('exports: a default export is refused, except where a tool needs one', () => {
  expect(checkExports([parseSource('src/model/a.ts', 'export default 1')])).toHaveLength(1)
  expect(checkExports([parseSource('src/model/a.ts', 'const a = 1\nexport { a as default }')])).toHaveLength(1)
  expect(checkExports([parseSource('web/vite.config.ts', 'export default {}')])).toEqual([])
})

it('owners: only its owner may import a package, and package.json declares it', () => {
  const check = (path: string, text: string) => checkOwners([parseSource(path, text)], { pg: ['src/store/**'] }, ['pg'])
  expect(check('src/store/sql/a.ts', "import pg from 'pg'")).toEqual([])
  expect(check('src/store/a.ts', "import { readFile } from 'node:fs/promises'")).toEqual([])
  expect(check('src/engine/a.ts', "import pg from 'pg/lib/client'")).toEqual([
    'src/engine/a.ts: pg belongs to src/store/**.',
  ])
  expect(check('src/store/a.ts', "import a from '@some/thing/deep'")).toEqual([
    'src/store/a.ts: imports @some/thing, which package.json does not list.',
  ])
})

it('machine paths: a real home folder is refused, an invented one passes', () => {
  const check = (text: string) => checkMachinePaths('a.md', text, '/srv/build/carrel')
  expect(check(['', 'home', 'maria', 'code'].join('/'))).toHaveLength(1)
  expect(check(['', 'Users', 'maria'].join('/'))).toHaveLength(1)
  expect(check('see /srv/build/carrel/src')).toHaveLength(1)
  expect(check('cd /home/me/project; ~/home/x; https://example.com/home/page')).toEqual([])
})

it('accounts: the tables of dependencies.md and package.json name the same packages', () => {
  const owners = readOwners(
    '| `pg` | 8.0.0 | MIT | `src/a.ts`, `src/store/**` | why |\n| `vite` | 8.0.0 | MIT | tools | why |\n',
  )
  expect(owners).toEqual({ pg: ['src/a.ts', 'src/store/**'], vite: [] })
  expect(checkAccounts(owners, ['pg', 'vite'])).toEqual([])
  expect(checkAccounts(owners, ['pg', 'vite', 'zod'])).toEqual([
    'package.json: zod has no row in docs/decisions/dependencies.md.',
  ])
  expect(checkAccounts(owners, ['pg'])).toEqual(['docs/decisions/dependencies.md: vite is not in package.json.'])
})
