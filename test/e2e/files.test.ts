import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import type { PlanRequest } from '../../src/model/files/history.ts'
import type { Project } from '../../src/model/tree.ts'
import { startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession, testSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, type World } from '../support/carrel-world.ts'

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@localhost', ...args], { cwd, encoding: 'utf8' })
const undoOf = (run: string): PlanRequest => ({ kind: 'undo', of: { kind: 'run', run: run as never } })

async function freely(session: TestSession): Promise<TestSession> {
  await session.carrel.call('sessions.configure', { workspace: session.workspace, id: session.id, mode: 'auto' })
  return session
}

async function act(
  carrel: Carrel,
  project: string,
  request: PlanRequest,
  named: { overwrite?: string[]; leave?: string[] } = {},
) {
  const at = { workspace: 'default', project, request }
  const { digest } = await carrel.call('plans.make', at)
  return await carrel.call('plans.apply', { ...at, digest, ...named })
}

/** Makes a session in a project with a place of its own. */
async function apart(world: World, session: TestSession, place: 'worktree' | 'overlay') {
  const { workspace, space } = session
  const made = await world.carrel.call('projects.create', { workspace, space: space.id, name: 'Apart', place })
  const shown = async (): Promise<Project | undefined> =>
    (await world.carrel.call('projects.list', { workspace })).projects.find(({ id }) => id === made.id)
  await eventually('the place exists', async () => (await shown())?.place.state !== 'making')
  const project = (await shown()) as Project
  expect(project.place).toMatchObject({ state: 'ready', kind: place })
  const { id } = await world.carrel.call('sessions.create', { workspace, project: project.id, agent: 'scripted' })
  const one = testSession(world.carrel, { workspace, id, space, project: project.id })
  return { project, session: await freely(one) }
}

it('F2: a command left behind by an agent writes after the turn: the change may be the run’s, and an undo asks for a word', async () => {
  const world = await openWorld()
  const session = await freely(await world.session())
  const late = '(while [ ! -e go ]; do sleep 0.05; done; echo late > late.txt) > /dev/null 2>&1 &'
  const { run } = await session.run([{ run: late }, { write: 'a.txt', content: 'a\n' }, { say: 'left' }])
  await session.until('background.changed')
  session.open('go')
  await appears(session.path('late.txt'))
  const at = { workspace: 'default', project: session.project }
  await world.carrel.call('history.capture', at)
  const { changes } = await world.carrel.call('history.path', { ...at, path: 'late.txt' })
  expect(changes[0]).toMatchObject({ author: { kind: 'unknown', among: [run] }, certainty: 'overlapping' })
  // The gate is a file of that time too.
  const undo = (named: object) => act(world.carrel, session.project, undoOf(run), named)
  await expect(undo({})).rejects.toMatchObject({ code: 'conflict' })
  expect(await undo({ leave: ['late.txt', 'go'] })).toMatchObject({ written: ['a.txt'] })
  expect(existsSync(session.path('late.txt'))).toBe(true)
})

it('F8: work in a worktree leaves the folder alone until it is applied; the apply can be undone', async () => {
  const world = await openWorld()
  const direct = await freely(await world.session())
  git(direct.folder, 'init', '-q')
  writeFileSync(direct.path('list.txt'), 'one\ntwo\nthree\nfour\nfive\n')
  git(direct.folder, 'add', '-A')
  git(direct.folder, 'commit', '-qm', 'first')
  const { project, session } = await apart(world, direct, 'worktree')
  const steps = [{ edit: 'list.txt', old: 'one', new: 'ONE' }, { write: 'new.txt', content: 'new\n' }, { say: 'done' }]
  expect((await session.run(steps)).outcome).toBe('completed')
  expect(readFileSync(join(project.place.path, 'list.txt'), 'utf8')).toContain('ONE')
  expect(readFileSync(direct.path('list.txt'), 'utf8')).toContain('one')
  writeFileSync(direct.path('list.txt'), 'one\ntwo\nthree\nfour\nFIVE\n')
  const done = await act(world.carrel, direct.project, { kind: 'apply', from: project.id })
  expect(done.written).toEqual(['list.txt', 'new.txt'])
  expect(readFileSync(direct.path('list.txt'), 'utf8')).toBe('ONE\ntwo\nthree\nfour\nFIVE\n')
  expect(await session.item('act')).toMatchObject({ what: 'applied', project: project.id })
  await act(world.carrel, direct.project, { kind: 'undo', of: { kind: 'act', act: done.id } })
  expect(readFileSync(direct.path('list.txt'), 'utf8')).toBe('one\ntwo\nthree\nfour\nFIVE\n')
  expect(existsSync(direct.path('new.txt'))).toBe(false)
  const at = { workspace: 'default', project: project.id }
  const { patch } = await world.carrel.call('places.export', { ...at, as: 'patch' })
  expect(patch).toContain('+ONE')
  const out = await world.carrel.call('places.export', { ...at, as: 'branch', branch: 'kept' })
  expect(git(direct.folder, 'show', `${out.branch}:new.txt`)).toBe('new\n')
  expect(git(direct.folder, 'status', '--porcelain')).not.toContain('new.txt')
})

it('F8: an overlay separates any folder; paths that both sides changed are written only by name; removal has two steps', async () => {
  const world = await openWorld()
  const direct = await freely(await world.session())
  writeFileSync(direct.path('a.txt'), 'base\n')
  mkdirSync(direct.path('sub'))
  writeFileSync(direct.path('sub', 'b.txt'), 'base\n')
  const { project, session } = await apart(world, direct, 'overlay')
  const steps = [{ write: 'a.txt', content: 'apart\n' }, { run: 'rm sub/b.txt' }, { say: 'done' }]
  expect((await session.run(steps)).outcome).toBe('completed')
  expect(readFileSync(direct.path('a.txt'), 'utf8')).toBe('base\n')
  expect(existsSync(direct.path('sub', 'b.txt'))).toBe(true)
  writeFileSync(direct.path('a.txt'), 'a person\n')
  const request = { kind: 'apply' as const, from: project.id }
  await expect(act(world.carrel, direct.project, request)).rejects.toMatchObject({ code: 'conflict' })
  const done = await act(world.carrel, direct.project, request, { overwrite: ['a.txt'] })
  expect(done.written).toEqual(expect.arrayContaining(['a.txt', 'sub/b.txt']))
  expect(readFileSync(direct.path('a.txt'), 'utf8')).toBe('apart\n')
  const at = { workspace: 'default', project: project.id }
  const first = await world.carrel.call('projects.delete', { workspace: 'default', id: project.id })
  expect(first.deleted).toBe(false)
  const early = world.carrel.call('projects.delete', { workspace: 'default', id: project.id, confirm: true })
  await expect(early).rejects.toMatchObject({ code: 'forbidden' })
  expect(await world.carrel.call('places.remove', at)).toMatchObject({ removed: false })
  expect(existsSync(join(world.dataFolder, 'places', project.id))).toBe(true)
  expect(await world.carrel.call('places.remove', { ...at, confirm: true })).toMatchObject({ removed: true })
  expect(await world.carrel.call('places.remove', at)).toMatchObject({ removed: true, lost: [], kept: [] })
  expect(existsSync(join(world.dataFolder, 'places', project.id))).toBe(false)
  const ended = await session.run([{ write: 'c.txt', content: 'c' }])
  expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringMatching(/was removed/) } })
  expect(existsSync(direct.path('c.txt'))).toBe(false)
  expect((await world.carrel.call('places.export', { ...at, as: 'patch' })).patch).toContain('+apart')
})

it('kill -9 in the middle of a run: its writes until then are its own, and can be undone', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  const session = await freely(await first.session())
  writeFileSync(session.path('a.txt'), 'before\n')
  const steps = [
    { write: 'a.txt', content: 'seen\n' },
    { write: 'b.txt', content: 'unseen\n' },
    { say: 'reached' },
    { gate: 'never' },
  ]
  await session.prompt(steps, { wait: 'started' })
  // The server has heard of the end of both tools.
  await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('reached'))
  await first.kill()
  const second = await startServer(testFolder)
  const again = session.through(second.carrel)
  const { data } = await again.until('run.ended')
  expect(data.outcome).toBe('lost')
  const item = await again.item('files')
  expect(item.files.map(({ path }) => path)).toEqual(expect.arrayContaining(['a.txt', 'b.txt']))
  await act(second.carrel, session.project, undoOf(data.run))
  expect(readFileSync(session.path('a.txt'), 'utf8')).toBe('before\n')
  expect(existsSync(session.path('b.txt'))).toBe(false)
  expect((await again.run([{ write: 'c.txt', content: 'on\n' }])).outcome).toBe('completed')
})
