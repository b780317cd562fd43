import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readPlaceFiles } from './place-file.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-place-files-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

function parentWith(make: (folder: string) => void): string {
  const parent = mkdtempSync(join(top, 'parent-'))
  mkdirSync(join(parent, 'place'))
  make(join(parent, 'place', 'place.json'))
  return parent
}

it.each([
  ['no file', () => undefined, 0],
  ['half a file', (path: string) => writeFileSync(path, '{"made":'), 0],
  ['a file', (path: string) => writeFileSync(path, '{"made":true,"record":{}}'), 1],
])('a place with %s', async (_, make, count) => {
  expect(await readPlaceFiles(parentWith(make))).toHaveLength(count)
})

it('a parent folder that is absent has no places', async () => {
  expect(await readPlaceFiles(join(top, 'nowhere'))).toEqual([])
})

it.each([
  ['a link to itself', (path: string) => symlinkSync('place.json', path), 'ELOOP'],
  ['a folder', (path: string) => mkdirSync(path), 'EISDIR'],
])('a place whose file cannot be read (%s) is never left out: its base would be swept', async (_, make, code) => {
  await expect(readPlaceFiles(parentWith(make))).rejects.toMatchObject({ code })
})
