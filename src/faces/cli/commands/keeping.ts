import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { resolve } from 'node:path'
import type { AddCommand, Cli } from '../cli.ts'
import { VERSION } from '../installation.ts'
import { badInput } from '../problem.ts'
import { clearProgress, progressOf } from '../progress.ts'

const MIB = 1_048_576

export const addBackup: AddCommand = (program, act) => {
  const command = program
    .command('backup')
    .summary('copy database, settings and blank Spaces into a folder')
    .description(
      'Copies the data folder into a new folder, also while a server runs on it: the database as of one moment, settings, the history of files and the folders of blank Spaces, with a digest of each file. It is read back before it counts.',
    )
    .argument('<folder>', 'where to put it: a folder that is not there yet, or is empty')
    .option('--files-only', 'without the database, for one on Postgres')
    .addHelpText(
      'after',
      `
Secrets are in it as they are at rest, sealed; their key is not. Keep the key elsewhere.

Examples:
  $ carrel backup /backups/carrel-$(date +%F)
  $ carrel backup restore /backups/carrel-2026-11-24 --data /srv/carrel`,
    )
    .action(act((cli, [folder], { filesOnly }) => backup(cli, folder, Boolean(filesOnly))))
  addRestore(command, act)
}

async function backup(cli: Cli, folder: string, filesOnly: boolean): Promise<void> {
  refuseFar(cli)
  const { config } = cli.settings()
  const { makeBackup } = await import('../../../engine/backup/backup.ts')
  const target = resolve(cli.world.cwd, folder)
  const { dataFolder, databaseUrl } = config
  const wish = { dataFolder, databaseUrl, filesOnly, version: VERSION, now: cli.world.now() }
  const manifest = await makeBackup(wish, target, progressOf(cli))
  clearProgress(cli)
  const files = manifest.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.bytes] : []))
  const bytes = files.reduce((sum, each) => sum + each, 0)
  const { schema, skipped, leavesOut } = manifest
  cli.term.result({ folder: target, files: files.length, bytes, schema, skipped, leavesOut }, () => {
    cli.term.line(`Made ${target}: ${files.length} files, ${(bytes / MIB).toFixed(1)} MiB, read back and whole.`)
    for (const { path, why } of skipped) cli.term.note(`Not in it: ${path}. ${why}`)
    cli.term.note('Not in it either:')
    for (const each of leavesOut) cli.term.note(`  ${each}`)
  })
}

/** Refuses `--url`: the command works on files of this machine. */
export function refuseFar({ far }: Cli): void {
  if (far)
    throw badInput('This works on the files of the data folder: run it on the machine of the server, without --url.')
}

const addRestore: AddCommand = (program, act) => {
  program
    .command('restore')
    .summary('make a data folder from a backup')
    .description(
      'Makes a data folder from a backup: every file is compared with its digest. Only into an empty folder.',
    )
    .argument('<folder>', 'the backup')
    .addHelpText('after', '\nExamples:\n  $ carrel backup restore /backups/carrel-2026-11-24 --data /srv/carrel')
    .action(
      act(async (cli, [folder]) => {
        refuseFar(cli)
        const { restoreBackup } = await import('../../../engine/backup/restore.ts')
        const manifest = await restoreBackup(resolve(cli.world.cwd, folder), cli.dataFolder, progressOf(cli))
        clearProgress(cli)
        const { at, carrel, entries } = manifest
        cli.term.result({ dataFolder: cli.dataFolder, at, carrel, entries: entries.length }, () => {
          cli.term.line(`Restored what was there on ${new Date(at).toISOString()} into ${cli.dataFolder}.`)
          cli.term.note('Put the key of your secrets there too (secrets.key), then start with `carrel serve`.')
        })
      }),
    )
}

export const addExport: AddCommand = (program, act) => {
  program
    .command('export')
    .summary('write a session to a file')
    .description('Writes a session as a text for people (Markdown), or as its events, one a line (JSONL).')
    .argument('<session>', 'id of the session')
    .option('--as <form>', 'markdown or jsonl', 'markdown')
    .option('-o, --out <file>', 'the file to write; a file that is there is not overwritten (default: stdout)')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel export ses_01jc3q0f0g0h0j0k0m0n0p0q0r --out session.md
  $ carrel export ses_01jc3q0f0g0h0j0k0m0n0p0q0r --as jsonl | jq .type`,
    )
    .action(act((cli, [session], { as, out }) => exportSession(cli, session, { as, out })))
}

async function exportSession(cli: Cli, id: string, { as, out }: { as: string; out?: string }): Promise<void> {
  if (as !== 'markdown' && as !== 'jsonl') throw badInput('A session is exported as markdown or as jsonl.')
  const { workspace, term } = cli
  await cli.withCarrel({ runs: false }, async (carrel) => {
    // Asked before a file is made for it.
    const read = (after: number) => carrel.call('sessions.export', { workspace, id, as, after })
    let part = await read(0)
    const file = out === undefined ? null : await openNew(resolve(cli.world.cwd, out))
    const write = async (text: string) => {
      if (file === null) await term.write(text)
      else if (!file.write(text)) await once(file, 'drain')
    }
    await write(part.text)
    while (part.next !== null) {
      part = await read(part.next)
      await write(part.text)
    }
    if (file === null) return
    file.end()
    await once(file, 'close')
    term.note(`Wrote ${out}.`)
  })
}

async function openNew(path: string): Promise<WriteStream> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(file, 'open')
    return file
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    throw badInput(
      code === 'EEXIST' ? `${path} is there already. Name another file.` : `${path} cannot be written: ${message}.`,
    )
  }
}

export const addRetention: AddCommand = (program, act) => {
  program
    .command('retention')
    .summary('what old logs would go, and remove them')
    .description(
      'Shows what the rules of retention would take. The settings keepRunLogsDays, keepAgentLogsDays and keepArchivedItemsDays say them; a server looks daily. Live runs and sessions are never touched.',
    )
    .option('--preview', 'only show it (the default)')
    .option('--apply', 'remove it now')
    .addHelpText('after', '\nExamples:\n  $ carrel retention\n  $ CARREL_KEEP_RUN_LOGS_DAYS=7 carrel retention --apply')
    .action(
      act((cli, _, { preview, apply }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          if (preview && apply) throw badInput('Say --preview or --apply, not both.')
          const { term } = cli
          const done = await carrel.call(apply ? 'retention.apply' : 'retention.preview', {})
          term.result(done, () => {
            const rows = done.rules.map(({ rule, what, olderThanDays, count, bytes }) => [
              rule,
              what,
              olderThanDays === null ? 'kept for ever' : `older than ${olderThanDays} d`,
              String(count),
              `${(bytes / MIB).toFixed(1)} MiB`,
            ])
            term.table(['SETTING', 'WHAT', 'GOES WHEN', 'COUNT', 'SIZE'], rows, '')
            term.note(apply ? 'Removed.' : 'Nothing was removed. `carrel retention --apply` does it.')
          })
        }),
      ),
    )
}
