import { describe, expect, it } from 'vitest'
import type { Claim } from '../../src/store/lease.ts'
import { leaseHolderOf } from '../../src/store/machine-store.ts'
import type { CurrentStore } from './store.ts'
import { admitted, ask, newRun, newSpace, newWorkspace, projectOf, sessionOf, spaceOf } from './store-world.ts'

const newMachine = () => `machine-${newSpace()}`
const registration = (id: string, name = id) => ({
  id,
  name,
  version: '1',
  tokenDigest: `t-${id}`,
  loginKey: `k-${id}`,
})

export function itKnowsMachines(current: CurrentStore): void {
  describe('machines', () => {
    /** Makes a Space of a machine, or of none, with a session. */
    const placed = async (machine: string | null) => {
      const store = current()
      const workspace = { id: newWorkspace(), name: 'Home', createdAt: 1, archivedAt: null }
      await store.tree.createWorkspace(workspace, 1)
      const space = { ...spaceOf(workspace.id, 1), machine }
      await store.tree.createSpace(space, space.folder, 1)
      const project = await store.tree.createProject(projectOf(space, 1), 1)
      const session = await store.tree.createSession(sessionOf(project, 'Talk', 1), 1)
      const prompt = (now = 5) => store.log.submit(workspace.id, session.id, ask(), { now })
      return { store, workspace: workspace.id, space, project, session: session.id, prompt }
    }
    const claimOf = (machine: string, session: string): Claim => ({
      key: `session:${session}`,
      holder: leaseHolderOf(machine),
      ttlMs: 1_000,
    })

    it('N1: a due session is found by its machine and by no other, and a request names that machine', async () => {
      const [mine, other] = [newMachine(), newMachine()]
      const { store, session, prompt } = await placed(mine)
      expect(await prompt()).toMatchObject({ machine: mine })
      const dueAt = async (machine: string) => (await store.log.due(machine, 10, 100)).map((each) => each.session)
      expect(await dueAt(mine)).toEqual([session])
      expect(await dueAt(other)).toEqual([])
      expect(await store.machines.ofSession(session)).toBe(mine)
    })

    it('N1: a lease of a session or of its Space goes to its machine alone, whichever way it is taken', async () => {
      const [mine, other] = [newMachine(), newMachine()]
      const { store, workspace, space, session, prompt } = await placed(mine)
      const keys = [`session:${session}`, `space:${space.id}`]
      for (const key of keys) expect(await store.leases.acquire(key, leaseHolderOf(other), 1_000, 1)).toBeNull()
      const request = ask()
      const begins = {
        after: 0,
        right: claimOf(other, session),
        outcomes: [admitted(newRun(), request.data.prompt)],
      }
      const submitted = await store.log.submit(workspace, session, request, { now: 5, begins })
      expect(submitted.began).toBeNull()
      const batch = { outcomes: [admitted(newRun(), request.data.prompt)] }
      const record = (machine: string) => store.log.record(claimOf(machine, session), session, batch, 6)
      await expect(record(other)).rejects.toMatchObject({ code: 'lease_lost' })
      await record(mine)
      await prompt()
      for (const key of keys) expect(await store.leases.acquire(key, leaseHolderOf(mine), 1_000, 7)).not.toBeNull()
    })

    it('N1: a Space changes its machine with all its sessions, and never while its machine is at work', async () => {
      const [mine, other] = [newMachine(), newMachine()]
      const { store, workspace, space, project, session, prompt } = await placed(mine)
      await prompt()
      const lease = await store.leases.acquire(`session:${session}`, leaseHolderOf(mine), 1_000, 10)
      const move = { from: mine, to: other }
      await expect(store.machines.give(space.id, move, 500)).rejects.toMatchObject({ code: 'busy' })
      expect(await store.machines.ofSession(session)).toBe(mine)
      // Its machine was not heard since: the lease has run out.
      const before = await store.tree.workspaceHead(workspace)
      expect(await store.machines.give(space.id, move, 2_000)).toMatchObject({ id: space.id, machine: other })
      expect(await store.tree.workspaceHead(workspace)).toBe(before + 1)
      expect(await store.machines.give(space.id, move, 2_000)).toBeNull()
      expect(await store.machines.ofSession(session)).toBe(other)
      const late = await store.tree.createSession(sessionOf(project, 'Later', 3), 3)
      expect(await store.machines.ofSession(late.id)).toBe(other)
      const fork = await store.tree.forkSession(session, 1, sessionOf(project, 'Fork', 3), 3)
      expect(await store.machines.ofSession(fork.id)).toBe(other)
      // The earlier machine wakes: it can neither write nor take the session again.
      const said = { outcomes: [admitted(newRun(), ask().data.prompt)] }
      if (!lease) throw new Error('the lease was free')
      await expect(store.log.record(lease, session, said, 2_001)).rejects.toMatchObject({ code: 'lease_lost' })
      expect(await store.leases.acquire(lease.key, lease.holder, 1_000, 2_001)).toBeNull()
      // Nor can it renew late, before the other machine has taken anything.
      await expect(store.leases.renew(lease, 1_000, 2_001)).rejects.toMatchObject({ code: 'lease_lost' })
      expect(await store.leases.renewAll([lease], 1_000, 2_001)).toEqual([])
      expect((await store.log.due(other, 2_001, 10)).map((each) => each.session)).toEqual([session])
    })

    it('N1: two machines may have the same folder, one machine has it once', async () => {
      const [mine, other] = [newMachine(), newMachine()]
      const { store, workspace, space } = await placed(mine)
      const twin = { ...spaceOf(workspace, 1), folder: space.folder }
      const create = (machine: string) => store.tree.createSpace({ ...twin, machine }, space.folder, 1)
      await expect(create(mine)).rejects.toMatchObject({ code: 'bad_input' })
      await create(other)
      const foldersOf = async (machine: string) => (await store.tree.folders(machine)).map((each) => each.space)
      expect(await foldersOf(other)).toContain(twin.id)
      expect(await foldersOf(other)).not.toContain(space.id)
      await expect(store.machines.give(space.id, { from: mine, to: other }, 1)).rejects.toMatchObject({
        code: 'bad_input',
      })
    })

    it('N1: the sessions of a Space without a machine are due nowhere until one takes it', async () => {
      const [mine, other] = [newMachine(), newMachine()]
      const { store, space, session, prompt } = await placed(null)
      expect(await prompt()).toMatchObject({ machine: null })
      for (const machine of [mine, other]) expect(await store.log.due(machine, 10, 10)).toEqual([])
      expect((await store.machines.spaces(null)).map(({ id }) => id)).toContain(space.id)
      const taken = await Promise.all([mine, other].map((to) => store.machines.give(space.id, { from: null, to }, 10)))
      const winner = taken.find((each) => each !== null)?.machine
      expect(taken.filter((each) => each !== null)).toHaveLength(1)
      expect((await store.log.due(winner ?? '', 10, 10)).map((each) => each.session)).toEqual([session])
    })

    it('N2: a machine keeps its name, and says since when it is away', async () => {
      const { machines } = current()
      const [one, two] = [newMachine(), newMachine()]
      const name = `anvil ${one}`
      expect(await machines.register(registration(one, name), 10)).toMatchObject({ name, seenAt: 10, leftAt: null })
      const second = await machines.register(registration(two, name), 11)
      expect(second.name).toBe(`${name}-${two.slice(0, 6)}`)
      await machines.heard(one, 20)
      await machines.left(two, 21)
      const rows = (await machines.list()).filter(({ id }) => id === one || id === two)
      expect(rows.map(({ seenAt, leftAt }) => [seenAt, leftAt])).toEqual([
        [20, null],
        [11, 21],
      ])
      expect(await machines.register(registration(two, name), 30)).toMatchObject({ name: second.name, leftAt: null })
      expect(await machines.knowsToken(`t-${one}`)).toBe(true)
      expect(await machines.knowsToken('t-of nobody')).toBe(false)
      expect(await machines.loginKey(two)).toBe(`k-${two}`)
    })
  })
}
