import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { resolve } from 'node:path'
import type { AddCommand, Cli, OpenCli } from '../cli.ts'
import { VERSION } from '../installation.ts'
import { badInput } from '../problem.ts'
import { clearProgress, progressOf } from '../progress.ts'

const MIB = 1_048_576

export const addBackup: AddCommand = (program) => {
  const command = program
    .command('backup')
    .summary('back up database, settings and blank Spaces into a folder')
    .description(
      'Backs up the data folder into a new folder, also while a server runs: the database as of one moment, settings, the file history and the folders of blank Spaces, with a digest of each file. Verifies the backup before it counts as complete.',
    )
    .argument('<folder>', 'target: a new or empty folder')
    .option('--files-only', 'omit the database, for a database on Postgres')
    .addHelpText(
      'after',
      `
The backup contains encrypted secrets without their key. Store the key elsewhere.

Examples:
  $ carrel backup /backups/carrel-$(date +%F)
  $ carrel backup restore /backups/carrel-2026-11-24 --data /srv/carrel`,
    )
    .handle((cli, [folder], { filesOnly }) => backup(cli, folder, Boolean(filesOnly)))
  addRestore(command)
}

async function backup(cli: Cli, folder: string, filesOnly: boolean): Promise<number> {
  refuseRemote(cli)
  const { config } = cli.settings()
  const { makeBackup } = await import('../../../engine/backup/backup.ts')
  const target = resolve(cli.world.cwd, folder)
  const { dataFolder, databaseUrl } = config
  const source = { dataFolder, databaseUrl, filesOnly, version: VERSION, now: cli.world.now() }
  const manifest = await untilStopped(cli, (signal) => makeBackup({ ...source, signal }, target, progressOf(cli)))
  if (manifest === null) return STOPPED
  const files = manifest.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.bytes] : []))
  const bytes = files.reduce((sum, each) => sum + each, 0)
  const { schema, skipped, leavesOut } = manifest
  cli.term.result({ folder: target, files: files.length, bytes, schema, skipped, leavesOut }, () => {
    cli.term.line(`Created ${target}: ${files.length} files, ${(bytes / MIB).toFixed(1)} MiB, verified.`)
    for (const { path, why } of skipped) cli.term.note(`Not backed up: ${path}. ${why}`)
    cli.term.note('A backup never contains:')
    for (const each of leavesOut) cli.term.note(`  ${each}`)
  })
  return 0
}

const STOPPED = 130

/**
 * Does work that Ctrl-C or SIGTERM ends, after it removed what it had written; null then. A second signal changes
 * nothing: one Ctrl-C may arrive twice.
 */
async function untilStopped<T>(cli: Cli, work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const stop = new AbortController()
  const abort = () => stop.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, abort)
  try {
    return await work(stop.signal)
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown
    cli.term.note('Stopped. Nothing that was written is left.')
    return null
  } finally {
    clearProgress(cli)
    for (const signal of signals) process.off(signal, abort)
  }
}

/** Refuses `--url`: the command works on files of this machine. */
export function refuseRemote({ remote }: Cli): void {
  if (remote)
    throw badInput('The command needs the files of the data folder. Run it on the server machine, without --url.')
}

const addRestore: AddCommand = (program) => {
  program
    .command('restore')
    .summary('restore a data folder from a backup')
    .description('Restores a backup into an empty data folder and verifies every file by its digest.')
    .argument('<folder>', 'folder of the backup')
    .addHelpText('after', '\nExamples:\n  $ carrel backup restore /backups/carrel-2026-11-24 --data /srv/carrel')
    .handle(async (cli, [folder]) => {
      refuseRemote(cli)
      const { restoreBackup } = await import('../../../engine/backup/restore.ts')
      const from = resolve(cli.world.cwd, folder)
      const manifest = await untilStopped(cli, (signal) => restoreBackup(from, cli.dataFolder, progressOf(cli), signal))
      if (manifest === null) return STOPPED
      const { at, carrel, entries } = manifest
      cli.term.result({ dataFolder: cli.dataFolder, at, carrel, entries: entries.length }, () => {
        cli.term.line(`Restored the data of ${new Date(at).toISOString()} into ${cli.dataFolder}.`)
        cli.term.note('Copy the key of your secrets (secrets.key) there as well, then run `carrel serve`.')
        cli.term.note('The restored data folder is paused. To let it go on instead of the first: `carrel unpause`.')
      })
      return 0
    })
}

export const addExport: AddCommand = (program) => {
  program
    .command('export')
    .summary('export a session to a file')
    .description('Exports a session as a transcript for people (Markdown), or as its events, one a line (JSONL).')
    .argument('<session>', 'id of the session')
    .option('--as <form>', 'markdown or jsonl (default: markdown, or jsonl with --json)', exportForm)
    .option('-o, --out <file>', 'file to write; an existing file is not overwritten (default: stdout)')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel export ses_01jc3q0f0g0h0j0k0m0n0p0q0r --out session.md
  $ carrel export ses_01jc3q0f0g0h0j0k0m0n0p0q0r --as jsonl | jq .type`,
    )
    .withCarrel((cli, [session], { as = cli.term.json ? 'jsonl' : 'markdown', out }) => {
      if (cli.term.json && as === 'markdown') throw badInput('--json exports JSON lines. Omit --as, or omit --json.')
      return exportSession(cli, session, as, out)
    })
}

async function exportSession(cli: OpenCli, id: string, as: 'markdown' | 'jsonl', out?: string): Promise<void> {
  const { carrel, workspace, term } = cli
  // The first page comes before the file: an error creates no file.
  const read = (after: number) => carrel.call('sessions.export', { workspace, id, as, after })
  let page = await read(0)
  const file = out === undefined ? null : await openNew(resolve(cli.world.cwd, out))
  const write = async (text: string) => {
    if (file === null) await term.write(text)
    else if (!file.write(text)) await once(file, 'drain')
  }
  await write(page.text)
  while (page.next !== null) {
    page = await read(page.next)
    await write(page.text)
  }
  if (file === null) return
  file.end()
  await once(file, 'close')
  term.note(`Wrote ${out}.`)
}

function exportForm(text: string): string {
  if (text === 'markdown' || text === 'jsonl') return text
  throw badInput('--as takes markdown or jsonl.')
}

async function openNew(path: string): Promise<WriteStream> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(file, 'open')
    return file
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    throw badInput(
      code === 'EEXIST' ? `${path} already exists. Name another file.` : `${path} cannot be written: ${message}.`,
    )
  }
}

export const addRetention: AddCommand = (program) => {
  program
    .command('retention')
    .summary('preview and apply the retention rules')
    .description(
      'Shows the data that the retention rules remove. The settings keepRunLogsDays, keepAgentLogsDays and keepArchivedItemsDays define the rules; a server applies them daily. Active runs and sessions are never touched.',
    )
    .option('--preview', 'only preview (the default)')
    .option('--apply', 'remove the data now')
    .addHelpText('after', '\nExamples:\n  $ carrel retention\n  $ CARREL_KEEP_RUN_LOGS_DAYS=7 carrel retention --apply')
    .withCarrel(async (cli, _, { preview, apply }) => {
      if (preview && apply) throw badInput('Use either --preview or --apply, not both.')
      const { carrel, term } = cli
      const done = await carrel.call(apply ? 'retention.apply' : 'retention.preview', {})
      term.result(done, () => {
        const rows = done.rules.map(({ rule, what, olderThanDays, count, bytes }) => [
          rule,
          what,
          olderThanDays === null ? 'never' : `older than ${olderThanDays} d`,
          String(count),
          `${(bytes / MIB).toFixed(1)} MiB`,
        ])
        term.table(['SETTING', 'DATA', 'REMOVED WHEN', 'COUNT', 'SIZE'], rows, '')
        term.note(apply ? 'Removed.' : 'Nothing was removed. Use --apply to remove the data.')
      })
    })
}
