import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import type { PlanRequest } from '../../src/model/files/history.ts'
import type { Project } from '../../src/model/tree.ts'
import { eventually } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, type World } from '../support/carrel-world.ts'
import { harden, hostileEnvironment, marks, TRAPPED } from '../support/hostile-git.ts'
import { digest, fresh, git, plainFolder, repository, top } from '../support/places-setup.ts'

afterEach(() => vi.unstubAllEnvs())
const FILES = { ...TRAPPED, 'a.txt': 'one\n', 'sub/a.txt': 'one\n' }
const workspace = 'default'

/** Opens a server whose environment has variables that redirect git and make it run a program. */
async function hostileWorld(): Promise<World> {
  const env = hostileEnvironment()
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  return await openWorld({}, {}, makeTestFolder(env))
}

interface Shape {
  readonly folder: string
  /** All git folders of this shape, inside the folder or elsewhere. */
  readonly gits: readonly string[]
}

/** Returns folders of every kind, each with `a.txt`; those with git are hostile. */
function shapes(): Record<string, Shape> {
  const main = repository(FILES)
  const copy = (shaped: (folder: string) => void = () => undefined, more: readonly string[] = []): Shape => {
    const folder = join(top, fresh('copy'))
    cpSync(main, folder, { recursive: true })
    shaped(folder)
    const gits = ['.git', ...more].map((path) => join(folder, path))
    for (const path of gits) harden(path)
    return { folder, gits }
  }
  const linked = join(top, fresh('linked'))
  const owner = copy((folder) => git(folder, 'worktree', 'add', '-q', '-b', 'side', linked))
  const around = plainFolder({ '.git': 'gitdir: ./.bare\n', 'a.txt': 'one\n' })
  cpSync(join(main, '.git'), join(around, '.bare'), { recursive: true })
  git(join(around, '.bare'), 'config', 'core.bare', 'true')
  harden(join(around, '.bare'))
  const whole = copy()
  return {
    plain: { folder: plainFolder(FILES), gits: [] },
    whole: copy(),
    linked: { folder: linked, gits: [join(linked, '.git'), ...owner.gits] },
    submodule: copy((folder) => git(folder, 'submodule', '--quiet', 'add', main, 'module'), ['.git/modules/module']),
    nested: copy((folder) => cpSync(main, join(folder, 'nested'), { recursive: true }), ['nested/.git']),
    sparse: copy((folder) => git(folder, 'sparse-checkout', 'set', '--no-cone', 'a.txt')),
    below: { folder: join(whole.folder, 'sub'), gits: whole.gits },
    readOnly: copy((folder) => chmodSync(join(folder, 'a.txt'), 0o444)),
    elsewhere: copy((folder) => git(folder, 'config', 'core.worktree', plainFolder(FILES))),
    around: { folder: around, gits: [join(around, '.git'), join(around, '.bare')] },
    broken: { folder: plainFolder({ ...FILES, '.git': 'gitdir: /nowhere/at/all\n' }), gits: [] },
  }
}

async function act({ carrel }: World, project: string, request: PlanRequest) {
  const at = { workspace, project, request }
  const { digest, entries } = await carrel.call('plans.make', at)
  expect(entries.flatMap(({ conflicts }) => conflicts)).toEqual([])
  return await carrel.call('plans.apply', { ...at, digest })
}

it('F1: a scan of folders of every kind runs no program that git can run, and touches no .git', async () => {
  const all = Object.entries(shapes())
  const world = await hostileWorld()
  const { call } = world.carrel
  for (const [kind, { folder, gits }] of all) {
    const untouched = gits.map(digest)
    const { space, project } = await call('spaces.create', { workspace, folder })
    const at = { workspace, project: project.id }
    const { n: from } = await call('history.capture', at)
    const mode = statSync(join(folder, 'a.txt')).mode
    writeFileSync(join(folder, 'a.txt'), 'two\n')
    const { n } = await call('history.capture', at)
    await call('spaces.get', { workspace, id: space.id })
    await call('history.snapshots', at)
    await call('history.gaps', at)
    const { changes } = await call('history.changes', { ...at, from })
    expect(
      changes.map(({ path }) => path),
      kind,
    ).toEqual(['a.txt'])
    const { texts } = await call('history.diff', { ...at, path: 'a.txt', from })
    expect(texts, kind).toEqual({ before: 'one\n', after: 'two\n' })
    await act(world, project.id, { kind: 'undo', of: { kind: 'snapshot', n } })
    expect(readFileSync(join(folder, 'a.txt'), 'utf8'), kind).toBe('one\n')
    expect(statSync(join(folder, 'a.txt')).mode, kind).toBe(mode)
    expect(gits.map(digest), kind).toEqual(untouched)
    expect(readdirSync(marks), kind).toEqual([])
  }
})

it('F8: places of a hostile sub-folder are made, applied and exported without running any of its programs, and change only its own .git', async () => {
  const source = repository(FILES)
  const repo = join(source, '.git')
  harden(repo)
  const folder = join(source, 'sub')
  const world = await hostileWorld()
  const { call } = world.carrel
  const { space, project } = await call('spaces.create', { workspace, folder })
  const own = () => ['config', 'HEAD', 'index', 'refs/heads/main'].map((name) => digest(join(repo, name)))
  const untouched = own()
  for (const place of ['worktree', 'overlay'] as const) {
    const file = `${place}.txt`
    // A ready worktree is the base of its work; an overlay's base is the folder.
    const setup = place === 'overlay' ? { setup: ['touch', file] } : {}
    const { id } = await call('projects.create', { workspace, space: space.id, name: place, place, ...setup })
    const made = async () => (await call('projects.list', { workspace })).projects.find((one) => one.id === id)?.place
    await eventually('the place exists', async () => (await made())?.state !== 'making')
    const { state, path } = (await made()) as Project['place']
    expect(state).toBe('ready')
    const at = { workspace, project: id }
    await call('history.capture', at)
    if (place === 'worktree') writeFileSync(join(path, file), '')
    expect(await act(world, project.id, { kind: 'apply', from: id })).toMatchObject({ written: [file] })
    expect(existsSync(join(folder, file))).toBe(true)
    await call('places.previewRemoval', at)
    const out = await call('places.export', { ...at, as: 'branch', branch: `out-${place}` })
    expect(git(repo, 'ls-tree', '--name-only', out.branch ?? '', 'sub/')).toContain(`sub/${file}`)
    expect(await call('places.remove', { ...at, confirm: true })).toMatchObject({ removed: true })
  }
  expect(own()).toEqual(untouched)
  expect(readdirSync(marks)).toEqual([])
})
