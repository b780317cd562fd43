import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView } from '../../src/model/events/view.ts'
import type { SessionId, WorkspaceId } from '../../src/model/ids.ts'
import type { SearchHit } from '../../src/model/search.ts'
import type { Session } from '../../src/model/tree.ts'
import type { Store } from '../../src/store/store.ts'
import { property } from '../support/property.ts'
import type { CurrentStore } from './store.ts'
import {
  AGENT,
  ended,
  makeRunning,
  makeWorld,
  refold,
  said,
  sessionOf,
  take,
  type World,
  write,
} from './store-world.ts'

const ALL = { cursor: null, limit: 100 }

/** Characters and words with a meaning to one of the engines, for the fuzzer. */
const NASTY = ['"', "'", '*', '^', '(', ')', ':', '-', '+', '{', '}', '<->', '&', '|', '!', '\\', '\0', ' ', '\n', '😀']
const WORDS = ['AND', 'OR', 'NOT', 'NEAR(', 'words:', 'rowid', 'drop table items;', '%', '$1', 'ünï', '漢字', '½', 'ﬁ']

export function itSearches(current: CurrentStore): void {
  describe('search', () => {
    it('a search finds texts with all the words, in any case and with or without accents', async () => {
      const { store, world, texts } = await filled(current(), [
        'The café opens at nine',
        'a cafe, closed',
        'nine lives',
      ])
      expect(await texts('CAFE nine')).toEqual(['The café opens at nine'])
      expect(await texts('café')).toHaveLength(2)
      expect(await texts('cafe dinner')).toEqual([])
      expect(await texts('  ')).toEqual([])
      const [hit] = await find(store, world, 'lives')
      const session = {
        session: world.filled.id,
        sessionName: 'Talk',
        space: world.space.id,
        project: world.project.id,
      }
      expect(hit).toEqual({
        ...session,
        n: 3,
        kind: 'message',
        at: 30,
        agent: null,
        snippet: 'nine lives',
        marks: [[5, 10]],
      })
    })

    it('a search takes the last word as a prefix, and no other', async () => {
      const { texts } = await filled(current(), ['refactoring the parser', 'parse refactor'])
      expect(await texts('the pars')).toEqual(['refactoring the parser'])
      expect(await texts('refactor pars')).toEqual(['parse refactor'])
      expect(await texts('refac')).toHaveLength(2)
      expect(await texts('"refactor"')).toEqual(['parse refactor'])
    })

    it('a search takes quotes, paths and names with dashes as a phrase', async () => {
      const { texts } = await filled(current(), [
        'open src/store/sql.ts now',
        'the store of src is no sql',
        '漢字を書く',
      ])
      expect(await texts('src/store')).toEqual(['open src/store/sql.ts now'])
      expect(await texts('src store')).toHaveLength(2)
      expect(await texts('"store of src"')).toEqual(['the store of src is no sql'])
      expect(await texts('"src of store"')).toEqual([])
      expect(await texts('"no sql')).toEqual(['the store of src is no sql'])
      expect(await texts('字を')).toEqual(['漢字を書く'])
      expect(await texts('を字')).toEqual([])
    })

    it('a search takes any text as words, whatever it means to an engine', async () => {
      const { store, world, texts } = await filled(current(), ['salt AND pepper', 'NOT this or NEAR that', '%_$1'])
      expect(await texts('salt AND')).toEqual(['salt AND pepper'])
      expect(await texts('salt OR pepper')).toEqual([])
      expect(await texts('NOT this')).toEqual(['NOT this or NEAR that'])
      expect(await texts('1')).toEqual(['%_$1'])
      expect(await texts('%_')).toEqual([])
      const part = fc.oneof(fc.constantFrom(...NASTY), fc.constantFrom(...WORDS), fc.string({ unit: 'binary' }))
      await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
          const hits = await find(store, world, parts.join(''))
          for (const { snippet, marks } of hits) {
            for (const [from, to] of marks) expect(snippet.slice(from, to)).not.toBe('')
          }
        }),
        { numRuns: 300 },
      )
    })

    property('a store keeps and finds every word of any text', 60, async (numRuns) => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const text = fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'binary', maxLength: 80 })))
      await fc.assert(
        fc.asyncProperty(text, async (parts) => {
          const whole = `needle ${parts.join(' ')} haystack`
          await put(store, session, [whole])
          expect(await find(store, world, 'needle haystack')).toHaveLength(1)
          for (const part of parts) if (/^\p{L}+$/u.test(part)) expect(await find(store, world, part)).toHaveLength(1)
        }),
        { numRuns },
      )
    })

    it('hits are ordered by rank, then by time, and words are marked at their place in the snippet', async () => {
      const filler = `${'lorem ipsum '.repeat(60)}`
      const { store, world } = await filled(current(), [
        `${filler} one ${filler} key and lock ${filler}`,
        'key',
        'key',
        `key ${filler}`,
      ])
      const hits = await find(store, world, 'key')
      expect(hits.map(({ n }) => n)).toEqual([3, 2, ...hits.slice(2).map(({ n }) => n)])
      const long = (await find(store, world, 'lock key'))[0]
      expect(long?.snippet).toMatch(/^….* key and lock .*…$/)
      expect(long?.marks.map(([from, to]) => long.snippet.slice(from, to))).toEqual(['key', 'lock'])
    })

    it('an item that is written again is found by its new words only', async () => {
      const { store, world, texts } = await filled(current(), ['the first draft', 'another'])
      await store.log.rebuild(world.filled.id, foldOf(world.filled, ['the first draft', 'another']))
      await record(store, world, [message(1, 'a second version')])
      expect(await texts('draft')).toEqual([])
      expect(await texts('version')).toEqual(['a second version'])
      expect(await texts('another')).toEqual(['another'])
      // The same words again: the unchanged index loses nothing.
      await record(store, world, [message(1, 'a second version')])
      expect(await texts('version')).toEqual(['a second version'])
    })

    it('a streamed text is found at its end, or when the session rests, and others at once', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await write(store, lease, session, [said('some begin')])
      const begun = await foldNow(store, session)
      await store.log.record(lease, session.id, { outcomes: [said('ning')], fold: begun }, 20)
      expect(await find(store, world, 'begin')).toEqual([])
      expect(await find(store, world, 'do it')).toMatchObject([{ kind: 'run' }])
      await store.log.record(lease, session.id, { outcomes: [ended(run)], fold: await foldNow(store, session) }, 21)
      expect(await find(store, world, 'beginning')).toEqual([])
      // The end of the run changes the run, not the text.
      const { items, ...late } = await foldNow(store, session)
      const changed = items.filter(({ kind }) => kind === 'run')
      await store.log.record(lease, session.id, { outcomes: [said('after')], fold: { ...late, items: changed } }, 22)
      expect(await find(store, world, 'beginning')).toMatchObject([{ snippet: 'some beginning' }])
      await store.log.record(
        lease,
        session.id,
        { outcomes: [said('thought')], fold: await foldNow(store, session) },
        23,
      )
      expect(await find(store, world, 'afterthought')).toEqual([])
      await store.leases.release(lease)
      await settle(store, session)
      expect(await find(store, world, 'afterthought')).toHaveLength(1)
    })

    it('a rebuild and a deletion leave nothing behind', async () => {
      const { store, world, texts } = await filled(current(), ['gone words', 'more gone words'])
      await store.log.rebuild(world.filled.id, foldOf(world.filled, ['kept words']))
      expect(await texts('words')).toEqual(['kept words'])
      await store.tree.remove(world.workspace.id, { session: world.filled.id }, 90)
      expect(await texts('words')).toEqual([])
      const again = await world.session()
      await put(store, again, ['new'])
      expect(await texts('words')).toEqual([])
      await store.tree.remove(world.workspace.id, { space: world.space.id }, 91)
      expect(await texts('new')).toEqual([])
    })

    it('a fork is found by itself once it is folded, and outlives its origin', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await write(store, lease, session, [said('shared wisdom'), ended(run)])
      await settle(store, session)
      const fork = sessionOf(world.project, 'Fork', 50)
      await store.tree.forkSession(session.id, 5, fork, 50)
      expect((await find(store, world, 'wisdom')).map(({ session: id }) => id)).toEqual([session.id])
      await settle(store, fork)
      const both = await find(store, world, 'wisdom')
      expect(both.map(({ session: id }) => id).sort()).toEqual([session.id, fork.id].sort())
      expect(both.map(({ agent }) => agent)).toEqual([AGENT, AGENT])
      await store.leases.release(lease)
      await store.tree.remove(world.workspace.id, { session: session.id }, 90)
      expect(await find(store, world, 'wisdom')).toMatchObject([{ session: fork.id, agent: null, kind: 'message' }])
    })

    it('B1: neither words, nor a session, nor a cursor of another workspace finds anything', async () => {
      const store = current()
      const mine = await filled(store, ['canary one', 'canary two', 'mine alone'])
      const theirs = await filled(store, ['canary three', 'canary four'])
      expect((await mine.texts('canary')).sort()).toEqual(['canary one', 'canary two'])
      const across = await page(store, mine.world.workspace.id, 'canary', { session: theirs.world.filled.id })
      expect(across).toEqual({ rows: [], cursor: null })
      const first = await page(store, theirs.world.workspace.id, 'canary', {}, { cursor: null, limit: 1 })
      expect(first.cursor).not.toBeNull()
      const taken = page(store, mine.world.workspace.id, 'canary', {}, { cursor: first.cursor, limit: 1 })
      await expect(taken).rejects.toMatchObject({ code: 'bad_input' })
    })

    it('pages give every hit once, of one search only, in one session where asked', async () => {
      const store = current()
      const { world } = await filled(store, ['word a', 'word b', 'word c', 'word d', 'word e'])
      const other = await world.session()
      await put(store, other, ['word f'])
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const next: Awaited<ReturnType<typeof page>> = await page(
          store,
          world.workspace.id,
          'word',
          { session: world.filled.id },
          { cursor, limit: 2 },
        )
        seen.push(...next.rows.map(({ snippet }) => snippet))
        if (next.cursor) {
          const elsewhere = page(store, world.workspace.id, 'word', {}, { cursor: next.cursor, limit: 2 })
          await expect(elsewhere).rejects.toMatchObject({ code: 'bad_input' })
        }
        cursor = next.cursor
      } while (cursor)
      expect(seen).toHaveLength(5)
      expect(seen.sort()).toEqual(['word a', 'word b', 'word c', 'word d', 'word e'])
      await expect(page(store, world.workspace.id, 'word', {}, { cursor: 'x', limit: 2 })).rejects.toMatchObject({
        code: 'bad_input',
      })
    })
  })
}

/** Makes a workspace with a session that has these messages, the first as its item 1. */
async function filled(store: Store, texts: string[]) {
  const world = await makeWorld(store)
  const session = await world.session()
  await put(store, session, texts)
  const named = { ...world, filled: session }
  const textsOf = async (text: string) => (await find(store, world, text)).map(({ snippet }) => snippet)
  return { store, world: named, texts: textsOf }
}

const message = (n: number, text: string): Item => ({
  n,
  seq: n,
  at: n * 10,
  run: null,
  kind: 'message',
  role: 'agent',
  text,
  blocks: [],
  continues: false,
})

const foldOf = (session: Session, texts: string[]) => ({
  seq: 0,
  view: emptyView(session.id),
  items: texts.map((text, index) => message(index + 1, text)),
})

async function put(store: Store, session: Session, texts: string[]): Promise<void> {
  await store.log.rebuild(session.id, foldOf(session, texts))
}

async function record(store: Store, world: World & { filled: Session }, items: Item[]): Promise<void> {
  const lease = await take(store, world.filled.id)
  const fold = { ...foldOf(world.filled, []), items }
  await store.log.record(lease, world.filled.id, { outcomes: [said('x')], fold }, 40)
  await store.leases.release(lease)
}

/** Stores the fold of a session as its holder does when the session settles. */
async function settle(store: Store, session: Session): Promise<void> {
  const lease = await take(store, session.id)
  const done = await store.log.settle(lease, session.id, await foldNow(store, session), null, 60)
  expect(done).toBe(true)
  await store.leases.release(lease)
}

async function foldNow(store: Store, session: Session) {
  const { view, items } = await refold(store, session.id)
  return { seq: view.seq, view, items: [...items.values()] }
}

async function find(store: Store, { workspace }: World, text: string): Promise<readonly SearchHit[]> {
  return (await page(store, workspace.id, text)).rows
}

const page = (
  store: Store,
  workspace: WorkspaceId,
  text: string,
  { session }: { session?: SessionId } = {},
  request: { cursor: string | null; limit: number } = ALL,
) => store.log.search(workspace, { text, session }, request)
