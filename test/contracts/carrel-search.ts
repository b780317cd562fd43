import { describe, expect, it } from 'vitest'
import type { Input } from '../../src/api/index.ts'
import type { World } from '../support/carrel-world.ts'
import type { OpenCarrel } from './carrel.ts'

type At = Pick<World, 'carrel' | 'workspace'>

const search = ({ carrel, workspace }: At, text: string, more: Partial<Input<'search.items'>> = {}) =>
  carrel.call('search.items', { workspace, text, ...more })

/** Waits for `count` hits: a run is found when its fold is stored, a moment after its end. */
async function hitsOf(at: At, text: string, count: number, more: Partial<Input<'search.items'>> = {}) {
  await expect.poll(async () => (await search(at, text, more)).hits.length, { timeout: 60_000 }).toBe(count)
  return (await search(at, text, more)).hits
}

export function describeSearch(open: OpenCarrel): void {
  describe('search', () => {
    it('a search finds prompts and answers, in the session and across the workspace', async () => {
      const world = await open()
      const first = await world.session()
      const second = await world.session({ beside: first })
      await first.run([{ say: 'the heron stands still' }])
      await second.run([{ say: 'a heron flies' }])
      const hits = await hitsOf(world, '"heron stands" sti', 2)
      // The prompt contains the text of the scripted answer, so both are found.
      expect(hits.map(({ kind }) => kind).sort()).toEqual(['message', 'run'])
      const said = hits.find(({ kind }) => kind === 'message')
      expect(said).toMatchObject({
        session: first.id,
        sessionName: (await first.row()).name,
        space: first.space.id,
        project: first.project,
        snippet: 'the heron stands still',
        marks: [
          [4, 16],
          [17, 22],
        ],
        agent: 'scripted',
      })
      expect((await first.items()).map(({ n }) => n)).toContain(said?.n)
      await hitsOf(world, 'heron', 4)
      const inSecond = await hitsOf(world, 'heron', 2, { session: second.id })
      expect(new Set(inSecond.map(({ session }) => session))).toEqual(new Set([second.id]))
    })

    it('B1: a search finds nothing of another workspace, and takes no cursor of it', async () => {
      const world = await open()
      await world.carrel.call('workspaces.create', { id: 'mine' })
      const session = await world.session()
      await session.run([{ say: 'canary' }])
      await hitsOf(world, 'canary', 2)
      expect(await search(world, 'canary', { workspace: 'mine' })).toEqual({ hits: [], cursor: null })
      const { cursor } = await search(world, 'canary', { limit: 1 })
      const across = search(world, 'canary', { workspace: 'mine', limit: 1, cursor: cursor ?? '' })
      await expect(across).rejects.toMatchObject({ code: 'bad_input' })
      const next = await search(world, 'canary', { limit: 1, cursor: cursor ?? '' })
      expect(next).toMatchObject({ hits: [{ session: session.id }], cursor: null })
      await expect(search(world, 'x', { workspace: 'nope' })).rejects.toMatchObject({ code: 'not_found' })
      await expect(search(world, '')).rejects.toMatchObject({ code: 'bad_input' })
    })
  })
}
