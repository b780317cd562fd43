import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './carried.mjs'
import { ENTRIES, OUTSIDE, PROGRAMS, SHARING_PROGRAMS } from './programs.mjs'

const NAME = 'licenses.md'

/**
 * Returns the licences of all packages whose code is in the built programs, as Markdown. Vite gathers them, which builds
 * the same sources once more for it; what it makes is thrown away.
 */
export async function gatherLicenses() {
  const { build } = await import('vite')
  const outDir = mkdtempSync(join(tmpdir(), 'carrel-licenses-'))
  try {
    await build({
      root: ROOT,
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true, external: OUTSIDE },
      build: {
        ssr: true,
        outDir,
        emptyOutDir: true,
        license: { fileName: NAME },
        rolldownOptions: { input: { ...ENTRIES, ...SHARING_PROGRAMS, ...PROGRAMS } },
      },
    })
    return readFileSync(join(outDir, NAME), 'utf8')
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
