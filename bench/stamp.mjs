import { appendFileSync } from 'node:fs'

// Loaded before the scripted agent (`node --import`): writes the machine's monotonic clock into what the agent says, and
// notes when a prompt reached it and when its answer left. The clock is the same for all processes of a machine.
const nanoseconds = () => process.hrtime.bigint().toString().padStart(19, '0')
const write = process.stdout.write.bind(process.stdout)
const emit = process.stdin.emit.bind(process.stdin)
let prompted = null

process.stdin.emit = (event, ...args) => {
  if (event === 'data' && Buffer.from(args[0]).includes('"session/prompt"')) prompted = nanoseconds()
  return emit(event, ...args)
}
process.stdout.write = (chunk, ...rest) => {
  let text = Buffer.from(chunk).toString('latin1')
  if (text.includes('@@now')) text = text.replaceAll('@@now________________@@', () => `@@${nanoseconds()}@@`)
  const answered = text.includes('"stopReason"')
  const done = write(Buffer.from(text, 'latin1'), ...rest)
  if (answered && prompted !== null && process.env.BENCH_TURNS) {
    appendFileSync(process.env.BENCH_TURNS, `${prompted} ${nanoseconds()}\n`)
    prompted = null
  }
  return done
}
