import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './carried.mjs'

/** The table of processor time per test file, of the last run. */
const TABLE = join(ROOT, 'node_modules', '.cache', 'carrel', 'test-times.txt')
/** Files of that table which are printed. */
const SHOWN = 40
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
/** A run fails when it uses half as much again. */
const TOLERANCE = 1.5

/**
 * One test file as scripts/vitest-reporter.mjs tells of it. `orphanSeconds`: of processes that outlived their parents.
 * @typedef {{ file: string, tests: number, seconds: number, processorSeconds: number | null, orphanSeconds: number }} FileTime
 */

/**
 * Prints which test files use most of the processor, and keeps the whole table as a file.
 * @param {FileTime[]} files
 */
export function keepTimes(files) {
  const rows = files.filter(({ processorSeconds, tests }) => processorSeconds !== null && tests > 0)
  rows.sort((a, b) => b.processorSeconds - a.processorSeconds)
  const head = toLine('processor', 'seconds', 'tests', 'file')
  const lines = rows.map(({ processorSeconds, seconds, tests, file }) =>
    toLine(processorSeconds.toFixed(2), seconds.toFixed(2), tests, file),
  )
  mkdirSync(dirname(TABLE), { recursive: true })
  writeFileSync(TABLE, `${[head, ...lines].join('\n')}\n`)
  console.log(`\nSeconds of processor time per test file (the first ${SHOWN}; all are in ${TABLE}):`)
  for (const line of [head, ...lines.slice(0, SHOWN)]) console.log(line)
}

const toLine = (processor, seconds, tests, file) =>
  `${String(processor).padStart(9)} ${String(seconds).padStart(8)} ${String(tests).padStart(6)}  ${file}`

/**
 * Seconds of processor time of all that this process started and waited for; null where the platform does not tell.
 * proc(5): cutime and cstime are fields 16 and 17, the third and fourth behind utime.
 */
export function secondsOfChildren() {
  if (process.platform !== 'linux') return null
  const text = readFileSync('/proc/self/stat', 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/**
 * Judges what a run used against its budget.
 * @param {number | null} used seconds of processor time
 * @param {number} budget seconds
 */
export function judgeTime(used, budget) {
  const row = { name: 'processor time', passed: 1, failed: 0, skipped: [], seconds: used ?? 0 }
  if (used === null || used <= budget * TOLERANCE) return row
  const reason = `The tests used ${used.toFixed(0)} s of processor time; their budget is ${budget} s, and half as much again fails. The table above shows where it went. Make tests cheaper, or move what only long runs need behind the tag \`long\` (docs/testing.md).`
  console.error(reason)
  return { ...row, passed: 0, failed: 1, failures: [{ name: 'processor time', reason }] }
}
