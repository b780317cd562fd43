import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Row, readFacts } from '../test/support/old-facts.ts'

/**
 * Plays the story of a data folder that becomes a fixture, with the Carrel of another checkout. `scripts/fixture.ts`
 * starts this program twice: `work` ends by `kill -9` in the middle of a run, `rest` leaves a prompt in the queue and
 * writes down the facts. Arguments: `work` or `rest`, the checkout, the folder, and perhaps a Postgres address.
 */
const [part, checkout = '', root = '', databaseUrl = null] = process.argv.slice(2)
const dataFolder = join(root, 'data')
const { openEngine } = await import(join(checkout, 'src/engine/open.ts'))
const { operations } = await import(join(checkout, 'src/api/index.ts'))
const { Config } = await import(join(checkout, 'src/model/settings/config.ts'))

type Call = (verb: string, input: Row) => Promise<Row>

const agentProgram = ['scripted-agent/main.ts', 'src/host/scripted-agent/main.ts']
  .map((path) => join(checkout, path))
  .find((path) => existsSync(path))
const APART = { id: 'apart', name: 'Apart', command: process.execPath, args: [agentProgram], home: 'own' }

async function open(settings: Row) {
  const engine = await openEngine(
    {
      dataFolder,
      databaseUrl,
      machineName: 'anvil',
      agents: [APART],
      outliveMs: 0,
      historyWaitMs: 60_000,
      parkAfterMs: 0,
      ...settings,
    },
    { env: { ...process.env, CARREL_SCRIPTED_HOME: join(root, 'memory') }, home: join(root, 'home'), version: '0.1.0' },
  )
  const carrel = engine.carrelFor({ name: 'ada', kind: 'person', face: 'cli', workspaces: null })
  const call = (verb: string, input: Row): Promise<Row> => carrel.call(verb, { workspace: 'default', ...input })
  return { engine, call }
}

const has = (verb: string): boolean => verb in operations

/** Operations that were renamed, by the name that this version has; undefined where it has neither. */
const ENVIRONMENT_SET = ['environment.set', 'surroundings.set'].find(has)
const FILE_RULES_SET = ['fileRules.set', 'contention.set'].find(has)

const order = (steps: readonly Row[]): string => `@@do ${JSON.stringify(steps)} @@end`

async function until<T>(what: string, find: () => Promise<T | null | undefined | false>): Promise<T> {
  for (let left = 600; left > 0; left -= 1) {
    const found = await find()
    if (found) return found
    await pause(50)
  }
  throw new Error(`Timed out waiting for: ${what}.`)
}

async function work() {
  const { call } = await open({})
  const site = join(root, 'work', 'site')
  const { space, project } = await call('spaces.create', { folder: site, name: 'Site' })
  await call('projects.rename', { id: project.id, name: 'Main line' })
  const side = await call('projects.create', { space: space.id, name: 'Side line' })
  const blank = await call('spaces.create', { name: 'Notes' })
  await call('projects.rename', { id: blank.project.id, name: 'Notes line' })
  await call('rules.add', { action: 'allow', space: space.id, toolKind: 'edit', path: 'src/**' })
  await call('rules.add', { action: 'deny', command: 'rm -rf *' })
  const session = async (name: string, more: Row = {}) =>
    (await call('sessions.create', { project: project.id, agent: 'scripted', name, ...more })).id as string
  const run = async (id: string, steps: readonly Row[], more: Row = {}) =>
    await call('sessions.prompt', { id, content: order(steps), wait: 'ended', ...more })
  const parts = { call, space, project, side, blank, session, run }
  if (has('secrets.list')) await putSecrets(parts)
  if (ENVIRONMENT_SET) await setEnvironment(parts)
  await ordinaryRuns(parts)
  await otherWorkspace(parts)
  if (has('history.status')) await historyOfFiles(parts)
  if (FILE_RULES_SET) await rulesAndConflicts(parts)
  await leftOpen(parts)
  process.kill(process.pid, 'SIGKILL')
}

type Parts = {
  call: Call
  space: Row
  project: Row
  side: Row
  blank: Row
  session: (name: string, more?: Row) => Promise<string>
  run: (id: string, steps: readonly Row[], more?: Row) => Promise<Row>
}

async function ordinaryRuns({ call, blank, side, session, run }: Parts) {
  const ended = await session('Ended')
  const plan = (status: string) => ({ plan: [{ content: 'Write the page', priority: 'medium', status }] })
  await run(ended, [
    { think: 'The lighthouse page is missing.' },
    plan('in_progress'),
    { list: '.' },
    { write: 'src/lighthouse.txt', content: 'A lighthouse keeper counts ships.\n' },
    plan('completed'),
    { say: 'The **lighthouse** page is there, with a keeper who counts ships.', chunks: 3 },
    { usage: { used: 1_200, size: 200_000 } },
  ])
  const { head } = await call('sessions.events', { id: ended, limit: 1 })
  await call('sessions.close', { id: ended })
  const fork = await call('sessions.fork', { id: ended, seq: head, name: 'Fork' })
  await run(fork.id, [{ say: 'The fork goes its own way.' }])
  const failed = await session('Failed', { project: side.id })
  await run(failed, [{ say: 'Before the failure.' }, { fail: 'The model is overloaded.' }])
  const notes = await session('Notes', { project: blank.project.id })
  await run(notes, [{ write: 'notes/kept.txt', content: 'kept in a blank Space\n', ask: false }, { say: 'Noted.' }])
  const apart = await session('Apart', { agent: 'apart', project: side.id })
  await run(apart, [{ run: 'echo "kept at home" > "$HOME/kept.txt"' }, { say: 'My home has a file.' }])
  const archived = await session('Archived')
  await run(archived, [{ say: 'An old story about a cormorant.' }])
  await call('sessions.archive', { id: archived })
}

async function otherWorkspace({ call }: Parts) {
  const workspace = 'garden'
  await call('workspaces.create', { workspace: undefined, id: workspace, name: 'Garden' })
  const { project } = await call('spaces.create', { workspace, folder: join(root, 'work', 'garden'), name: 'Beds' })
  const { id } = await call('sessions.create', { workspace, project: project.id, agent: 'scripted', name: 'Beans' })
  await call('sessions.prompt', { workspace, id, content: order([{ say: 'Beans climb.' }]), wait: 'ended' })
  await call('rules.add', { workspace, action: 'ask' })
}

async function putSecrets({ call, project, session, run }: Parts) {
  await call('secrets.put', { name: 'API_TOKEN', value: 'fixture-value-of-the-token' })
  await call('secrets.put', {
    name: 'SITE_KEY',
    value: 'fixture-value-of-the-key',
    project: project.id,
    give: ['scripted'],
  })
  const shown = await session('Secrets')
  await run(shown, [{ run: 'printf "token: %s" "$API_TOKEN"' }, { say: 'The token was used.' }])
}

async function setEnvironment({ call, space, project }: Parts) {
  const set = (settings: Row, scope: Row = {}) => call(ENVIRONMENT_SET ?? '', { ...scope, settings })
  // Schemas 6 to 8 take yes or no.
  await set({ env: { GREETING: 'hello' }, browser: false }).catch(() =>
    set({ env: { GREETING: 'hello' }, browser: 'none' }),
  )
  await set({ env: { PLACE: 'site' } }, { space: space.id })
  const more: Row[] = [{ limits: { ms: 600_000 } }, { budgets: { total: { turns: 1_000 } } }, { ports: ['web'] }]
  for (const settings of more) {
    await set(settings, { project: project.id }).catch((error: Error) => console.error(`not set: ${error.message}`))
  }
}

async function historyOfFiles({ call, space, project, session, run }: Parts) {
  const id = await session('History')
  const write = (path: string, content: string) => ({ write: path, content, ask: false })
  await run(id, [write('plan.md', 'first\n')])
  const { run: second } = await run(id, [write('plan.md', 'second\n'), write('extra.md', 'extra\n')])
  const request = { kind: 'undo', of: { kind: 'run', run: second } }
  const { digest } = await call('plans.make', { project: project.id, request })
  await call(has('plans.apply') ? 'plans.apply' : 'plans.carryOut', { project: project.id, request, digest })
  await run(id, [write('plan.md', 'third\n'), write('kept.md', 'kept\n')])
  const make = async (wanted: Row) => {
    const { id } = await call('projects.create', { space: space.id, ...wanted })
    await until(`${wanted.name} is made`, async () => {
      const { projects } = await call('projects.list', {})
      return projects.find((each: Row) => each.id === id)?.place.state === 'ready'
    })
    return id as string
  }
  const branch = await make({ name: 'Branch line', place: 'worktree', branch: 'branch-line' })
  await run(await session('Branch', { project: branch }), [write('branch.md', 'only on the branch\n')])
  const copy = await make({ name: 'Copy line', place: 'overlay', driver: 'copy' })
  await run(await session('Copy', { project: copy }), [write('copy.md', 'only in the copy\n')])
}

/** Rules of a person's own, and two runs at once that write one file: each log has a note about the other run. */
async function rulesAndConflicts({ call, space, session }: Parts) {
  const rules = [{ glob: 'db/**', class: 'work', action: 'block' }]
  const field = FILE_RULES_SET === 'fileRules.set' ? 'paths' : 'contention'
  await call(FILE_RULES_SET ?? '', { id: space.id, rules: { [field]: rules } })
  const ids = [await session('Left'), await session('Right')]
  const written = (id: string) => ({ write: 'shared.md', content: `by ${id}\n`, ask: false })
  await Promise.all(
    ids.map((id) => {
      const steps = [written(id), { run: 'sleep 1' }, written(id), { run: 'sleep 2' }]
      return call('sessions.prompt', { id, content: order(steps), wait: 'ended' })
    }),
  )
  await until('both logs have the note', async () => {
    const logs = await Promise.all(ids.map((id) => call('sessions.events', { id })))
    return logs.every(({ events }) => events.some(({ type }: Row) => /^files\.(contended|conflicted)$/.test(type)))
  })
}

/** Amid all of this the process is killed. */
async function leftOpen({ call, session }: Parts) {
  const parked = await session('Question')
  const steps = [
    { say: 'One thing first. ' },
    { ask: { title: 'Paint the door?' } },
    { say: 'The door is a thing of the past.' },
  ]
  await call('sessions.prompt', { id: parked, content: order(steps) })
  await until('the run is parked', async () => {
    const { runs } = await call('runs.list', { session: parked })
    return runs[0]?.state === 'parked'
  })
  const behind = await session('Behind')
  await call('sessions.prompt', {
    id: behind,
    content: order([{ ask: { title: 'Open the gate?' } }, { say: 'Opened.' }]),
  })
  await until('its question is open', async () => (await call('sessions.get', { id: behind })).questions === 1)
  await call('sessions.prompt', { id: behind, content: order([{ say: 'The second in the queue.' }]) })
  const cut = await session('Cut off')
  await call('sessions.prompt', {
    id: cut,
    content: order([{ say: 'Half of a ' }, { gate: 'never' }, { say: 'sentence.' }]),
  })
  await until('it has begun to speak', async () => {
    const { items } = await call('sessions.view', { id: cut })
    return items.some((item: Row) => item.kind === 'message')
  })
}

async function rest() {
  const { engine, call } = await open({ runsAtOnce: 0 })
  const { projects } = await call('projects.list', {})
  const project = projects.find((each: Row) => each.name === 'Main line').id
  const { id } = await call('sessions.create', { project, agent: 'scripted', name: 'Queued' })
  await call('sessions.prompt', { id, content: order([{ say: 'The queue kept me.' }]) })
  const facts = await readFacts({ call }, has, root)
  writeFileSync(join(root, 'expected.json'), JSON.stringify(facts, null, 2))
  await exportAll(call)
  writeConfig()
  await engine.close()
  await backUp()
}

/** A backup by this version, so that a later one is seen to restore it. */
async function backUp() {
  const file = ['src/engine/backup/backup.ts', 'src/engine/backup.ts'].find((path) => existsSync(join(checkout, path)))
  if (file === undefined) return
  const { makeBackup } = await import(join(checkout, file))
  const what = { dataFolder, databaseUrl, filesOnly: databaseUrl !== null, version: '0.1.0', now: 0 }
  await makeBackup(what, join(root, 'backup'), () => undefined)
}

/** The logs as this version tells them, so that a later one is held to the same words. */
async function exportAll(call: Call) {
  const folder = join(root, 'exports')
  mkdirSync(folder)
  const lists = [await call('sessions.list', { limit: 200 }), await call('sessions.list', { archived: true })]
  for (const { id, name } of lists.flatMap(({ sessions }): Row[] => sessions)) {
    const said = has('sessions.export')
      ? (await call('sessions.export', { id, as: 'jsonl' })).text
      : (await call('sessions.events', { id })).events.map((event: Row) => `${JSON.stringify(event)}\n`).join('')
    writeFileSync(join(folder, `${name}.jsonl`), said)
  }
}

/** Every setting of this version, so that a later one is seen to read each. */
function writeConfig() {
  const { dataFolder: _, databaseUrl: __, ...settings } = Config.parse({ dataFolder })
  const agents = [{ ...APART, command: '/opt/apart/agent', args: ['--acp'] }]
  const own = { ...settings, defaultAgent: 'scripted', parkAfterMs: 1_234, agents }
  writeFileSync(join(dataFolder, 'config.json'), `${JSON.stringify(own, null, 2)}\n`)
}

await (part === 'work' ? work() : rest())
process.exit(0)
