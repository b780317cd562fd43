import { startKeeper } from '../../src/host/keeper/client.ts'
import { startBuiltPrograms } from './built.ts'

/** A server that starts an agent, asks it for much output, and runs until a test kills it. */
startBuiltPrograms()
const { echo, cwd, ...at } = JSON.parse(process.argv[2] ?? '{}')
const tree = await startKeeper(
  {
    command: process.execPath,
    args: ['-e', echo],
    cwd,
    env: { PATH: process.env.PATH ?? '' },
    label: 'echo',
    stderrPath: null,
    limits: { graceMs: 60_000, deadlineAt: null },
  },
  { ...at, now: Date.now },
)
tree.listen({
  replayed: () => tree.send('{"count":20000}'),
  frame: (frame) => {
    if (frame.no === 2) console.log(tree.keeper)
  },
  tooLarge: () => undefined,
  stopped: () => undefined,
  reached: () => undefined,
})
