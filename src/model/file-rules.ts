import { DEFAULT_PATH_RULES, type FileRules } from './conflicts.ts'

/**
 * What a Space begins with. Left out is what is fetched or made again and is large; environment files are in, though
 * git leaves them out, since nobody else keeps them.
 */
export const DEFAULT_FILE_RULES: FileRules = {
  ignore: [
    'node_modules/',
    '.venv/',
    '__pycache__/',
    '.cache/',
    '.next/',
    '.turbo/',
    '.gradle/',
    '.pytest_cache/',
    '.mypy_cache/',
    '.ruff_cache/',
    '.DS_Store',
    '*.swp',
    '.carrel-*.tmp',
    '!.env',
    '!.env.*',
    '!.envrc',
  ],
  useGitignore: true,
  maxFileBytes: 33_554_432,
  paths: [...DEFAULT_PATH_RULES],
}
