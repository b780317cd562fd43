import { describe, expect, it } from 'vitest'
import type { PageRequest, Store } from '../../src/store/store.ts'
import type { CurrentStore } from './store.ts'
import {
  answer,
  ask,
  makeRunning,
  makeWorld,
  newInteraction,
  newRule,
  opened,
  sessionOf,
  type World,
  write,
} from './store-world.ts'

const PAGE: PageRequest = { cursor: null, limit: 1 }

export function itKeepsBoundaries(current: CurrentStore): void {
  describe('boundary', () => {
    it('B1: no id of another workspace answers', async () => {
      const { store, mine, theirs } = await twoWorkspaces(current())
      const { workspace } = mine.world
      const { space, project } = theirs.world
      const reads: Record<string, Promise<unknown>> = {
        space: store.tree.space(workspace.id, space.id),
        project: store.tree.project(workspace.id, project.id),
        session: store.tree.session(workspace.id, theirs.session.id),
        run: store.log.run(workspace.id, theirs.run),
        interaction: store.people.interaction(workspace.id, theirs.question),
      }
      for (const [name, read] of Object.entries(reads)) expect(await read, name).toBeNull()
      const lists: Record<string, Promise<{ rows: readonly unknown[] } | readonly unknown[]>> = {
        projects: store.tree.projects(workspace.id, space.id),
        sessionsOfSpace: store.tree.sessions(workspace.id, { space: space.id }, PAGE),
        sessionsOfProject: store.tree.sessions(workspace.id, { project: project.id }, PAGE),
        search: store.tree.sessions(workspace.id, { text: theirs.world.workspace.id }, PAGE),
        runs: store.log.runs(workspace.id, { session: theirs.session.id }, PAGE),
        interactions: store.people.interactions(workspace.id, { session: theirs.session.id }, PAGE),
      }
      for (const [name, list] of Object.entries(lists)) {
        const found = await list
        expect('rows' in found ? found.rows : found, name).toEqual([])
      }
    })

    it('B1: no write reaches another workspace, and each reports `not_found`', async () => {
      const { store, mine, theirs } = await twoWorkspaces(current())
      const { id } = mine.world.workspace
      const inTheirs = { ...sessionOf(theirs.world.project, 'mine', 1), workspace: id }
      const rule = { agent: null, toolKind: null, path: null, command: null, action: 'allow' as const, createdAt: 1 }
      const before = JSON.stringify(await picture(store, theirs.world))
      const writes: Record<string, () => Promise<unknown>> = {
        submit: () => store.log.submit(id, theirs.session.id, ask(), { now: 9 }),
        answer: () => store.log.submit(id, theirs.session.id, answer(theirs.question), { now: 9 }),
        answerThroughMine: () => store.log.submit(id, mine.session.id, answer(theirs.question), { now: 9 }),
        updateSession: () => store.tree.updateSession(id, theirs.session.id, { name: 'x' }, 9),
        updateSpace: () => store.tree.updateSpace(id, theirs.world.space.id, { name: 'x' }, 9),
        updateProject: () => store.tree.updateProject(id, theirs.world.project.id, { name: 'x' }, 9),
        createSession: () => store.tree.createSession(inTheirs, 9),
        createProject: () => store.tree.createProject({ ...theirs.world.project, workspace: id }, 9),
        fork: () => store.tree.forkSession(theirs.session.id, 1, sessionOf(mine.world.project, 'fork', 9), 9),
        addRule: () =>
          store.people.addRule({ ...rule, id: theirs.rule, workspace: id, space: theirs.world.space.id }, null, 9),
        addRuleBefore: () =>
          store.people.addRule({ ...rule, id: theirs.rule, workspace: id, space: null }, theirs.rule, 9),
        preview: () => store.tree.preview(id, { session: theirs.session.id }),
        removeSession: () => store.tree.remove(id, { session: theirs.session.id }, 9),
        removeProject: () => store.tree.remove(id, { project: theirs.world.project.id }, 9),
        removeSpace: () => store.tree.remove(id, { space: theirs.world.space.id }, 9),
      }
      for (const [name, act] of Object.entries(writes)) {
        await expect(act(), name).rejects.toMatchObject({ code: 'not_found' })
      }
      expect(await store.people.removeRule(id, theirs.rule, 9)).toBe(false)
      expect(await store.people.moveRule({ workspace: id, id: theirs.rule, before: null }, 9)).toBeNull()
      expect(JSON.stringify(await picture(store, theirs.world))).toBe(before)
    })

    it('B1: a cursor of another workspace or list is refused', async () => {
      const { store, mine, theirs } = await twoWorkspaces(current())
      const lists: Record<
        string,
        (workspace: World['workspace'], page: PageRequest) => Promise<{ cursor: string | null }>
      > = {
        sessions: ({ id }, page) => store.tree.sessions(id, {}, page),
        runs: ({ id }, page) => store.log.runs(id, {}, page),
        interactions: ({ id }, page) => store.people.interactions(id, {}, page),
      }
      for (const [name, list] of Object.entries(lists)) {
        const { cursor } = await list(theirs.world.workspace, PAGE)
        expect(cursor, name).not.toBeNull()
        const bad = { code: 'bad_input' }
        await expect(list(mine.world.workspace, { cursor, limit: 1 }), name).rejects.toMatchObject(bad)
        for (const [other, read] of Object.entries(lists)) {
          if (other === name) continue
          await expect(read(theirs.world.workspace, { cursor, limit: 1 }), other).rejects.toMatchObject(bad)
        }
        for (const broken of ['', 'x', '!!!', Buffer.from('["sessions"]').toString('base64url')]) {
          await expect(list(mine.world.workspace, { cursor: broken, limit: 1 }), name).rejects.toMatchObject(bad)
        }
      }
    })

    it('B1: a removal in one workspace leaves the other unchanged', async () => {
      const { store, mine, theirs } = await twoWorkspaces(current())
      const before = JSON.stringify(await picture(store, theirs.world))
      await write(store, mine.lease, mine.session, [
        {
          type: 'run.ended',
          data: { run: mine.run, outcome: 'cancelled', stopReason: null, usage: null, error: null, halfDone: [] },
        },
      ])
      const other = await mine.world.session()
      expect(other.workspace).toBe(mine.world.workspace.id)
      await store.log.submit(mine.world.workspace.id, other.id, ask(), { now: 9 })
      await endAll(store, mine.world)
      await store.tree.remove(mine.world.workspace.id, { workspace: true }, 9)
      expect(JSON.stringify(await picture(store, theirs.world))).toBe(before)
    })
  })
}

async function endAll(store: Store, { workspace }: World): Promise<void> {
  const { rows } = await store.log.runs(workspace.id, { live: true }, { cursor: null, limit: 500 })
  for (const { id, session } of rows) {
    const row = await store.tree.session(workspace.id, session)
    const lease = await store.leases.holderOf(`session:${session}`)
    if (!row || !lease) throw new Error('a live run has a session and a holder')
    await write(store, lease, row, [
      {
        type: 'run.ended',
        data: { run: id, outcome: 'lost', stopReason: null, usage: null, error: null, halfDone: [] },
      },
    ])
  }
}

/** Makes two tenants with the same things in them: two running sessions, two questions, a rule. */
async function twoWorkspaces(store: Store) {
  return { store, mine: await fill(store), theirs: await fill(store) }
}

async function fill(store: Store) {
  const world = await makeWorld(store)
  const { session, lease, run } = await makeRunning(store, world)
  await makeRunning(store, world)
  const question = newInteraction()
  await write(store, lease, session, [opened(question, run), opened(newInteraction(), run)])
  await store.tree.updateSession(world.workspace.id, session.id, { name: `of ${world.workspace.id}` }, 6)
  const rule = newRuleOf(world)
  await store.people.addRule(rule, null, 1)
  return { world, session, lease, run, question, rule: rule.id }
}

function newRuleOf({ workspace, space }: World) {
  const pattern = { agent: null, toolKind: null, path: null, command: 'ls' }
  return { id: newRule(), workspace: workspace.id, space: space.id, action: 'deny' as const, ...pattern, createdAt: 1 }
}

/** Returns everything that a workspace can show. */
async function picture(store: Store, { workspace: { id } }: World): Promise<unknown[]> {
  const all = { cursor: null, limit: 500 }
  const sessions = await store.tree.sessions(id, {}, all)
  return [
    await store.tree.workspace(id),
    await store.tree.spaces(id),
    await store.tree.projects(id),
    sessions,
    await Promise.all(sessions.rows.map((session) => store.log.read(session.id, 0, 1_000))),
    await store.log.runs(id, {}, all),
    await store.people.interactions(id, {}, all),
    await store.people.rules(id),
    await store.tree.readWorkspace(id, 0, 1_000),
  ]
}
