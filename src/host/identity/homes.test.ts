import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { listHomes, listUnnoted } from './homes.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-homes-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

it.each([
  ['all', listHomes],
  ['those without a note', listUnnoted],
])('homes (%s): a folder that is not there has none; one that cannot be read is an error', async (_which, list) => {
  expect(await list(join(top, 'nowhere'))).toEqual([])
  const file = join(top, 'a-file')
  writeFileSync(file, '')
  await expect(list(file)).rejects.toMatchObject({ code: 'ENOTDIR' })
})
