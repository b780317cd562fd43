import { writeFileSync } from 'node:fs'

/**
 * Writes what a run of vitest came to, with the reason of each skipped case, to the file named by CARREL_TEST_REPORT:
 * `{ projects: { [name]: { passed, failures: [{ name, reason }], skipped: [{ name, reason }] } }, broken: string[],
 * files: [{ file, tests, processorSeconds, orphanSeconds, seconds }] }`. Cases that --tags-filter leaves out are not told.
 * `broken` are failures outside of cases: a file that cannot be loaded, an unhandled rejection. Times are in seconds;
 * `processorSeconds` is null where the platform does not tell.
 */
export default class {
  onInit(vitest) {
    this.filter = vitest.config.tagsFilter?.[0]
  }

  onTestRunEnd(modules, unhandled, reason) {
    const projects = {}
    const files = [{ file: 'vitest itself', tests: 1, processorSeconds: ownSeconds(), orphanSeconds: 0, seconds: 0 }]
    const broken = unhandled.map((error) => error.message ?? String(error))
    for (const module of modules) {
      projects[module.project.name] ??= { passed: 0, failures: [], skipped: [] }
      const counts = projects[module.project.name]
      broken.push(...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`))
      for (const suite of module.children.allSuites()) {
        broken.push(...suite.errors().map((error) => `${module.relativeModuleId}: ${suite.fullName}: ${error.message}`))
      }
      let tests = 0
      for (const test of module.children.allTests()) {
        if (isLeftOut(test, this.filter)) continue
        const { state, note, errors } = test.result()
        const name = `${module.relativeModuleId}: ${test.fullName}`
        if (state === 'passed') counts.passed += 1
        else if (state === 'skipped') counts.skipped.push({ name, reason: note ?? '' })
        else counts.failures.push({ name, reason: errors?.[0]?.message ?? '' })
        if (state !== 'skipped') tests += 1
      }
      files.push({
        file: module.relativeModuleId,
        tests,
        processorSeconds: module.meta().processorSeconds ?? null,
        orphanSeconds: module.meta().orphanSeconds ?? 0,
        seconds: module.diagnostic().duration / 1000,
      })
    }
    if (reason === 'interrupted') broken.push('The run was interrupted.')
    writeFileSync(process.env.CARREL_TEST_REPORT, JSON.stringify({ projects, broken, files }))
  }
}

/** Filters are one tag, or one with a `!` before it. */
function isLeftOut({ tags }, filter) {
  if (!filter) return false
  return filter.startsWith('!') ? tags.includes(filter.slice(1)) : !tags.includes(filter)
}

function ownSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
