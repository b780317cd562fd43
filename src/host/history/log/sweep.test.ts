import { createHash } from 'node:crypto'
import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace } from '../../../../test/support/history-world.ts'
import type { Retention } from '../history.ts'
import { aged } from './sweep.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const policy: Retention = { now: 100 * DAY, maxBytes: null, keepAllMs: DAY, keepHourlyMs: 7 * DAY, needed: new Map() }
const noise = (at: number, bytes = 60_000) => createHash('shake256', { outputLength: bytes }).update(`${at}`).digest()

/** Makes snapshots from 2 on, one each `every` ms before now. */
async function snapshots(place: TestPlace, count: number, every: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    place.write('file', noise(at))
    await place.captured({ now: policy.now - (count - at) * every })
  }
}
const listed = async (place: TestPlace) =>
  (await place.history.snapshots(place.key, { before: null, limit: 1_000 })).map(({ n }) => n).reverse()

/** Returns the size of the database on disk after a checkpoint. */
function pages({ folder }: TestPlace): number {
  using db = new DatabaseSync(join(folder, 'files.db'), { readOnly: true })
  return Number(db.prepare('pragma page_count').get()?.page_count)
}

it('F7: snapshots of the last day stay, then one an hour for a week, then one a day, and all pinned ones', () => {
  const all = [0, 1, 2, 3, 40, 41, 300, 301, 302].map((hours, index) => ({
    n: 100 - index,
    at: policy.now - hours * HOUR - 60_000 * (index % 3) - 1,
    pinned: hours === 301 ? 1 : 0,
  }))
  const gone = aged([...all].reverse(), new Set([100]), policy)
  expect(gone).toEqual([92])
  expect(aged([...all].reverse(), new Set([100, 92]), policy)).toEqual([])
})

it('F7: a sweep frees bytes on disk, and every listed snapshot is complete', async () => {
  await using place = await openTestHistory({ file: 'first', other: 'kept' })
  await place.captured()
  await snapshots(place, 300, 10 * 60_000)
  await place.history.pin(place.key, 20, true)
  const before = (await place.history.status(place.key)).bytes
  const pagesBefore = pages(place)
  const swept = await place.history.sweep({ ...policy, now: policy.now + 30 * DAY })
  const after = (await place.history.status(place.key)).bytes
  expect(swept.snapshots).toBeGreaterThan(280)
  expect(before - after).toBe(swept.bytes)
  expect(pages(place)).toBeLessThan(pagesBefore / 2)
  expect(after).toBeLessThan(before / 20)
  const left = await listed(place)
  expect(left).toContain(20)
  expect(left).toContain(301)
  for (const n of left.filter((n) => n > 1)) {
    expect(Buffer.from(await place.history.content(place.key, 'file', n, 1 << 20)).equals(noise(n - 2))).toBe(true)
  }
  await expect(place.history.content(place.key, 'file', 30, 1 << 20)).rejects.toMatchObject({ code: 'gone' })
  // The changes and their times are still listed.
  expect((await place.history.pathHistory(place.key, 'file', { before: null, limit: 500 })).length).toBe(300)
  expect(await place.history.sweep({ ...policy, now: policy.now + 30 * DAY })).toMatchObject({ snapshots: 0, bytes: 0 })
})

it('F7: over its budget a workspace loses its oldest snapshots; an excess is reported', async () => {
  await using place = await openTestHistory({ file: 'first' })
  await place.captured()
  await snapshots(place, 40, 60_000)
  const needed = new Map([[place.key, [3]]])
  const swept = await place.history.sweep({ ...policy, maxBytes: 400_000, needed })
  expect((await place.history.status(place.key)).bytes).toBeLessThanOrEqual(400_000)
  expect(swept.over).toEqual([])
  expect(await listed(place)).toContain(3)
  const over = await place.history.sweep({ ...policy, maxBytes: 10, needed })
  expect(over.over).toEqual([{ workspace: 'ws_1', bytes: expect.any(Number) }])
  expect(await listed(place)).toEqual([3, 41])
})

it('F7: forgetting a place frees its own content; shared content stays with the other place', async () => {
  await using place = await openTestHistory({
    shared: 'both have this\n'.repeat(100),
    'only/one': noise(1).toString('hex'),
  })
  await using other = await place.another({ shared: 'both have this\n'.repeat(100) })
  await other.captured()
  expect((await other.history.status(other.key)).bytes).toBe(0)
  await place.history.forget(place.key)
  await expect(place.history.status(place.key)).rejects.toMatchObject({ code: 'not_found' })
  expect((await other.history.status(other.key)).bytes).toBeGreaterThan(0)
  expect(await other.text('shared', 1)).toBe('both have this\n'.repeat(100))
  expect((await other.history.usage()).length).toBe(1)
})

it('F7: large content is deleted from disk with its file', async () => {
  await using place = await openTestHistory({ large: noise(1, 400_000).toString('latin1') })
  await place.captured()
  const first = await place.state('large', 1)
  const digest = String(first?.digest)
  const blob = join(place.folder, 'blobs', digest.slice(0, 2), digest.slice(2))
  expect(statSync(blob).isFile()).toBe(true)
  // The new time makes the history read the file again and find it unchanged.
  utimesSync(join(place.root, 'large'), 1_000, 1_000)
  await place.captured()
  place.write('large', noise(2, 400_000))
  await place.captured({ now: 2_000 })
  await place.history.sweep({ ...policy, maxBytes: 500_000 })
  expect(statSync(blob, { throwIfNoEntry: false })).toBe(undefined)
})
