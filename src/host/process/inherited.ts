import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

const CLOSES_ON_EXEC = 0o2000000

/**
 * Closes what this process inherited beside its standard streams: files and locks of whoever started the server, and
 * of native code in it. Who outlives the server must not hold them, and no agent is to find them. Node's own are never
 * passed on, which tells them apart, and neither are the first ones of a caller (libuv sees to those up to 15). Linux; on macOS
 * nothing else is passed on.
 */
export function dropInherited(): void {
  if (process.platform !== 'linux') return
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const fd = Number(name)
    if (fd <= 2) continue
    // The descriptor that listed the folder is closed by now.
    const info = absentAsNullSync(() => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? ''
    const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1]
    if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0) closeSync(fd)
  }
}
