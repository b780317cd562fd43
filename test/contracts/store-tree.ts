import { describe, expect, it } from 'vitest'
import { EMPTY_WORKSPACE, foldWorkspace, parseWorkspaceEvent } from '../../src/model/events/workspace-log.ts'
import type { Store } from '../../src/store/store.ts'
import type { CurrentStore } from './store.ts'
import {
  answer,
  ask,
  ended,
  makeRunning,
  makeWorld,
  newInteraction,
  newRule,
  newSpace,
  newWorkspace,
  opened,
  projectOf,
  said,
  spaceOf,
  type World,
  write,
} from './store-world.ts'

const FIRST = { cursor: null, limit: 500 }

export function itKeepsTheTree(current: CurrentStore): void {
  describe('tree', () => {
    it('L9: the workspace log alone gives the same as the lists', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const question = newInteraction()
      await write(store, lease, session, [opened(question, run), opened(newInteraction(), run)])
      await store.log.submit(world.workspace.id, session.id, answer(question), { now: 12 })
      await store.tree.updateSession(world.workspace.id, session.id, { name: 'Renamed', namedBy: 'person' }, 13)
      await store.tree.updateSpace(world.workspace.id, world.space.id, { state: 'missing' }, 14)
      await store.tree.updateProject(world.workspace.id, world.project.id, { archivedAt: 15 }, 15)
      await store.tree.updateWorkspace(world.workspace.id, { name: 'Other' }, 16)
      await addRule(store, world, null)
      await checkWorkspace(store, world)
      await write(store, lease, session, [ended(run, 'failed')])
      const gone = await world.session('gone')
      await store.tree.remove(world.workspace.id, { session: gone.id }, 20)
      await checkWorkspace(store, world)
    })

    it('the workspace log has an event of a session only when its headline changed', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const before = await store.tree.workspaceHead(world.workspace.id)
      const row = await store.tree.session(world.workspace.id, session.id)
      await write(store, lease, session, [said('a'), said('b')], 99)
      expect(await store.tree.workspaceHead(world.workspace.id)).toBe(before)
      // Text of an agent is no news either: the list would jump all the time.
      expect(await store.tree.session(world.workspace.id, session.id)).toEqual({ ...row, head: (row?.head ?? 0) + 2 })
      await write(store, lease, session, [ended(run)], 100)
      expect(await store.tree.workspaceHead(world.workspace.id)).toBe(before + 1)
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ updatedAt: 100, state: 'idle' })
    })

    it('lists come in pages, newest change first, each row once', async () => {
      const store = current()
      const world = await makeWorld(store)
      for (let index = 0; index < 25; index += 1) await world.session(`Talk ${index}`, 100 + (index % 5))
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof store.tree.sessions>> = await store.tree.sessions(
          world.workspace.id,
          {},
          { cursor, limit: 7 },
        )
        for (const { updatedAt, id } of page.rows) seen.push(`${updatedAt} ${id}`)
        cursor = page.cursor
      } while (cursor)
      expect(seen).toEqual([...new Set(seen)].sort().reverse())
      expect(seen).toHaveLength(25)
      for (const limit of [0, 501, 1.5]) {
        const refused = store.tree.sessions(world.workspace.id, {}, { cursor: null, limit })
        await expect(refused).rejects.toMatchObject({ code: 'bad_input' })
      }
    })

    it('a search ignores case and takes signs literally', async () => {
      const store = current()
      const world = await makeWorld(store)
      for (const name of ['Größe ÄNDERN', '100% sure', 'snake_case', 'snakeXcase', "it's \\ a ! b"])
        await world.session(name)
      const find = async (text: string) => {
        const { rows } = await store.tree.sessions(world.workspace.id, { text }, FIRST)
        return rows.map(({ name }) => name).sort()
      }
      expect(await find('größe änd')).toEqual(['Größe ÄNDERN'])
      expect(await find('0%')).toEqual(['100% sure'])
      expect(await find('E_C')).toEqual(['snake_case'])
      expect(await find("'S \\ A !")).toEqual(["it's \\ a ! b"])
      expect(await find('%')).toEqual(['100% sure'])
      expect(await find('nothing')).toEqual([])
    })

    it('filters narrow a list', async () => {
      const store = current()
      const world = await makeWorld(store)
      const other = await store.tree.createProject(projectOf(world.space, 1), 1)
      const [busy, put] = [await world.session(), await world.session()]
      await store.log.submit(world.workspace.id, busy.id, ask(), { now: 3 })
      await store.tree.updateSession(world.workspace.id, put.id, { archivedAt: 4 }, 4)
      const ids = async (filter: Parameters<typeof store.tree.sessions>[1]) =>
        (await store.tree.sessions(world.workspace.id, filter, FIRST)).rows.map(({ id }) => id)
      expect(await ids({ state: 'queued' })).toEqual([busy.id])
      expect(await ids({ archived: true })).toEqual([put.id])
      expect(await ids({ archived: false, space: world.space.id })).toEqual([busy.id])
      expect(await ids({ project: other.id })).toEqual([])
      expect(await store.tree.projects(world.workspace.id, newSpace())).toEqual([])
    })

    it('a folder belongs to one live Space of the whole store', async () => {
      const store = current()
      const [one, two] = [await makeWorld(store), await makeWorld(store)]
      const again = { ...spaceOf(two.workspace.id, 1), folder: one.space.folder }
      const create = () => store.tree.createSpace(again, one.space.folder, 1)
      await expect(create()).rejects.toMatchObject({ code: 'bad_input' })
      const key = `/raced/${newSpace()}`
      const raced = await Promise.allSettled(
        [1, 2, 3].map(() => store.tree.createSpace(spaceOf(two.workspace.id, 1), key, 1)),
      )
      expect(raced.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await store.tree.remove(one.workspace.id, { space: one.space.id }, 2)
      await create()
      const folders = await store.tree.folders('')
      expect(folders.filter(({ folderKey }) => folderKey === one.space.folder)).toMatchObject([{ space: again.id }])
    })

    it('nothing is removed during a live run; then the whole branch goes, and nothing beside it', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const beside = await store.tree.createProject(projectOf(world.space, 1), 1)
      await world.session('idle one')
      const branch = { project: world.project.id }
      const shown = await store.tree.preview(world.workspace.id, branch)
      expect(shown).toEqual({ spaces: 0, projects: 1, sessions: 2, events: 3, folders: [], busy: ['Talk'] })
      await expect(store.tree.remove(world.workspace.id, branch, 9)).rejects.toMatchObject({ code: 'busy' })
      await write(store, lease, session, [ended(run)])
      const taken = await store.tree.remove(world.workspace.id, branch, 10)
      expect(taken).toEqual({ ...shown, events: 4, busy: [] })
      expect(await store.log.read(session.id, 0, 10)).toEqual([])
      expect(await store.log.run(world.workspace.id, run)).toBeNull()
      expect(await store.tree.session(world.workspace.id, session.id)).toBeNull()
      expect(await store.tree.projects(world.workspace.id)).toEqual([beside])
      expect(await store.leases.holderOf(lease.key)).toEqual(lease)
      await expect(write(store, lease, session, [said('late')])).rejects.toMatchObject({ code: 'not_found' })
      await expect(world.session()).rejects.toMatchObject({ code: 'not_found' })
      await checkWorkspace(store, world)
    })

    it('only folders that Carrel made are named for removal, and a workspace goes as a whole', async () => {
      const store = current()
      const world = await makeWorld(store)
      const blank = { ...spaceOf(world.workspace.id, 1), kind: 'blank' as const }
      await store.tree.createSpace(blank, blank.folder, 1)
      const taken = await store.tree.remove(world.workspace.id, { workspace: true }, 5)
      expect(taken).toMatchObject({ spaces: 2, projects: 1, folders: [blank.folder] })
      expect(await store.tree.workspace(world.workspace.id)).toBeNull()
      expect(await store.tree.readWorkspace(world.workspace.id, 0, 10)).toEqual([])
    })

    it('a thing made while its workspace is removed is removed too', async () => {
      const store = current()
      for (let round = 0; round < 5; round += 1) {
        const world = await makeWorld(store)
        const { id } = world.workspace
        const made = [1, 2, 3].map(() => spaceOf(id, 1))
        const [removed] = await Promise.allSettled([
          store.tree.remove(id, { workspace: true }, 5),
          ...made.map((space) => store.tree.createSpace(space, space.folder, 1)),
          world.session(),
        ])
        expect(removed?.status).toBe('fulfilled')
        expect(await store.tree.workspace(id)).toBeNull()
        expect(await store.tree.spaces(id)).toEqual([])
        expect((await store.tree.sessions(id, {}, FIRST)).rows).toEqual([])
      }
    })

    it('an existing workspace is kept, also when many create it at once', async () => {
      const store = current()
      const id = newWorkspace()
      const make = (name: string) => store.tree.createWorkspace({ id, name, createdAt: 1, archivedAt: null }, 1)
      const made = await Promise.all(['a', 'b', 'c', 'd'].map(make))
      expect(new Set(made.map(({ name }) => name)).size).toBe(1)
      expect(await store.tree.workspaceHead(id)).toBe(1)
    })

    it('rules stay in the order of their creation', async () => {
      const store = current()
      const world = await makeWorld(store)
      const last = await addRule(store, world, null)
      const first = await addRule(store, world, last.id)
      const middle = await addRule(store, world, last.id)
      const order = async () => (await store.people.rules(world.workspace.id)).map(({ id }) => id)
      expect(await order()).toEqual([first.id, middle.id, last.id])
      expect(await store.people.removeRule(world.workspace.id, middle.id, 5)).toBe(true)
      expect(await store.people.removeRule(world.workspace.id, middle.id, 5)).toBe(false)
      expect(await order()).toEqual([first.id, last.id])
      await expect(addRule(store, world, middle.id)).rejects.toMatchObject({ code: 'not_found' })
    })

    it('a rule is moved before another, before itself and to the end, and the workspace log has it', async () => {
      const store = current()
      const world = await makeWorld(store)
      const [a, b, c] = [await addRule(store, world), await addRule(store, world), await addRule(store, world)]
      const workspace = world.workspace.id
      const order = async () => (await store.people.rules(workspace)).map(({ id }) => id)
      expect(await store.people.moveRule({ workspace, id: c.id, before: a.id }, 5)).toEqual(c)
      expect(await order()).toEqual([c.id, a.id, b.id])
      await store.people.moveRule({ workspace, id: a.id, before: a.id }, 5)
      expect(await order()).toEqual([c.id, a.id, b.id])
      await store.people.moveRule({ workspace, id: c.id, before: null }, 5)
      expect(await order()).toEqual([a.id, b.id, c.id])
      const lines = await store.tree.readWorkspace(workspace, 0, 100)
      const last = parseWorkspaceEvent(JSON.parse(lines.at(-1)?.json ?? ''))
      expect(last).toMatchObject({ type: 'rule.changed', data: { rule: { id: c.id } } })
      await store.people.removeRule(workspace, b.id, 6)
      expect(await store.people.moveRule({ workspace, id: b.id, before: a.id }, 7)).toBeNull()
      const nowhere = store.people.moveRule({ workspace, id: a.id, before: b.id }, 7)
      await expect(nowhere).rejects.toMatchObject({ code: 'not_found' })
      expect(await order()).toEqual([a.id, c.id])
    })

    it('runs are listed newest first, live ones alone where asked', async () => {
      const store = current()
      const world = await makeWorld(store)
      const one = await makeRunning(store, world)
      await write(store, one.lease, one.session, [ended(one.run)], 40)
      const two = await makeRunning(store, world)
      const list = async (filter: Parameters<typeof store.log.runs>[1]) =>
        (await store.log.runs(world.workspace.id, filter, FIRST)).rows.map(({ id }) => id)
      expect(await list({})).toEqual([two.run, one.run])
      expect(await store.log.waiting(world.workspace.id)).toEqual({ prompts: 0, runs: 1, questions: 0 })
      expect(await list({ live: true })).toEqual([two.run])
      expect(await list({ live: false, session: two.session.id })).toEqual([])
      const page = await store.log.runs(world.workspace.id, {}, { cursor: null, limit: 1 })
      const rest = await store.log.runs(world.workspace.id, {}, { cursor: page.cursor, limit: 1 })
      expect(rest).toMatchObject({ rows: [{ id: one.run, endedAt: 40, outcome: 'completed' }], cursor: null })
    })
  })
}

function addRule(store: Store, { workspace, space }: World, before: Parameters<Store['people']['addRule']>[1] = null) {
  const pattern = { agent: null, toolKind: 'edit', path: 'docs/**', command: null }
  const rule = {
    id: newRule(),
    workspace: workspace.id,
    space: space.id,
    action: 'allow',
    ...pattern,
    createdAt: 1,
  } as const
  return store.people.addRule(rule, before, 1)
}

/** Folds the whole workspace log and compares it with the lists, except for `head`, which is no news. */
async function checkWorkspace(store: Store, { workspace: { id } }: World): Promise<void> {
  const lines = await store.tree.readWorkspace(id, 0, 10_000)
  const events = lines.map(({ json }) => parseWorkspaceEvent(JSON.parse(json)))
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(await store.tree.workspaceHead(id)).toBe(events.length)
  const view = events.reduce(foldWorkspace, EMPTY_WORKSPACE)
  const byId = (rows: readonly { id: string }[]) => Object.fromEntries(rows.map((row) => [row.id, row]))
  const headless = (rows: object) => JSON.parse(JSON.stringify(rows, (key, value) => (key === 'head' ? 0 : value)))
  expect(view.workspace).toEqual(await store.tree.workspace(id))
  expect(view.spaces).toEqual(byId(await store.tree.spaces(id)))
  expect(view.projects).toEqual(byId(await store.tree.projects(id)))
  expect(view.rules).toEqual(byId(await store.people.rules(id)))
  const sessions = await store.tree.sessions(id, {}, FIRST)
  expect(headless(view.sessions)).toEqual(headless(byId(sessions.rows)))
  const open = await store.people.interactions(id, { state: 'open' }, FIRST)
  expect(view.interactions).toEqual(byId(open.rows))
}
