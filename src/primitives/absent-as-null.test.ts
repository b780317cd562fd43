import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { absentAsNull, absentAsNullSync, isAbsent, isPresent } from './absent-as-null.ts'

const folder = mkdtempSync(join(tmpdir(), 'carrel-absent-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'file'), 'text')
symlinkSync('nowhere', join(folder, 'dangling'))
symlinkSync('loop', join(folder, 'loop'))

const failure = (code: string) => Object.assign(new Error(code), { code })

it.each([
  ['ENOENT', true],
  ['ENOTDIR', true],
  ['EACCES', false],
  ['EPERM', false],
  ['EMFILE', false],
  ['ENFILE', false],
  ['EIO', false],
  ['ELOOP', false],
  ['ENAMETOOLONG', false],
])('%s means absent: %s', async (code, absent) => {
  const error = failure(code)
  const fail = () => {
    throw error
  }
  expect(isAbsent(error)).toBe(absent)
  if (absent) {
    expect(await absentAsNull(Promise.reject(error))).toBeNull()
    expect(absentAsNullSync(fail)).toBeNull()
  } else {
    await expect(absentAsNull(Promise.reject(error))).rejects.toBe(error)
    expect(() => absentAsNullSync(fail)).toThrow(error)
  }
})

it.each([undefined, null, 'ENOENT', { code: 2 }, new Error('ENOENT')])('%o is no absence', (thrown) => {
  expect(isAbsent(thrown)).toBe(false)
})

it.each([
  ['file', 'text', true],
  ['none', null, false],
  ['none/below', null, false],
  ['file/below', null, false],
  ['dangling', null, false],
])('%s reads as %o', async (name, content, present) => {
  const path = join(folder, name)
  expect(await absentAsNull(readFile(path, 'utf8'))).toBe(content)
  expect(absentAsNullSync(() => readFileSync(path, 'utf8'))).toBe(content)
  expect(isPresent(path)).toBe(present)
})

it('a path that cannot be looked at is an error', async () => {
  await expect(absentAsNull(readdir(join(folder, 'loop')))).rejects.toThrow('ELOOP')
  expect(() => isPresent(join(folder, 'loop'))).toThrow('ELOOP')
})
