import { expect, it } from 'vitest'
import { checkAbsences, findAbsences } from './absence-rules.ts'

const IMPORTS = `import { existsSync, readFileSync } from 'node:fs'\nimport { readdir, stat } from 'node:fs/promises'\n`

it.each([
  ['a call whose error is thrown', `await stat('a')`, []],
  ['.catch into null', `await stat('a').catch(() => null)`, ['swallows with .catch']],
  ['.catch into a list', `(await readdir('a').catch(() => [])).map(String)`, ['swallows with .catch']],
  [
    '.catch within another call',
    `await Promise.all(names.map((name) => stat(name))).catch(() => undefined)`,
    ['swallows with .catch'],
  ],
  ['.catch that looks at the error', `await stat('a').catch((error) => { throw clear(error) })`, []],
  ['.catch that throws', `await stat('a').catch(() => { throw new Error('clear') })`, []],
  ['.catch of something else', `await other('a').catch(() => null)`, []],
  ['.then with a second handler', `await stat('a').then(() => true, () => false)`, ['swallows with .then']],
  ['.then with one handler', `await stat('a').then(() => true)`, []],
  ['try around a call', `try { readFileSync('a') } catch { }`, ['swallows with try']],
  ['try that throws', `try { readFileSync('a') } catch { throw new Error('clear') }`, []],
  ['try that looks at the error', `try { readFileSync('a') } catch (error) { warn(error) }`, []],
  ['try around something else', `try { JSON.parse('a') } catch { }`, []],
  ['existsSync', `if (existsSync('a')) act()`, ['existsSync returns false for every error']],
  ['a code of absence', `error.code === 'ENOENT' || error.code === 'EACCES'`, ['compares ENOENT']],
  ['codes of absence in a list', `['ENOENT', 'ENOTDIR'].includes(code)`, ['compares ENOENT', 'compares ENOTDIR']],
])('%s', (_, code, whys) => {
  expect(findAbsences('src/a.ts', `${IMPORTS}${code}`).map(({ why, line }) => [why, line])).toEqual(
    whys.map((why) => [why, 3]),
  )
})

it('a whole import of the file system counts too', () => {
  const code = `import * as fs from 'node:fs/promises'\nawait fs.stat('a').catch(() => null)`
  expect(findAbsences('src/a.ts', code)).toHaveLength(1)
})

const place = { path: 'src/a.ts', line: 3, why: 'swallows with try' }
const exception = { path: 'src/a.ts', places: 1, why: 'a reason' }

it.each([
  ['nothing found, no exception', [], [], 0],
  ['a place without an exception', [place], [], 1],
  ['a place with an exception', [place], [exception], 0],
  ['more places than the exception has', [place, { ...place, line: 9 }], [exception], 2],
  ['an exception that is not used', [], [exception], 1],
  ['an exception for more places than there are', [place], [{ ...exception, places: 2 }], 1],
])('%s', (_, found, exceptions, complaints) => {
  expect(checkAbsences(found, exceptions)).toHaveLength(complaints)
})
