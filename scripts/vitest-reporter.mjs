import { writeFileSync } from 'node:fs'

/**
 * Writes what a run of vitest came to, with the reason of each skipped case, to the file named by CARREL_TEST_REPORT:
 * `{ projects: { [name]: { passed, failed, skipped: [{ name, reason }] } }, broken: string[] }`.
 * `broken` are failures outside of cases: a file that cannot be loaded, an unhandled rejection.
 */
export default class {
  onTestRunEnd(modules, unhandled, reason) {
    const projects = {}
    const broken = unhandled.map((error) => error.message ?? String(error))
    for (const module of modules) {
      projects[module.project.name] ??= { passed: 0, failed: 0, skipped: [] }
      const counts = projects[module.project.name]
      broken.push(...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`))
      for (const suite of module.children.allSuites()) {
        broken.push(...suite.errors().map((error) => `${module.relativeModuleId}: ${suite.fullName}: ${error.message}`))
      }
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') counts.passed += 1
        else if (state === 'skipped')
          counts.skipped.push({ name: `${module.relativeModuleId}: ${test.fullName}`, reason: note ?? '' })
        else counts.failed += 1
      }
    }
    if (reason === 'interrupted') broken.push('The run was interrupted.')
    writeFileSync(process.env.CARREL_TEST_REPORT, JSON.stringify({ projects, broken }))
  }
}
