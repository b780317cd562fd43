import { describe, expect, it } from 'vitest'
import { type Note, parseEvent } from '../../src/model/events/events.ts'
import { EMPTY_WORKSPACE, foldWorkspace, parseWorkspaceEvent } from '../../src/model/events/workspace-log.ts'
import type { ActId, SessionId } from '../../src/model/ids.ts'
import type { Lease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import type { CurrentStore } from './store.ts'
import { changed, makeRunning, makeWorld, newAct, WHO, type World, write } from './store-world.ts'

const takenBy = (act: ActId): Note => ({
  type: 'files.taken',
  data: { act, by: WHO, place: 'space:x', before: 1, after: 2, count: 1, paths: ['a.txt'] },
})
const to = (session: { id: SessionId }, act: ActId) => ({ session: session.id, note: takenBy(act) })

async function takeSpace(store: Store, world: World, holder = 'node:a'): Promise<Lease> {
  const lease = await store.leases.acquire(`space:${world.space.id}`, holder, 60_000, 1)
  if (!lease) throw new Error('the Space is held')
  return lease
}

async function typesOf(store: Store, session: SessionId): Promise<string[]> {
  return (await store.log.read(session, 0, 100)).map(({ json }) => parseEvent(JSON.parse(json)).type)
}

export function itKeepsFiles(current: CurrentStore): void {
  describe('files', () => {
    it('L3: notices reach all sessions that they concern under the lease of the Space, or none', async () => {
      const store = current()
      const world = await makeWorld(store)
      const [one, two] = [await world.session('one'), await world.session('two')]
      const act = newAct()
      const notes = [to(two, act), to(one, act), to(one, act)]
      const lost = await takeSpace(store, world)
      const lease = await takeSpace(store, world)
      const { id: space } = world.space
      await expect(store.log.note(lost, { space, notes }, 5)).rejects.toMatchObject({ code: 'lease_lost' })
      await expect(store.log.note(lease, { space, notes }, 90_000)).rejects.toMatchObject({ code: 'lease_lost' })
      expect(await typesOf(store, one.id)).toEqual([])
      await store.log.note(lease, { space, notes, act: { place: 'space:x', id: act } }, 5)
      expect(await typesOf(store, one.id)).toEqual(['files.taken', 'files.taken'])
      expect(await typesOf(store, two.id)).toEqual(['files.taken'])
      expect(await store.log.lastNoted('space:x')).toBe(act)
      expect(await store.log.lastNoted('space:y')).toBeNull()
      expect(await store.log.due('', 100, 10)).not.toContainEqual(expect.objectContaining({ session: one.id }))
    })

    it('L3: the lease of a session is not that of its Space, nor that of another Space', async () => {
      const store = current()
      const [world, other] = [await makeWorld(store), await makeWorld(store)]
      const { session, lease } = await makeRunning(store, world)
      const notes = [to(session, newAct())]
      const { id: space } = world.space
      await expect(store.log.note(lease, { space, notes }, 5)).rejects.toMatchObject({ code: 'lease_lost' })
      const theirs = await takeSpace(store, other)
      await expect(store.log.note(theirs, { space, notes }, 5)).rejects.toMatchObject({ code: 'lease_lost' })
      const foreign = store.log.note(theirs, { space: other.space.id, notes }, 5)
      await expect(foreign).rejects.toMatchObject({ code: 'not_found' })
      expect(await typesOf(store, session.id)).not.toContain('files.taken')
    })

    it('L1: notices and simultaneous events of the run have numbers of their own', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const mine = await takeSpace(store, world)
      const { id: space } = world.space
      await Promise.all(
        [1, 2, 3, 4].flatMap((n) => [
          store.log.note(mine, { space, notes: [to(session, newAct())] }, 5),
          write(store, lease, session, [changed(run, n)]),
        ]),
      )
      const seqs = (await store.log.read(session.id, 0, 100)).map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.map((_, index) => index + 1))
      expect(seqs.length).toBe(3 + 8)
    })

    it('a deleted session is skipped, the others get the notice', async () => {
      const store = current()
      const world = await makeWorld(store)
      const [gone, here] = [await world.session('gone'), await world.session('here')]
      await store.tree.remove(world.workspace.id, { session: gone.id }, 3)
      const lease = await takeSpace(store, world)
      const act = newAct()
      await store.log.note(lease, { space: world.space.id, notes: [to(gone, act), to(here, act)] }, 5)
      expect(await typesOf(store, here.id)).toEqual(['files.taken'])
    })

    it('a list shows how many paths the newest run changed', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await write(store, lease, session, [changed(run, 2, 'a', 'b')])
      await write(store, lease, session, [changed(run, 3, 'a', 'b', 'c')])
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ changed: 3 })
      const lines = await store.tree.readWorkspace(world.workspace.id, 0, 100)
      const view = lines.map(({ json }) => parseWorkspaceEvent(JSON.parse(json))).reduce(foldWorkspace, EMPTY_WORKSPACE)
      expect(view.sessions[session.id]?.changed).toBe(3)
    })

    it('B1: the place of a project’s files, and the file rules of a Space, are stored in their workspace only', async () => {
      const store = current()
      const [world, other] = [await makeWorld(store), await makeWorld(store)]
      const [mine, theirs] = [world.workspace.id, other.workspace.id]
      const record = { kind: 'worktree', path: '/p', driver: 'git worktree', git: null, overlay: null }
      const place = { kind: 'direct', path: '/p', state: 'making', driver: 'git', branch: 'b', note: 'n' } as const
      const changedTo = await store.tree.setPlace(mine, world.project.id, { place, record }, 5)
      expect(changedTo.place).toEqual(place)
      await store.tree.setPlace(mine, world.project.id, { place: { ...place, state: 'ready' } }, 6)
      expect(await store.tree.placeRecord(mine, world.project.id)).toEqual(record)
      expect(await store.tree.project(mine, world.project.id)).toMatchObject({ place: { state: 'ready', branch: 'b' } })
      expect(await store.tree.placeRecord(theirs, world.project.id)).toBeNull()
      await expect(store.tree.setPlace(theirs, world.project.id, { place }, 7)).rejects.toMatchObject({
        code: 'not_found',
      })
      expect(await store.tree.fileRules(mine, world.space.id)).toBeNull()
      await store.tree.setFileRules(mine, world.space.id, { ignore: ['*.log'] })
      expect(await store.tree.fileRules(mine, world.space.id)).toEqual({ ignore: ['*.log'] })
      expect(await store.tree.fileRules(theirs, world.space.id)).toBeNull()
      await expect(store.tree.setFileRules(theirs, world.space.id, null)).rejects.toMatchObject({ code: 'not_found' })
      await store.tree.setFileRules(mine, world.space.id, null)
      expect(await store.tree.fileRules(mine, world.space.id)).toBeNull()
    })
  })
}
