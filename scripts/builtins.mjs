/*
 * An `import` of one of Node's own modules reads all that it exports, lazy parts too: that of `node:http` loads undici
 * and takes 40 ms, where the module alone takes 4. Built programs get these modules without that.
 */

const IMPORT = /^import (?:([\w$]+),? )?(?:\{ ([^}]*) \} )?from "(node:[\w/]+)";$/gm
const BARE = /^import "node:[\w/]+";\n/gm
// Node 20 has `process.getBuiltinModule` since 20.16; `createRequire` is there in all.
const GETTER = `import { createRequire as $createRequire } from "node:module";
const $builtin = process.getBuiltinModule ?? $createRequire(import.meta.url);
`

/** Returns a plugin for rolldown that has each chunk get Node's modules by a call instead of an import. */
export function builtinsByCall() {
  return { name: 'builtins-by-call', renderChunk: (code) => withCalls(code) }
}

/** Returns the chunk with its imports of Node's modules replaced, or null where it has none. */
export function withCalls(code) {
  const changed = code.replace(BARE, '').replace(IMPORT, (_line, whole, names, module) => {
    const parts = [...(whole ? [whole] : []), ...(names ? [`{ ${names.replaceAll(' as ', ': ')} }`] : [])]
    return parts.map((part) => `const ${part} = $builtin("${module}");`).join(' ')
  })
  const unknown = /^(?:import|export) .*"node:.*$/m.exec(changed)
  if (unknown) throw new Error(`An import of a form that is not known here: ${unknown[0]}`)
  return changed === code ? null : { code: GETTER + changed }
}
