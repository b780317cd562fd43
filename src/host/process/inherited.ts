import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

const CLOSES_ON_EXEC = 0o2000000

/**
 * Closes file descriptors that this process inherited, except its standard streams: files and locks of the process that
 * started the server and of its native code. A process that outlives the server must not hold them, and no agent may
 * see them. Node marks its own with close-on-exec, which tells them apart; libuv does so for the first 15. On macOS
 * nothing else is inherited.
 */
export function dropInherited(): void {
  if (process.platform !== 'linux') return
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const fd = Number(name)
    if (fd <= 2) continue
    // The descriptor that listed the folder is closed already.
    const info = absentAsNullSync(() => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? ''
    const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1]
    if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0) closeSync(fd)
  }
}
