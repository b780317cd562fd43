import { describe, expect, it } from 'vitest'
import type { CurrentStore } from './store.ts'
import { ended, makeRunning, makeWorld, newProject, newSpace, projectOf, spaceOf, write } from './store-world.ts'

export function itKeepsEnvironment(current: CurrentStore): void {
  describe('environment', () => {
    it('F8: each scope keeps its settings, and a change leaves the settings that it does not name', async () => {
      const store = current()
      const { workspace, space, project } = await makeWorld(store)
      const all = { workspace: workspace.id, space: space.id, project: project.id }
      const ofSpace = { ...all, project: null }
      expect(await store.environment.at(all)).toEqual({ workspace: {}, space: {}, project: {} })
      await store.environment.change({ ...ofSpace, space: null }, { env: { A: '1' }, home: 'space' }, 5)
      await store.environment.change(ofSpace, { env: { A: '2' } }, 6)
      await store.environment.change(all, { ports: ['web'] }, 7)
      await store.environment.change({ ...ofSpace, space: null }, { home: null, limits: { ms: 1_000 } }, 8)
      expect(await store.environment.at(all)).toEqual({
        workspace: { env: { A: '1' }, limits: { ms: 1_000 } },
        space: { env: { A: '2' } },
        project: { ports: ['web'] },
      })
      expect((await store.environment.at(ofSpace)).project).toEqual({})
    })

    it('F8: concurrent changes lose nothing', async () => {
      const store = current()
      const { workspace } = await makeWorld(store)
      const scope = { workspace: workspace.id, space: null, project: null }
      await Promise.all([
        store.environment.change(scope, { home: 'run' }, 5),
        store.environment.change(scope, { ports: ['web'] }, 5),
        store.environment.change(scope, { sandbox: 'off' }, 5),
      ])
      expect((await store.environment.at(scope)).workspace).toEqual({ home: 'run', ports: ['web'], sandbox: 'off' })
    })

    it('P6: the usage of runs is summed for a session, a project, a Space and the workspace', async () => {
      const store = current()
      const world = await makeWorld(store)
      const spend = async (ms: number, cost: number) => {
        const { session, lease, run } = await makeRunning(store, world)
        const spent = { ms, turns: 1, tokens: 10, cost }
        await write(store, lease, session, [
          { type: 'run.parked', data: { run, reason: 'used up', spent: { ...spent, ms: 1 } } },
          { ...ended(run), data: { ...ended(run).data, spent } } as ReturnType<typeof ended>,
        ])
        return session
      }
      const one = await spend(1_500.4, 0.25)
      await spend(500, 0.5)
      const { log } = store
      const all = { ms: 2_000, turns: 2, tokens: 20, cost: 0.75 }
      expect(await log.spent(world.workspace.id, { session: one.id })).toEqual({
        ...all,
        ms: 1_500,
        turns: 1,
        tokens: 10,
        cost: 0.25,
      })
      expect(await log.spent(world.workspace.id, {})).toEqual(all)
      expect(await log.spent(world.workspace.id, { space: world.space.id })).toEqual(all)
      expect(await log.spent(world.workspace.id, { project: world.project.id })).toEqual(all)
      const other = await makeWorld(store)
      expect(await log.spent(other.workspace.id, { session: one.id })).toEqual({ ms: 0, turns: 0, tokens: 0, cost: 0 })
    })

    it('P7: a port is in one place at a time; a place keeps its ports, and returns them when it is removed', async () => {
      const store = current()
      const one = await makeWorld(store)
      const two = await makeWorld(store)
      const [a, b] = [`space:${one.space.id}`, `project:${two.project.id}`]
      const port = 20_000 + Math.floor((Number.parseInt(one.space.id.slice(-4), 36) % 4_000) * 2)
      const lease = (workspace: string, place: string, name: string, number: number) =>
        store.ports.lease(workspace as typeof one.workspace.id, { place, name, port: number }, 5)
      expect(await lease(one.workspace.id, a, 'web', port)).toBe(port)
      expect(await lease(two.workspace.id, b, 'web', port)).toBeNull()
      expect(await lease(one.workspace.id, a, 'web', port + 1)).toBe(port)
      expect(await lease(two.workspace.id, b, 'web', port + 1)).toBe(port + 1)
      const raced = await Promise.all([1, 2, 3, 4].map(() => lease(one.workspace.id, a, 'api', port + 10_000)))
      expect(raced).toEqual([port + 10_000, port + 10_000, port + 10_000, port + 10_000])
      expect(await store.ports.of(two.workspace.id, null)).toEqual([{ place: b, name: 'web', port: port + 1 }])
      expect(await store.ports.of(two.workspace.id, a)).toEqual([])
      expect(await store.ports.taken()).toEqual(expect.arrayContaining([port, port + 1]))
      await store.tree.remove(one.workspace.id, { space: one.space.id }, 6)
      await store.ports.release(b)
      expect(await store.ports.taken()).not.toEqual(expect.arrayContaining([port]))
      expect(await lease(two.workspace.id, b, 'web', port)).toBe(port)
    })

    it('B1: settings, usage and ports belong to things of this workspace, and go with them', async () => {
      const store = current()
      const mine = await makeWorld(store)
      const theirs = await makeWorld(store)
      const foreign = { workspace: mine.workspace.id, space: theirs.space.id, project: null }
      const set = (scope: typeof foreign) => store.environment.change(scope, { home: 'run' }, 5)
      await expect(set(foreign)).rejects.toMatchObject({ code: 'not_found' })
      await expect(set({ ...foreign, space: newSpace() })).rejects.toMatchObject({ code: 'not_found' })
      const missing = { workspace: mine.workspace.id, space: null, project: newProject() }
      await expect(store.environment.change(missing, {}, 5)).rejects.toMatchObject({ code: 'not_found' })
      await set({ ...foreign, workspace: theirs.workspace.id })
      expect((await store.environment.at(foreign)).space).toEqual({})

      const { workspace } = theirs
      await store.tree.remove(workspace.id, { space: theirs.space.id }, 6)
      const again = { ...spaceOf(workspace.id, 7), id: theirs.space.id }
      await store.tree.createSpace(again, again.folder, 7)
      const project = projectOf(again, 7)
      await store.tree.createProject(project, 7)
      expect(
        await store.environment.at({ workspace: workspace.id, space: again.id, project: project.id }),
      ).toMatchObject({ space: {}, project: {} })
    })
  })
}
