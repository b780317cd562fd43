import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'
import { buildPage } from './page.mjs'
import { keepTimes } from './processor-time.mjs'

/**
 * One row of the final table.
 * @typedef {{ name: string, passed: number, failed: number, skipped: Case[], failures?: Case[], seconds: number }} Row
 * @typedef {{ name: string, reason: string }} Case
 */

/**
 * Skips that CI accepts: cases for a platform that this machine is not, and for what no script can give it. Everything else that can be skipped here
 * (no Postgres, no Chromium) is something that CI has to have.
 */
const ACCEPTED_IN_CI = /^only on (macOS|Windows|Linux|machines with cgroups)\b/

export function checkPage() {
  return check('page (vite build)', () => {
    const outcome = buildPage()
    if (outcome === 'absent') throw new Error('web/index.html is missing.')
  })
}

/**
 * Runs the named vitest projects in one process.
 * @returns {{ rows: Row[], orphanSeconds: number }} one row for each project that has cases, and one for what broke
 *   outside of them; the processor time of what outlived its parents
 */
export function runVitest(projects, args = []) {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-test-'))
  const report = join(folder, 'report.json')
  const started = Date.now()
  try {
    const command = [
      findCommand('vitest', 'vitest'),
      'run',
      '--reporter=default',
      '--reporter=./scripts/vitest-reporter.mjs',
    ]
    const { status, signal } = runNode([...command, ...projects.map((name) => `--project=${name}`), ...args], {
      CARREL_TEST_REPORT: report,
    })
    const seconds = (Date.now() - started) / 1000
    if (!existsSync(report)) {
      const reason = status === 0 ? 'wrote no report' : `ended with ${signal ?? status} before its report`
      return { rows: [failure('vitest', seconds, reason)], orphanSeconds: 0 }
    }
    const told = JSON.parse(readFileSync(report, 'utf8'))
    keepTimes(told.files)
    const orphanSeconds = told.files.reduce((sum, file) => sum + file.orphanSeconds, 0)
    return { rows: toRows(told, status, seconds), orphanSeconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function toRows({ projects, broken }, status, seconds) {
  const rows = Object.entries(projects).map(([name, counts]) => ({
    name: `tests: ${name}`,
    failed: counts.failures.length,
    ...counts,
    seconds,
  }))
  for (const message of broken) rows.push(failure('tests: broken file', seconds, message))
  // A failure of vitest must not be lost when the report names no failed test.
  if (status !== 0 && rows.every(({ failed }) => failed === 0))
    rows.push(failure('vitest', seconds, `ended with ${status}`))
  return rows
}

/** Prints the table and, as the last line, the sum. Returns the exit code. */
export function conclude(rows, ci = Boolean(process.env.CI) && process.env.CI !== 'false') {
  const judged = ci ? rows.map(refuseSkips) : rows
  console.log('')
  for (const { name, passed, failed, skipped, seconds } of judged) {
    const counts = [
      `${passed} passed`,
      failed > 0 && `${failed} failed`,
      skipped.length > 0 && `${skipped.length} skipped`,
    ]
    console.log(
      `${failed > 0 ? 'FAIL' : ' ok '}  ${name.padEnd(30)} ${counts.filter(Boolean).join(', ').padEnd(28)} ${seconds.toFixed(1)} s`,
    )
  }
  // Once more, all in one place: a log may be read by its end only.
  for (const { name, reason } of judged.flatMap((row) => row.failures ?? [])) {
    const [first, ...more] = reason.split('\n').slice(0, 30)
    console.log(`FAIL  ${name}: ${first.slice(0, 300) || 'no reason is given'}`)
    for (const line of more) console.log(`      ${line.slice(0, 200)}`)
  }
  const skipped = judged.flatMap((row) => row.skipped)
  for (const { name, reason } of skipped) console.log(`skip  ${name}: ${reason || 'no reason is given'}`)
  const passed = judged.reduce((sum, row) => sum + row.passed, 0)
  const failed = judged.reduce((sum, row) => sum + row.failed, 0)
  console.log('')
  console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
  return failed > 0 || passed === 0 ? 1 : 0
}

function refuseSkips(row) {
  const refused = row.skipped.filter(({ reason }) => !ACCEPTED_IN_CI.test(reason))
  for (const { name, reason } of refused) {
    console.error(`Skipped, which CI refuses: ${name}: ${reason || 'no reason is given'}`)
  }
  return {
    ...row,
    failed: row.failed + refused.length,
    skipped: row.skipped.filter((skip) => !refused.includes(skip)),
  }
}

/** @returns {Row} */
function check(name, act) {
  const started = Date.now()
  try {
    act()
    return { name, passed: 1, failed: 0, skipped: [], seconds: (Date.now() - started) / 1000 }
  } catch (error) {
    return failure(name, (Date.now() - started) / 1000, error.message)
  }
}

function failure(name, seconds, message) {
  console.error(`${name}: ${message}`)
  return { name, passed: 0, failed: 1, skipped: [], seconds }
}

/** Runs a script in the carried Node, which is also the first `node` that the script itself finds. */
function runNode(args, env = {}) {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
  return spawnSync(findNode(), args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH: path, ...env } })
}
