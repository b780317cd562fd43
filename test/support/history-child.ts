import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHistory } from '../../src/host/history/open.ts'
import { LOOK, specOf } from './history-world.ts'

/** Opens a history, and changes and captures its place until it is ended. Says each step before it is taken. */
const [root = '', folder = ''] = process.argv.slice(2)
const say = (step: string) => process.send?.(step)

say('open')
const history = await openHistory({ folder, now: () => 1_000 })
history.onNews(() => say('news'))
await history.open(specOf('one', root))
for (let round = 0; ; round++) {
  writeFileSync(join(root, `changed${round % 7}`), `round ${round}\n`.repeat(1 + (round % 5) * 8_000))
  say('capture')
  await history.capture('space:one', {
    ...LOOK,
    at: round % 2 === 0 ? 'hints' : 'everything',
    paths: [`changed${round % 7}`],
  })
}
