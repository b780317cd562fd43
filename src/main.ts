import { processWorld, runCli } from './faces/cli/main.ts'

const exit = await runCli(process.argv.slice(2), processWorld())
// Keep-alive sockets would hold the process for seconds.
process.stdout.write('', () => process.exit(exit))
