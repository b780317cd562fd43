import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeBackup } from '../../src/engine/backup/backup.ts'
import { restoreBackup } from '../../src/engine/backup/restore.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { digestOf, digestStep, filesWith } from '../contracts/carrel-secrets.ts'
import { createTestSession, eventually, testSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, type World } from '../support/carrel-world.ts'

const DEFAULT = { workspace: 'default' } as const
const SILENT = () => undefined
const wish = (dataFolder: string, more: object = {}) => ({
  dataFolder,
  databaseUrl: null,
  filesOnly: false,
  version: 'test',
  now: Date.now(),
  ...more,
})

/** Makes a session in a Space whose folder is Carrel's own. */
async function blankSession({ carrel }: World) {
  const { space, project } = await carrel.call('spaces.create', { ...DEFAULT, name: 'Blank' })
  const { id } = await carrel.call('sessions.create', { ...DEFAULT, project: project.id, agent: 'scripted' })
  return testSession(carrel, { ...DEFAULT, id, space, project: project.id })
}

describe('a backup', () => {
  it('L9, B3: a backup made while twenty sessions write is whole after a restore elsewhere, continues, and opens no secret by itself', async () => {
    const world = await openWorld({ flushMs: 1 })
    const value = 'backup-canary-1'
    await world.carrel.call('secrets.put', { ...DEFAULT, name: 'TOKEN', value })
    const blank = await blankSession(world)
    await blank.run([{ write: 'notes/kept.txt', content: 'kept in a blank Space', ask: false }])
    symlinkSync('notes/kept.txt', blank.path('link'))
    const first = await world.session()
    const sessions = [first]
    for (let count = 1; count < 20; count += 1) sessions.push(await world.session({ beside: first }))
    const prompts = await Promise.all(
      sessions.map((session) => session.prompt([{ repeat: 400, say: 'word ', everyMs: 2 }])),
    )
    await Promise.all(sessions.map((session) => session.until('run.started')))
    const target = join(world.root, 'backup')
    const told: string[] = []
    const manifest = await makeBackup(wish(world.dataFolder), target, (what) => told.push(what))
    expect(told).toContain('database')
    expect(manifest.skipped).toEqual([])
    expect(manifest.entries.map(({ path }) => path)).toEqual(expect.arrayContaining(['carrel.db', 'node']))
    expect(existsSync(`${target}.part`)).toBe(false)
    expect(filesWith(target, [value])).toEqual([])
    for (const name of ['secrets.key', 'token']) expect(existsSync(join(target, name)), name).toBe(false)
    await Promise.all(sessions.map((session, index) => session.endOf(prompts[index]?.prompt ?? '')))
    const before = new Map(
      await Promise.all(sessions.map(async (session) => [session.id, await session.log()] as const)),
    )
    await world.engine.close()

    const restored = join(world.root, 'restored')
    await restoreBackup(target, restored, SILENT)
    expect(readdirSync(world.root).filter((name) => name.endsWith('.part'))).toEqual([])
    const second = await openWorld({}, {}, { ...world, dataFolder: restored })
    await second.carrel.call('server.unpause', { confirm: true })
    for (const session of sessions) {
      const later = session.through(second.carrel)
      await later.until('run.ended')
      const log = await later.log()
      const own = before.get(session.id) ?? []
      const copied = log.findIndex((event, index) => event.at !== own[index]?.at || event.type !== own[index]?.type)
      expect(log.slice(0, copied < 0 ? undefined : copied)).toEqual(own.slice(0, copied < 0 ? undefined : copied))
      await expectWhole(later)
    }
    const { space } = await second.carrel.call('spaces.get', { ...DEFAULT, id: blank.space.id })
    expect(space).toMatchObject({ folder: join(restored, 'spaces', space.id), state: 'present' })
    const there = await createTestSession(second.carrel, {
      folder: '',
      beside: { ...blank, space, through: blank.through },
    })
    expect(readFileSync(join(space.folder, 'link'), 'utf8')).toBe('kept in a blank Space')
    // Without the key it says so; with the key everything is as it was.
    expect((await there.run([digestStep('TOKEN')])).error?.message).toMatch(/^The secret TOKEN cannot be decrypted/)
    writeFileSync(join(restored, 'secrets.key'), readFileSync(join(world.dataFolder, 'secrets.key')))
    await there.run([digestStep('TOKEN')])
    expect(JSON.stringify(await there.log())).toContain(digestOf(value))
  })

  it('a damaged, truncated, foreign or too new backup is refused with a message, and nothing comes of it', async () => {
    const world = await openWorld()
    await blankSession(world)
    const target = join(world.root, 'backup')
    await makeBackup(wish(world.dataFolder), target, SILENT)
    const restored = join(world.root, 'restored')
    const refused = () =>
      restoreBackup(target, restored, SILENT).then(
        () => 'restored',
        (error) => `${error.code}: ${error.message}`,
      )
    const database = join(target, 'carrel.db')
    const whole = readFileSync(database)
    appendFileSync(database, 'x')
    expect(await refused()).toMatch(/^unavailable: carrel\.db in the backup is damaged/)
    rmSync(database)
    expect(await refused()).toMatch(/^unavailable: carrel\.db is missing/)
    writeFileSync(database, whole)
    const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'))
    const write = (change: object) =>
      writeFileSync(join(target, 'manifest.json'), JSON.stringify({ ...manifest, ...change }))
    write({ schema: 999 })
    expect(await refused()).toMatch(/^unavailable: A newer Carrel wrote this data \(schema 999/)
    write({ entries: [{ kind: 'folder', path: '../outside' }] })
    expect(await refused()).toMatch(/^bad_input: .* is not a backup of Carrel/)
    writeFileSync(join(target, 'manifest.json'), '{')
    expect(await refused()).toMatch(/^bad_input: .* is not a backup of Carrel/)
    write({})
    mkdirSync(restored)
    writeFileSync(join(restored, 'mine.txt'), 'mine')
    expect(await refused()).toMatch(/^bad_input: .*is not empty/)
    expect(readdirSync(restored)).toEqual(['mine.txt'])
    rmSync(join(restored, 'mine.txt'))
    expect(await refused()).toBe('restored')
  })

  it('a target in use, the data folder itself and a database on Postgres are refused with a message', async () => {
    const world = await openWorld()
    const make = (target: string, more = {}) =>
      makeBackup(wish(world.dataFolder, more), target, SILENT).then(
        () => 'made',
        (error) => `${error.code}: ${error.message}`,
      )
    expect(await make(world.root)).toMatch(/^bad_input: .* exists already/)
    expect(await make(join(world.dataFolder, 'backup'))).toMatch(
      /^bad_input: A backup cannot be inside the data folder/,
    )
    symlinkSync('loop', join(world.root, 'loop'))
    expect(await make(join(world.root, 'loop'))).toMatch(/^unavailable: .*loop cannot be read. A link there/)
    const postgres = { databaseUrl: 'postgres://db/carrel' }
    expect(await make(join(world.root, 'b'), postgres)).toMatch(/^unavailable: .*`pg_dump`.*--files-only/)
    expect(await make(join(world.root, 'b'), { ...postgres, filesOnly: true })).toBe('made')
    expect(existsSync(join(world.root, 'b', 'carrel.db'))).toBe(false)
  })
})

it('a part of the data folder that cannot be read is never left out of a backup in silence', async () => {
  const world = await openWorld()
  const node = join(world.dataFolder, 'node')
  rmSync(node)
  symlinkSync('node', node)
  const made = makeBackup(wish(world.dataFolder), join(world.root, 'backup'), SILENT)
  await expect(made).rejects.toMatchObject({ code: 'unavailable' })
  expect(existsSync(join(world.root, 'backup'))).toBe(false)
})

describe('disks', () => {
  const root = process.platform === 'linux' && process.getuid?.() === 0
  const mount = (testFolder: { root: string }, options: string) => {
    const disk = join(testFolder.root, 'disk')
    mkdirSync(disk, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'pipe' })
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk])
    })
    return disk
  }

  it.skipIf(!root)('a full disk leaves no half backup and no half key, and loses nothing', async ({ skip }) => {
    const testFolder = makeTestFolder()
    let disk: string
    try {
      disk = mount(testFolder, 'size=6m')
    } catch {
      return skip('this machine forbids mounting a small disk')
    }
    const world = await openWorld({}, {}, { ...testFolder, dataFolder: join(disk, 'data') })
    const session = await world.session()
    await world.carrel.call('secrets.put', { ...DEFAULT, name: 'TOKEN', value: 'full-canary' })
    const key = readFileSync(join(disk, 'data', 'secrets.key'), 'utf8')
    const free = () => {
      try {
        for (;;) writeFileSync(join(disk, 'ballast'), Buffer.alloc(512), { flag: 'a' })
      } catch {}
    }
    free()
    await expect(makeBackup(wish(world.dataFolder), join(disk, 'backup'), SILENT)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/disk is full/i),
    })
    expect(readdirSync(disk).sort()).toEqual(['ballast', 'data'])
    await expect(world.carrel.call('secrets.rotate', {})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/room|full/),
    })
    expect(readFileSync(join(disk, 'data', 'secrets.key'), 'utf8')).toBe(key)
    rmSync(join(disk, 'ballast'))
    await session.run([digestStep('TOKEN')])
    expect(JSON.stringify(await session.log())).toContain(digestOf('full-canary'))
    expect(await world.carrel.call('secrets.rotate', {})).toMatchObject({ sealed: 1, unreadable: 0 })
  })

  it.skipIf(!root)('a read-only data folder is reported at the start, and can be backed up', async ({ skip }) => {
    const testFolder = makeTestFolder()
    let disk: string
    try {
      disk = mount(testFolder, 'size=32m')
    } catch {
      return skip('this machine forbids mounting a disk')
    }
    const dataFolder = join(disk, 'data')
    const world = await openWorld({}, {}, { ...testFolder, dataFolder })
    await world.engine.close()
    execFileSync('mount', ['-o', 'remount,ro', disk], { stdio: 'pipe' })
    await expect(openWorld({}, {}, { ...testFolder, dataFolder })).rejects.toMatchObject({
      message: expect.stringMatching(/read-only|write/i),
    })
    await makeBackup(wish(dataFolder), join(testFolder.root, 'backup'), SILENT)
    await restoreBackup(join(testFolder.root, 'backup'), join(testFolder.root, 'again'), SILENT)
    const again = await openWorld({}, {}, { ...testFolder, dataFolder: join(testFolder.root, 'again') })
    expect((await again.carrel.call('workspaces.list', {})).workspaces).toHaveLength(1)
  })
})

describe('retention', () => {
  const DAY_MS = 86_400_000

  it('retention shows what would go and removes it, never live data; a clock that was set back removes nothing', async () => {
    const clock = { ahead: 0 }
    const settings = { keepAgentLogsDays: 90, keepArchivedItemsDays: 90 }
    const world = await openWorld(settings, { now: () => Date.now() + clock.ahead })
    const old = await world.session()
    await old.run([{ say: 'long ago, findable' }, { stderr: 'noise' }])
    await world.carrel.call('sessions.archive', { ...DEFAULT, id: old.id, archived: true })
    const live = await world.session()
    const { run } = await live.prompt([{ gate: 'go' }], { wait: 'started' })
    const folders = () => readdirSync(join(world.dataFolder, 'logs', 'runs'))
    await eventually('both runs have folders', () => folders().length === 2)
    const ask = (apply: boolean) => world.carrel.call(apply ? 'retention.apply' : 'retention.preview', {})
    const counts = async (apply: boolean) => (await ask(apply)).rules.map(({ count }) => count)
    expect(await counts(false)).toEqual([0, 0, 0])
    clock.ahead = -400 * DAY_MS
    expect(await counts(true)).toEqual([0, 0, 0])
    clock.ahead = 31 * DAY_MS
    expect(await counts(false)).toEqual([1, 0, 0])
    expect(folders()).toHaveLength(2)
    clock.ahead = 100 * DAY_MS
    const preview = await ask(false)
    expect(preview.rules.map(({ count }) => count)).toEqual([1, 1, 1])
    for (const { bytes } of preview.rules) expect(bytes).toBeGreaterThan(0)
    expect(await ask(true)).toEqual(preview)
    expect(folders()).toEqual([run])
    expect(await counts(true)).toEqual([0, 0, 0])
    // The log exists, and readers see its content.
    expect((await old.items()).map(({ kind }) => kind)).toContain('message')
    clock.ahead = 0
    live.open('go')
    await live.until('run.ended')
    await expectWhole(old)
  })

  it('retention counts the bytes on the disk, where a small file takes a whole block', async () => {
    const clock = { ahead: 0 }
    const world = await openWorld({}, { now: () => Date.now() + clock.ahead })
    const folder = join(world.dataFolder, 'logs', 'runs', 'run_small')
    mkdirSync(folder, { recursive: true })
    for (let n = 0; n < 50; n += 1) writeFileSync(join(folder, `${n}`), 'x')
    clock.ahead = 31 * DAY_MS
    const [onDisk] = execFileSync('du', ['-s', '--block-size=1', folder], { encoding: 'utf8' }).split('\t')
    const { rules } = await world.carrel.call('retention.preview', {})
    expect(rules[0]).toMatchObject({ count: 1, bytes: Number(onDisk) })
  })

  it('recently written files stay, whatever lies beside them', async () => {
    const world = await openWorld()
    const folder = join(world.dataFolder, 'logs', 'runs')
    const past = new Date(Date.now() - 60 * DAY_MS)
    for (const name of ['run_old', 'run_mixed']) {
      mkdirSync(join(folder, name), { recursive: true })
      writeFileSync(join(folder, name, 'run.json'), '{}')
      if (name === 'run_old') utimesSync(join(folder, name, 'run.json'), past, past)
      utimesSync(join(folder, name), past, past)
    }
    expect(statSync(join(folder, 'run_old')).mtimeMs).toBeLessThan(Date.now() - 30 * DAY_MS)
    const { rules } = await world.carrel.call('retention.apply', {})
    expect(rules.map(({ count }) => count)).toEqual([1, 0, 0])
    expect(readdirSync(folder)).toEqual(['run_mixed'])
  })
})

it('the schema of a backup is the one of its database', async () => {
  const world = await openWorld()
  const target = join(world.root, 'backup')
  const { schema } = await makeBackup(wish(world.dataFolder), target, SILENT)
  const db = new DatabaseSync(join(target, 'carrel.db'), { readOnly: true })
  expect(db.prepare('select max(version) as version from schema_versions').get()).toEqual({ version: schema })
  db.close()
})
