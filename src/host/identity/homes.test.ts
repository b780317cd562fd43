import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { listHomes, listUnnoted } from './homes.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-homes-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
writeFileSync(join(top, 'file'), '')
symlinkSync('loop', join(top, 'loop'))

it.each([
  ['all', listHomes],
  ['those without a note', listUnnoted],
])('homes (%s): a folder that is not there has none; one that cannot be read is an error', async (_which, list) => {
  expect(await list(join(top, 'nowhere'))).toEqual([])
  expect(await list(join(top, 'file'))).toEqual([])
  await expect(list(join(top, 'loop'))).rejects.toMatchObject({ code: 'ELOOP' })
})
