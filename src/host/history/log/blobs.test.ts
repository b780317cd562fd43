import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openBlobs } from './blobs.ts'
import { openDb } from './db.ts'

it('F7: no sweep removes large content while one of its writers has yet to record it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-blobs-'))
  const { db } = openDb(join(folder, 'files.db'), 1_000)
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })
  const blobs = openBlobs(db, join(folder, 'blobs'))
  const [mine, theirs] = [blobs.from(Buffer.alloc(400_000, 'a')), blobs.from(Buffer.alloc(400_000, 'a'))]
  blobs.letGo(mine)
  expect(blobs.strays()).toBe(0)
  blobs.letGo(theirs)
  expect(blobs.strays()).toBe(1)
})
