import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { LOOK, specOf } from '../../../test/support/history-world.ts'
import type { History } from './history.ts'
import { openHistory } from './open.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const KEY = 'space:one'
const forever = new AbortController().signal

function makePlace(files: number): { top: string; root: string; folder: string } {
  const top = mkdtempSync(join(tmpdir(), 'carrel-durable-'))
  folders.push(top)
  const root = join(top, 'tree')
  for (let at = 0; at < files; at++) {
    mkdirSync(join(root, `f${at % 50}`), { recursive: true })
    writeFileSync(join(root, `f${at % 50}`, `${at}.txt`), `content of ${at}\n`.repeat(20))
  }
  // The file is large enough for a blob of its own.
  writeFileSync(join(root, 'large'), 'large\n'.repeat(100_000))
  return { top, root, folder: join(top, 'history') }
}

async function opened(place: { root: string; folder: string }): Promise<History> {
  const history = await openHistory({ folder: place.folder, now: () => 1_000 })
  await history.open(specOf('one', place.root))
  await history.ready(KEY, forever)
  return history
}

/** Expects the newest snapshot to equal the disk. */
async function expectWhole(history: History, root: string): Promise<void> {
  const rows = await history.between(KEY, { from: 0, to: null, after: null, limit: 100_000 })
  const files = rows.filter(({ after }) => after?.kind === 'file')
  for (const { path } of files) {
    const kept = Buffer.from(await history.content(KEY, path, null, 1 << 30))
    expect(kept.equals(readFileSync(join(root, path)))).toBe(true)
  }
  const onDisk = execFileSync('find', [root, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')
  expect(files.length).toBe(onDisk.length)
}

it('a damaged database is moved aside and a new history begun, and its status says so', async () => {
  const place = makePlace(5)
  await (await opened(place)).close()
  const db = join(place.folder, 'files.db')
  const fd = openSync(db, 'r+')
  writeSync(fd, Buffer.alloc(200, 7), 0, 200, 0)
  closeSync(fd)
  const history = await opened(place)
  expect((await history.status(KEY)).problem).toContain(`${db}.damaged-`)
  await expectWhole(history, place.root)
  await history.close()
})

it('a database of a newer Carrel is refused with a sentence and left unchanged', async () => {
  const place = makePlace(1)
  await (await opened(place)).close()
  const db = new DatabaseSync(join(place.folder, 'files.db'))
  db.exec('pragma user_version = 99')
  db.close()
  await expect(opened(place)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('newer Carrel'),
  })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0
it.skipIf(!canMount)(
  'a full disk is said, keeps nothing half, and the next capture works (skipped: mounting needs root)',
  async () => {
    const place = makePlace(3)
    mkdirSync(place.folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', place.folder])
    try {
      const history = await opened(place)
      const noise = (at: number) => createHash('shake256', { outputLength: 200_000 }).update(`${at}`).digest()
      for (let at = 0; at < 40; at++) writeFileSync(join(place.root, `noise${at}`), noise(at))
      await expect(history.capture(KEY, LOOK)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('full'),
      })
      expect((await history.status(KEY)).n).toBe(1)
      for (let at = 1; at < 40; at++) rmSync(join(place.root, `noise${at}`))
      expect((await history.capture(KEY, LOOK)).counts).toMatchObject({ created: 1 })
      await expectWhole(history, place.root)
      await history.close()
    } finally {
      execFileSync('umount', ['-l', place.folder])
    }
  },
)

it('F6: a file written during the first import keeps its earlier content, or is reported as missed', async () => {
  const place = makePlace(3_000)
  const history = await openHistory({ folder: place.folder, now: () => 1_000 })
  const news: string[] = []
  history.onNews(({ what }) => news.push(what))
  await history.open(specOf('one', place.root))
  await history.keepFirst(KEY, ['f49/2999.txt'])
  writeFileSync(join(place.root, 'f49/2999.txt'), 'written by the run')
  const { changes } = await history.capture(KEY, { ...LOOK, at: 'hints', paths: ['f49/2999.txt'] })
  expect(changes.map(({ path }) => path)).toEqual(['f49/2999.txt'])
  await history.ready(KEY, forever)
  const before = await history.content(KEY, 'f49/2999.txt', 1, 1 << 20)
  expect(Buffer.from(before).toString()).toBe('content of 2999\n'.repeat(20))
  expect(news).toContain('progress')
  await history.close()
})
