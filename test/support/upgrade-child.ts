import { execFileSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { tellSteps } from './crash-steps.ts'

/**
 * A process that upgrades the database of a folder, or goes back to a copy. Before each step the process copies the
 * folder: a crash there leaves exactly that copy. Where `stop` begins the name of a step, the process stops before
 * the step for good, for the test to kill it. The last line of its output is `end`.
 */
const [act = '', folder = '', kept = '', stop = ''] = process.argv.slice(2)
// Loaded before the wrapping of the file system: a loader writes a cache.
const { MIGRATIONS } = await import('../../src/store/sql/migrations/migrate.ts')
// The original function, before the wrapping.
const write = writeSync
let steps = 0
const tell = (step: string): void => {
  const name = step.replace(/\s+/g, ' ').slice(0, 80)
  if (stop === '') {
    steps += 1
    execFileSync('cp', ['-a', folder, join(kept, String(steps))])
    write(1, `${name}\n`)
  } else if (name.startsWith(stop)) {
    write(1, `${name}\n`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
}
tellSteps(tell)
const { openForWriting } = await import('../../src/store/sqlite/sqlite-writer.ts')
const { backSqlite } = await import('../../src/store/sqlite/sqlite-back.ts')
const { copiesIn, listCopies } = await import('../../src/store/upgrade/copies.ts')

const path = join(folder, 'carrel.db')
const say = (what: string): void => tell(what)
if (act === 'upgrade') {
  const reporting = MIGRATIONS.map((migration) => ({
    ...migration,
    steps: (dialect: Parameters<typeof migration.steps>[0]) =>
      migration.steps(dialect).map((step) => async (tx: Parameters<Exclude<typeof step, string>>[0]) => {
        tell(`in ${migration.name}`)
        await (typeof step === 'string' ? tx.run(step) : step(tx))
      }),
  }))
  const db = await openForWriting({ path, now: Date.UTC(2026, 10, 25) }, reporting, say)
  db.close()
} else {
  const copies = copiesIn(folder)
  const [copy] = listCopies(copies).copies
  await backSqlite({ path, copies, name: copy?.name ?? '', carrel: 'test', now: Date.UTC(2026, 10, 26), say })
}
write(1, 'end\n')
process.exit(0)
