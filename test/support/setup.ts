import { startBuiltPrograms } from './built.ts'
import { registerFileEnd } from './file-end.ts'
import { countProcessorTime } from './processor-time.ts'

// Setup file of all projects, run before each test file. Hooks at the end of a file run the last first: what a file
// leaves behind ends before its processor time is counted.
startBuiltPrograms()
countProcessorTime()
registerFileEnd()
