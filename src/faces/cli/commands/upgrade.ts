import { sizeWords } from '../../../model/settings/sizes.ts'
import type { UpgradeReport } from '../../../model/upgrade.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { VERSION } from '../installation.ts'
import { withLines } from '../lines.ts'
import { clearProgress, stagesOf } from '../progress.ts'
import { readServerFile } from '../server-file.ts'
import { span } from '../terminal.ts'
import { refuseRemote } from './data.ts'

/** Exit codes of `upgrade check`. A script can wait for nodes to stop (75), but not for a blocked upgrade (69). */
const EXIT = { new: 0, current: 0, ready: 0, 'stop first': 75, blocked: 69 } as const

export const addUpgrade: AddCommand = (program) => {
  const command = program
    .command('upgrade')
    .summary('check an upgrade of the data, or revert one')
    .description(
      'Checks an upgrade of the data in advance, or reverts one. A newer Carrel upgrades the data at its start.',
    )
  command
    .command('check')
    .summary('check the data before an upgrade, without changes')
    .description(
      'Checks the data before an upgrade: versions, disk space, collisions, invalid rows, duration, and processes to stop first. Changes nothing.',
    )
    .addHelpText(
      'after',
      `
Exit codes: 0 ready or nothing to do, 75 ready once the named processes or nodes have stopped, 69 an obstacle blocks the upgrade.

Examples:
  $ carrel upgrade check
  $ carrel upgrade check --json | jq .state`,
    )
    .handle(check)
  command
    .command('back')
    .summary('list the copies from before upgrades, or go back to one')
    .description(
      'Lists the copies that Carrel made before upgrades, or replaces the data by one. Without --yes, shows the data that would be lost and asks at a terminal.',
    )
    .argument('[copy]', 'name of a copy (default: list all copies)')
    .option('--yes', 'go back without asking')
    .addHelpText(
      'after',
      `
The present data is kept as another copy. Carrel must not run meanwhile.

Examples:
  $ carrel upgrade back
  $ carrel upgrade back 2026-11-24T10-15-30-123Z-schema-9
  $ carrel upgrade back 2026-11-24T10-15-30-123Z-schema-9 --yes`,
    )
    .handle((cli, [copy], { yes }) => (copy === undefined ? list(cli) : back(cli, copy, Boolean(yes))))
}

function askOf(cli: Cli) {
  refuseRemote(cli)
  const { env, now } = cli.world
  return { config: cli.settings().config, version: VERSION, now: now(), env, say: stagesOf(cli) }
}

async function check(cli: Cli): Promise<number> {
  const { checkUpgrade } = await import('../../../engine/backup/upgrade.ts')
  const ask = askOf(cli)
  const report = await checkUpgrade(ask)
  clearProgress(cli)
  const { term } = cli
  const server = report.findings.some(({ kind }) => kind === 'node') ? readServerFile(cli.dataFolder) : null
  term.result({ ...report, copy: ask.config.upgradeCopy, server }, () => {
    for (const line of reportLines(report, ask.config.upgradeCopy)) term.line(line)
    const marks = { block: term.color.red('✗'), stop: term.color.yellow('!'), note: term.color.yellow('!') }
    for (const { level, text, next } of report.findings) {
      term.line(`${marks[level]} ${text}`)
      if (next) term.line(`  ${next}`)
    }
    if (server) term.line(`  Last server of this folder: process ${server.pid}, at ${server.url}.`)
    term.line(VERDICT[report.state])
  })
  return EXIT[report.state]
}

const VERDICT: Readonly<Record<UpgradeReport['state'], string>> = {
  new: 'No data yet: the first start creates it.',
  current: 'Nothing to upgrade.',
  ready: 'Ready: the next start of this Carrel upgrades the data.',
  'stop first': 'Ready once these have stopped: the next start of this Carrel then upgrades the data.',
  blocked: 'Blocked: this Carrel would refuse the upgrade.',
}

function reportLines(report: UpgradeReport, copy: 'make' | 'made'): string[] {
  const { location, schema, carrel, steps, room, estimate, locked } = report
  const lines = [
    `Data    ${location}${schema.data === 0 ? '' : `, schema ${schema.data}`}`,
    `Carrel  ${carrel}, schema ${schema.known}`,
  ]
  if (steps.length === 0) return lines
  lines.push(...steps.map(({ name, summary }, at) => `${at === 0 ? 'Steps ' : '      '}  ${name}: ${summary}`))
  lines.push(`Copy    ${copy === 'made' ? 'none: you have a copy' : 'made first, opened and counted'}`)
  for (const { where, neededBytes, freeBytes } of room) {
    const free = freeBytes === null ? 'unknown' : sizeWords(freeBytes)
    lines.push(`Space   up to ${sizeWords(neededBytes)} on the disk of ${where} (${free} free)`)
  }
  if (estimate) {
    const { copyMs, migrateMs, sampleRows } = estimate
    const sample = sampleRows === 0 ? '' : `, estimated from ${sampleRows} rows`
    lines.push(`Time    about ${span(copyMs + migrateMs)}: copy ${span(copyMs)}, upgrade ${span(migrateMs)}${sample}`)
  }
  lines.push(`Locked  ${locked.join(', ') || 'no existing table'}; no Carrel answers on this data meanwhile`)
  return lines
}

async function list(cli: Cli): Promise<void> {
  const { upgradeCopies } = await import('../../../engine/backup/upgrade.ts')
  const { COPIES_KEPT } = await import('../../../model/upgrade.ts')
  const { config } = askOf(cli)
  const { folder, copies, unreadable } = upgradeCopies(config)
  const { term } = cli
  term.result({ folder, copies: copies.map(({ name, manifest }) => ({ name, ...manifest })), unreadable }, () => {
    const rows = copies.map(({ name, manifest: { schema, reason, carrel, bytes, counts } }) => [
      name,
      String(schema),
      reason === 'upgrade' ? 'an upgrade' : 'going back',
      carrel,
      sizeWords(bytes),
      String(counts.sessions ?? 0),
      String(counts.events ?? 0),
    ])
    const head = ['COPY', 'SCHEMA', 'MADE BEFORE', 'BY CARREL', 'SIZE', 'SESSIONS', 'EVENTS']
    term.table(head, rows, `No copies in ${folder}.`)
    for (const { name, why } of unreadable) term.note(`Incomplete copy: ${name}. ${why}`)
    if (copies.length > 0)
      term.note(`In ${folder}; the newest ${COPIES_KEPT} are kept. Go back with \`carrel upgrade back <copy>\`.`)
  })
}

async function back(cli: Cli, name: string, yes: boolean): Promise<void> {
  const { goBack, previewBack } = await import('../../../engine/backup/upgrade.ts')
  const { lossWords } = await import('../../../model/upgrade.ts')
  const { term } = cli
  const ask = askOf(cli)
  const { copy, present, loss } = await previewBack(ask, name)
  clearProgress(cli)
  const { schema, at, counts } = copy.manifest
  const lost = loss ? lossWords(loss) : []
  const done = { copy: name, schema, at, present, loss }
  if (!term.json) {
    const rows = `sessions: ${counts.sessions ?? 0}, events: ${counts.events ?? 0}`
    term.note(`The copy ${name} is complete: schema ${schema}, ${rows}, of ${new Date(at).toISOString()}.`)
    term.note(
      lost.length === 0 ? 'Nothing was written since then.' : `Written since then, and lost: ${lost.join(', ')}.`,
    )
    term.note('Files that agents wrote will not be touched.')
  }
  if (!yes && !(await isAgreed(cli))) {
    term.result({ ...done, done: false }, () => term.note('Nothing was changed. Use --yes to go back.'))
    return
  }
  const { aside } = await goBack(ask, name)
  clearProgress(cli)
  term.result({ ...done, done: true, aside: aside?.name ?? null }, () => {
    term.line(`Restored the data of ${new Date(at).toISOString()}, with schema ${schema}.`)
    if (aside) term.note(`The replaced data is kept as the copy ${aside.name}.`)
    term.note(
      'This Carrel would upgrade the data again at its next start. Install the earlier version before you start Carrel.',
    )
  })
}

/** Asks a person at the terminal for agreement; without a terminal, nobody agrees. */
async function isAgreed({ world, term }: Cli): Promise<boolean> {
  if (!term.interactive) return false
  const answer = await withLines(world, (lines, signal) => lines.ask('Type "back" to go back: ', signal))
  return answer?.trim() === 'back'
}
