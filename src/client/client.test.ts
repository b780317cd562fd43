import fc from 'fast-check'
import { expect, it } from 'vitest'
import { connect, requestFor } from './client.ts'
import { createBoard, waitBefore } from './connection.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { REAL_TIMING } from './timing.ts'

const SESSION = `ses_${'0'.repeat(26)}`

it('an input goes into path, then query or body, as the table says', () => {
  expect(requestFor('sessions.items', { workspace: 'a', id: SESSION, before: 3, limit: undefined })).toEqual({
    method: 'GET',
    path: `/workspaces/a/sessions/${SESSION}/items?before=3`,
    body: null,
  })
  expect(requestFor('spaces.delete', { workspace: 'a', id: 'spc_x', confirm: true })).toEqual({
    method: 'DELETE',
    path: '/workspaces/a/spaces/spc_x?confirm=true',
    body: null,
  })
  expect(requestFor('sessions.rename', { workspace: 'a', id: SESSION, name: 'A & B' })).toEqual({
    method: 'PATCH',
    path: `/workspaces/a/sessions/${SESSION}`,
    body: '{"name":"A & B"}',
  })
})

it('B1: no id climbs out of its place in the path', () => {
  for (const id of ['..', '.', '', undefined, { toString: () => '..' }]) {
    expect(() => requestFor('sessions.get', { workspace: 'a', id })).toThrow(/cannot be the id/)
  }
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }), (id) => {
      fc.pre(id !== '.' && id !== '..' && id.isWellFormed())
      const { path } = requestFor('sessions.get', { workspace: 'w', id })
      const { pathname } = new URL(`http://host/api${path}`)
      expect(pathname.split('/').slice(0, 5)).toEqual(['', 'api', 'workspaces', 'w', 'sessions'])
      expect(decodeURIComponent(pathname.split('/').slice(5).join('/'))).toBe(id)
    }),
  )
})

it('a server that is not there is `unavailable`, in words that say what to do', async () => {
  const client = connect({
    url: 'http://127.0.0.1:9',
    fetch: async () => {
      throw new TypeError('fetch failed')
    },
  })
  await expect(client.call('workspaces.list', {})).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('carrel serve'),
  })
})

it('an answer that is not from Carrel is `unavailable`', async () => {
  const client = connect({ url: 'http://127.0.0.1:9', fetch: async () => new Response('<html>router login</html>') })
  await expect(client.call('workspaces.list', {})).rejects.toMatchObject({ code: 'unavailable' })
})

it('a cursor survives being written and read, whatever the logs are called', () => {
  const position = fc.oneof(fc.maxSafeNat(), fc.constant('end' as const))
  const name = fc.stringMatching(/^[a-z0-9_-]{1,128}$/)
  fc.assert(
    fc.property(fc.dictionary(name, position, { minKeys: 1, noNullPrototype: true }), (logs) => {
      const cursor = new Map(Object.entries(logs))
      expect(readCursor(writeCursor(cursor))).toEqual(cursor)
    }),
  )
  expect(readCursor('12', SESSION)).toEqual(new Map([[SESSION, 12]]))
})

it('what is no cursor is none', () => {
  for (const text of ['', 'x', 'w.', '.3', 'w.-1', 'w.1~', 'w.1.5x', '12', 'w.99999999999999999']) {
    expect(readCursor(text), text).toBeNull()
  }
})

it('each wait is longer than the one before up to a bound, and never nothing', () => {
  const waits = Array.from({ length: 40 }, (_, attempt) => waitBefore(attempt, { ...REAL_TIMING, random: () => 0.5 }))
  expect(waits.toSorted((a, b) => a - b)).toEqual(waits)
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (attempt, chance) => {
      const ms = waitBefore(attempt, { ...REAL_TIMING, random: () => chance })
      expect(ms).toBeGreaterThanOrEqual(REAL_TIMING.firstWaitMs / 2)
      expect(ms).toBeLessThanOrEqual(REAL_TIMING.longestWaitMs)
    }),
  )
})

it('a board tells the worst of its lines, and a line that begins changes nothing', async () => {
  let now = 0
  const board = createBoard({
    ...REAL_TIMING,
    now: () => now,
    random: () => 0,
    firstWaitMs: 60_000,
    longestWaitMs: 60_000,
  })
  const told: string[] = []
  board.onConnection(({ state, attempt }) => told.push(`${state} ${attempt}`))
  const first = board.line()
  expect(board.connection()).toMatchObject({ state: 'connecting', since: 0 })
  now = 5
  first.open()
  const second = board.line()
  expect(board.connection()).toMatchObject({ state: 'open', since: 5 })
  now = 9
  second.cut('The line broke.')
  const waiting = second.wait(new AbortController().signal)
  expect(board.connection()).toEqual({
    state: 'cut',
    since: 9,
    attempt: 1,
    reason: 'The line broke.',
    nextTryAt: 30_009,
  })
  board.retryNow()
  await waiting
  second.open()
  expect(told).toEqual(['open 0', 'cut 0', 'cut 1', 'cut 1', 'open 0'])
  first.remove()
  second.remove()
  expect(board.connection().state).toBe('open')
})
