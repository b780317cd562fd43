import { writeFileSync } from 'node:fs'

/**
 * Writes what a run of vitest came to, with the reason of each skipped case, to the file named by CARREL_TEST_REPORT:
 * `{ projects: { [name]: { passed, failures: [{ name, reason }], skipped: [{ name, reason }] } }, broken: string[],
 * files: [{ file, project, tests, processorSeconds, seconds }] }`.
 * `broken` are failures outside of cases: a file that cannot be loaded, an unhandled rejection. Times are in seconds;
 * `processorSeconds` is null where the platform does not tell.
 */
export default class {
  onTestRunEnd(modules, unhandled, reason) {
    const projects = {}
    const files = [{ file: 'vitest itself', project: '', tests: 0, processorSeconds: ownSeconds(), seconds: 0 }]
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
        const { state, note, errors } = test.result()
        const name = `${module.relativeModuleId}: ${test.fullName}`
        if (state === 'passed') counts.passed += 1
        else if (state === 'skipped') counts.skipped.push({ name, reason: note ?? '' })
        else counts.failures.push({ name, reason: errors?.[0]?.message ?? '' })
        if (state !== 'skipped') tests += 1
      }
      files.push({
        file: module.relativeModuleId,
        project: module.project.name,
        tests,
        processorSeconds: module.meta().processorSeconds ?? null,
        seconds: module.diagnostic().duration / 1000,
      })
    }
    if (reason === 'interrupted') broken.push('The run was interrupted.')
    writeFileSync(process.env.CARREL_TEST_REPORT, JSON.stringify({ projects, broken, files }))
  }
}

function ownSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
