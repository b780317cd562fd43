import { buildNode, buildTestPrograms } from '../../scripts/bundle.mjs'

/**
 * Global setup of all projects: builds the programs that tests start as processes and threads. Takes a second where
 * sources changed.
 */
export default function setup(): void {
  buildNode()
  buildTestPrograms()
}
