import { buildNode, buildTestPrograms } from '../../scripts/bundle.mjs'

/** Global setup of all projects: what tests start as processes and threads is built, a second where sources changed. */
export default function setup(): void {
  buildNode()
  buildTestPrograms()
}
