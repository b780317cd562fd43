import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openActWorld, undoOf } from './act-world.ts'

/** In a mount namespace of its own: a place on a disk of 2 MiB that is full when an act needs room. Prints what became of it. */
const [top = ''] = process.argv.slice(2)
const root = join(top, 'one')
mkdirSync(root)
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root], {
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
})
const noise = (size: number) => Buffer.from(Array.from({ length: size }, (_, at) => (at * at * 31) % 251))
const world = await openActWorld({}, { top })
world.write('a', 'small')
world.write('large', noise(700_000))
await world.look()
world.write('a', 'by A')
rmSync(join(root, 'large'))
await world.look(['a'])
const { bavail, bsize } = statfsSync(root)
writeFileSync(join(root, 'filler'), Buffer.alloc(Number(bavail) * Number(bsize) - 300_000))
await world.look()
const before = world.seen()
const failure = await world.act(undoOf('a')).catch((error: unknown) => error)
const isSame = JSON.stringify(world.seen()) === JSON.stringify(before)
rmSync(join(root, 'filler'))
await world.act(undoOf('a'))
const { code, message } = failure as { code: string; message: string }
console.log(JSON.stringify({ code, message, isSame, a: world.read('a'), large: world.seen().large?.length }))
process.exit(0)
