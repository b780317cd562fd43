import { closeSync, readdirSync, readFileSync } from 'node:fs'

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
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0) closeSync(fd)
    } catch {
      // It was the one that the list was read by.
    }
  }
}
