import { startBuiltPrograms } from './built.ts'
import { registerFileEnd } from './file-end.ts'
import { countProcessorTime } from './processor-time.ts'

// Setup file of all projects, run before each test file. Hooks at the end of a file run in reverse order: everything
// that a file leaves behind ends before the count of its processor time.
startBuiltPrograms()
countProcessorTime()
registerFileEnd()
